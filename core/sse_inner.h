/* sse_inner.h - what sse.c (sockets, threads) and sse_client.c (what is sent) share.
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef GANDER_SSE_INNER_H
#define GANDER_SSE_INNER_H

#include <pthread.h>

#include "sse.h"

#define SSE_PENDING_MAX ((size_t)256 << 10) /* bytes written ahead for one client */

struct client {
    struct sse *sse;
    int fd;
    struct bus_sub *sub;
    struct bus_reader reader;
    char *replay, *until; /* names, or NULL */
    struct buf out;       /* to be sent, from `sent` on */
    size_t sent;
    int64_t active_at;           /* clock_ms() when the socket last took something */
    int64_t ended_at;            /* clock_ms() of our FIN; 0 = open */
    bool boot_changed;           /* its cursor was of another start */
    bool ending;                 /* close once `out` is sent */
    bool dead;                   /* free it as soon as no helper has it */
    struct bus_place *filling;   /* the place a helper fetches events for, or NULL */
    int64_t filled_to;           /* bus order noted before that */
    struct buf question, answer; /* of the helper; the engine's while `filling` is NULL */
    bool answered;               /* question had an answer */
    bool queued, filled; /* in sse.ready; a helper is done.  Guarded by sse.lock, as the next two */
    struct client *next_ready, *next_job;
    struct client *older, *newer; /* all clients */
};

struct sse {
    struct bus *bus;
    struct sse_hooks hooks;
    size_t clients_max;
    int epoll, wake; /* wake: an eventfd */
    pthread_t thread, helpers[2];
    struct client *first; /* all clients; the engine thread's */
    pthread_mutex_t lock; /* guards what follows; taken inside the bus's lock, never round it */
    pthread_cond_t work;
    struct client *ready, *ready_last;
    struct client *jobs, *jobs_last;
    struct sse_count counts;
    bool stopping;
};

/* sse_client.c; all on the engine thread. */
void client_greet(struct client *c);  /* the first lines */
bool client_fill(struct client *c);   /* add to `out` what is unread; false: nothing to add now */
void client_filled(struct client *c); /* a helper has the answer for `filling` */

/* sse.c */
void sse_ask(struct client *c); /* hand `question` to a helper */
void sse_count_add(struct sse *s, int64_t *count, int64_t n);

#endif
