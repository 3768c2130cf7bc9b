/* bus.h - events by topic: publish, subscribe, wait, read again.
 *
 * An event is immutable and refcounted.  Each topic keeps its last events in a ring (bounded in
 * number and bytes; all rings together are bounded too), so that a reader that was away can go on
 * where it stopped, or learns that it cannot.  Every event has an `order`, its place among all
 * events of this bus, and an `id`, its place in its topic: the publisher's own growing integer
 * (a counted store: log lines, session events), or else the order itself.  Idle topics are dropped
 * beyond a bound; the bus remembers up to which order it may have dropped anything, so a reader
 * from before that is told `lost`, never given a silent gap.
 *
 * Threads: every function may be called from any thread.  One lock guards all.  Callbacks of
 * subscriptions run under that lock, on the publisher's thread, in order: they may only note the
 * event and wake somebody, never call the bus.  After bus_unsubscribe returns none runs any more.
 * It knows no Lua and no sockets.  It does not outlive the process: see `boot`.
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef GANDER_BUS_H
#define GANDER_BUS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "err.h"

struct bus;
struct bus_sub;

#define BUS_NAME_MAX   200               /* bytes of a topic's or an event's name */
#define BUS_EVENT_MAX  ((size_t)1 << 20) /* bytes of an event's JSON */
#define BUS_TOPICS_MAX 16                /* topics of one reader */

struct bus_event {
    atomic_int refs;
    int64_t order;    /* place among all events of the bus, from 1 */
    int64_t id;       /* place in its topic */
    bool counted;     /* the bus chose the id (it is the order) */
    const char *name; /* "project", "log", … */
    const char *json; /* one line of JSON, NUL-ended */
    size_t len;
};
struct bus_event *bus_event_ref(struct bus_event *e);
void bus_event_unref(struct bus_event *e); /* NULL is fine */

struct bus_limits { /* 0 = the default */
    size_t topic_events, topic_bytes, total_bytes, topics;
};
struct bus *bus_new(const struct bus_limits *limits); /* NULL = all defaults */
void bus_stop(struct bus *b);                         /* every bus_wait returns, now and later */
void bus_free(struct bus *b);                         /* after all readers and subscribers */
const char *bus_boot(const struct bus *b);            /* stamp of this bus, new at each start */

/* `id` 0: the bus counts.  Gives the event's id; 0 when it was refused: a name or text out of
 * bounds, or an id that does not grow (a repetition: readers have that event). */
int64_t bus_publish(struct bus *b, const char *topic, const char *event, const char *json,
                    size_t len, int64_t id);

typedef void bus_callback(void *ctx, const struct bus_event *event);
struct bus_sub *bus_subscribe(struct bus *b, const char *const *topics, size_t n,
                              bus_callback *callback, void *ctx);
void bus_unsubscribe(struct bus_sub *sub);

/* Where a reader is in one topic. */
struct bus_place {
    const char *topic;
    int64_t id;     /* it has the topic up to this id; -1 = not known, only `synced` counts */
    int64_t synced; /* it has all of the topic up to this order; -1 = not known */
    bool lost;      /* set by bus_read: events after this place are no longer held */
};
struct bus_reader {
    int64_t order; /* of the last event read: with the ids this is its cursor */
    size_t count;
    struct bus_place *places;
};
/* A reader at "now": only what is published later is unread.  false: too many topics, bad name. */
bool bus_reader_init(struct bus *b, struct bus_reader *r, const char *const *topics, size_t n,
                     struct err *err);
void bus_reader_clear(struct bus_reader *r);
/* Up to `max` unread events in order, each with a reference, and the place each belongs to; their
 * number.  The caller handles them one by one and calls bus_read_done after each, or stops early.
 * When a topic is lost its `lost` is set, *lost is true and nothing is read: bus_reader_skip,
 * or fill it in from elsewhere: note bus_now as `synced` first, then set `id`. */
size_t bus_read(struct bus *b, struct bus_reader *r, struct bus_event **events,
                struct bus_place **places, size_t max, bool *lost);
void bus_read_done(struct bus_reader *r, struct bus_place *place, const struct bus_event *e);
/* Move what is lost to now, and all topics without ids with it (the reader reads the state anew).
 */
void bus_reader_skip(struct bus *b, struct bus_reader *r);
int64_t bus_now(struct bus *b); /* order of the last event */

/* A reader's place as a short opaque text: the boot stamp, the order, and the known ids. */
void bus_cursor_format(const struct bus *b, const struct bus_reader *r, struct buf *out);
/* The same for "now" in these topics, taken before the state that goes with it is read.  ids[i] >=
 * 0: the last id of topic i which that state holds.  `ids` may be NULL. */
bool bus_cursor_now(struct bus *b, const char *const *topics, const int64_t *ids, size_t n,
                    struct buf *out, struct err *err);
/* Move a reader made by bus_reader_init back to a cursor.  Topics whose place the text does not
 * tell (another boot, no cursor at all) will be found lost.  false: it is of another boot. */
bool bus_cursor_parse(const struct bus *b, const char *text, struct bus_reader *r);

/* Block until an event of one of these names comes in `topic` after the cursor `after` (NULL: after
 * now), or until deadline_ms of clock_ms().  The caller unrefs it.  NULL: timeout, or unavailable
 * once bus_stop was called. */
struct bus_event *bus_wait(struct bus *b, const char *topic, const char *const *names, size_t n,
                           const char *after, int64_t deadline_ms, struct err *err);

struct bus_count {
    size_t topics, subscriptions, events, bytes; /* held now */
    int64_t published;                           /* since start */
};
struct bus_count bus_counts(struct bus *b);

#endif
