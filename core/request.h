/* request.h - what the door hands to a script, and what comes back.
 *
 * A request is filled by httpd.c and read by route_call.c; an outcome the other way round.  Both
 * own their memory; *_clear frees it.  No locks: one thread carries both through.
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef GANDER_REQUEST_H
#define GANDER_REQUEST_H

#include <stdint.h>

#include "buf.h"
#include "err.h"
#include "router.h"

#define HEADERS_MAX 64
#define TOPICS_MAX  16

struct request {
    char id[65];
    const char *method;
    const char *path;  /* raw, without the query; civetweb's memory */
    const char *query; /* raw, NULL when there is none */
    struct {
        const char *name, *value;
    } headers[HEADERS_MAX];
    int header_count;
    struct buf body;
    bool from_model; /* came by the model gateway's Unix socket */
};
void request_clear(struct request *r);
const char *request_header(const struct request *r, const char *name); /* NULL when absent */

enum outcome_kind { OUT_ANSWER, OUT_STREAM, OUT_AWAIT, OUT_RELAY, OUT_CHUNKS };

struct outcome {
    enum outcome_kind kind;
    int status;              /* ANSWER */
    struct buf headers;      /* ANSWER, STREAM, CHUNKS: "Name: value\r\n" each */
    struct buf body;         /* ANSWER */
    char *names[TOPICS_MAX]; /* STREAM: topics; AWAIT: names of the events waited for */
    int name_count;
    char *topic;           /* AWAIT */
    char *after;           /* STREAM, AWAIT: a cursor, or NULL */
    char *replay;          /* STREAM: "file#function" */
    char *until_event;     /* STREAM: ends after it */
    int64_t timeout_ms;    /* AWAIT, RELAY */
    char *next;            /* AWAIT, CHUNKS; RELAY: its `done`: "file#function" */
    char *data;            /* typed JSON for it */
    char *type, *filename; /* CHUNKS */
    char *method, *url;    /* RELAY; its headers in `headers`, its body in `body` */
};
void outcome_clear(struct outcome *o);

#endif
