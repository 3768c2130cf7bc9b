/* follow_inner.h - what follow.c (keys, batches, delivery), follow_read.c (the reading thread and
 * files) and follow_http.c share.
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef GANDER_FOLLOW_INNER_H
#define GANDER_FOLLOW_INNER_H

#include <pthread.h>
#include <sys/types.h>

#include "follow.h"

#define FOLLOW_THREADS 4
#define PENDING_MAX    ((size_t)512 << 10) /* bytes read ahead of delivery, for one key */
#define BATCH_BYTES    ((size_t)256 << 10)
#define BATCHES_MAX    64

struct batch {
    struct batch *next;
    struct buf items; /* "{…},{…}" */
    int count;
    struct buf cursor; /* JSON, after its last item; empty when there is none */
    int64_t since;     /* clock_ms() of its first item */
    bool ended;
    char *error;
};

/* One key.  The reading thread's but for what follow.lock guards. */
struct flow {
    struct follow *follow;
    char *key, *topic, *job, *data;
    int batch_ms, batch_max;
    enum follow_format format;
    struct follow_parse *parse;
    int64_t data_at; /* clock_ms() of the last bytes */
    struct flow *next;

    /* A file. */
    char *file; /* NULL: HTTP */
    int fd, watch;
    ino_t inode;
    int64_t offset, punched; /* read up to; freed up to */
    bool punch, dirty;       /* dirty: there may be something to read */
    int64_t checked_at;

    /* HTTP. */
    struct fetch_spec http; /* strings are its own */
    char **headers;         /* of the next request, the resume header included */
    char *url;
    enum follow_resume resume;
    struct fetch *fetch;
    bool running, paused;
    bool refused;      /* a status that will not change */
    int failures;      /* in a row */
    int64_t due;       /* clock_ms() of the next attempt */
    struct err broken; /* why the parser stopped the transfer */

    /* Guarded by follow.lock. */
    struct batch *first, *last; /* `first` is the one in flight */
    size_t bytes;
    int batches;
    bool in_flight, ending, finished, discard;
    int tries;
    int64_t retry_at;
    struct buf delivered; /* cursor of the last batch delivered */
    char error[256];      /* the last failure, for the list */
    const char *state;
    struct flow *next_job;
};

struct follow {
    struct bus *bus;
    struct follow_hooks hooks;
    void *multi; /* a CURLM */
    int inotify;
    pthread_t reader, pool[FOLLOW_THREADS];
    pthread_mutex_t lock;   /* guards what follows, and parts of each flow */
    pthread_cond_t work;    /* a job, or stopping */
    pthread_cond_t changed; /* a key is gone */
    struct flow *flows;     /* changed by the reading thread only, under the lock */
    struct flow *incoming;
    struct flow *jobs, *jobs_last;
    int count;
    bool stopping;
};

/* follow.c */
void flow_item(void *ctx, const struct follow_item *item); /* the parser's `emit` */
bool flow_has_room(struct flow *w);
void flow_report(struct flow *w, const char *error); /* an empty batch with an error */
void flow_finish(struct flow *w, const char *error); /* nothing comes any more */
void flow_free(struct flow *w);

/* follow_read.c */
void *follow_read(void *ctx);
/* Give out a line whose end does not come; when to look again, at most `due`. */
int64_t partial_step(struct flow *w, int64_t now, int64_t due);

/* follow_http.c; they answer when they want to be called again, as clock_ms(). */
bool http_copy(struct flow *w, const struct follow_spec *spec);
int64_t http_step(struct flow *w, int64_t now);
void http_done(struct flow *w, int curl_result);
void http_stop(struct flow *w);
void http_clear(struct flow *w);

#endif
