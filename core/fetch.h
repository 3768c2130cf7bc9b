/* fetch.h - one HTTP transfer: the options both gander.http and the engines use, set on libcurl.
 *
 * A fetch keeps its handle and with it its open connections: use one again for the next request.
 * fetch_set prepares, fetch_run performs it in the calling thread; an engine that drives many at
 * once adds fetch_handle to a curl multi handle and calls fetch_finish itself.  http and https
 * only, HTTP/1.1, no redirect unless asked for, no signal, every wait bounded by the spec.
 *
 * A request into a network namespace (`netns`) always dials anew: libcurl knows connections by host
 * and port, which are the same in every sandbox.
 *
 * Threads: one at a time uses a fetch.  Hooks run inside the transfer, on that thread.
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef GANDER_FETCH_H
#define GANDER_FETCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "err.h"

struct fetch;
struct netns;

struct fetch_spec {     /* all of it stays the caller's and must live until the transfer ended */
    const char *method; /* NULL: GET, or POST with a body */
    const char *url;
    const char *const *headers; /* "name: value", NULL-ended; may be NULL */
    const char *body;           /* NULL: none */
    size_t body_len;
    const char *body_file; /* instead of body: a path */
    const char *unix_path; /* dial this socket instead of the URL's host */
    struct netns *netns;   /* dial inside this network namespace */
    const char *ca;        /* a PEM file of authorities instead of the system's */
    int64_t connect_ms;
    int64_t timeout_ms; /* of the whole transfer; 0 = none (then set idle_ms) */
    int64_t idle_ms;    /* give up after so long without a byte; 0 = no limit */
    int redirects;      /* how many to follow */
};

struct fetch_reply {
    int status;
    struct buf headers; /* "name\0value\0" …, names in lower case, of the last response */
};

enum fetch_next { FETCH_ON, FETCH_STOP, FETCH_PAUSE };

struct fetch_hooks { /* each may be NULL */
    /* The head has come; called once, before any body and also when there is none. */
    bool (*begin)(void *ctx, const struct fetch_reply *reply);
    /* Bytes of the body.  FETCH_PAUSE: not taken, they come again after fetch_resume. */
    enum fetch_next (*body)(void *ctx, const char *data, size_t len);
    bool (*cancelled)(void *ctx); /* asked about once a second at the latest */
};

struct fetch *fetch_new(void);
void fetch_free(struct fetch *f);
bool fetch_set(struct fetch *f, const struct fetch_spec *spec, const struct fetch_hooks *hooks,
               void *ctx, struct err *err);
bool fetch_run(struct fetch *f, struct err *err);
const struct fetch_reply *fetch_reply(const struct fetch *f);
const char *fetch_header(const struct fetch_reply *reply, const char *name); /* NULL: not there */
const char *fetch_label(const struct fetch *f); /* "GET http://host/path", without secrets */

void *fetch_handle(struct fetch *f); /* the CURL *, for a multi handle */
bool fetch_finish(struct fetch *f, int curl_result, struct err *err);
void fetch_resume(struct fetch *f);

/* Is it a name of a header, and a value of one line?  Otherwise nothing may be sent. */
bool fetch_header_good(const char *name, const char *value, size_t len);

#endif
