/* bus_inner.h - what bus.c (topics, rings, publishing) and bus_read.c (readers, cursors, waiting)
 * share.  `lock` guards everything but the events, which do not change; functions named _locked are
 * called with it held.  Nobody else includes this.
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef GANDER_BUS_INNER_H
#define GANDER_BUS_INNER_H

#include <pthread.h>

#include "bus.h"

#define BUS_BUCKETS 4096

/* One topic in one subscription. */
struct link {
    struct topic *topic;
    struct bus_sub *sub;
    struct link *next, **at; /* in the topic's list; at = what points to this */
};

struct bus_sub {
    struct bus *bus;
    bus_callback *callback;
    void *ctx;
    size_t count;
    struct link links[];
};

struct topic {
    struct topic *chain;         /* in its bucket */
    struct topic *older, *newer; /* in its list, by last use */
    struct link *links;
    struct bus_event **ring; /* `room` places, `count` used from `first` */
    size_t room, first, count, bytes;
    int64_t floor_order; /* events up to this order may be missing */
    int64_t floor_id;    /* the same as an id; INT64_MAX until an event with its own id came */
    int64_t last_id;     /* highest id published by somebody's count; 0 = none */
    char name[];
};

struct topic_list {
    struct topic *oldest, *newest;
    size_t count;
};

struct bus {
    pthread_mutex_t lock;
    struct bus_limits limits;
    struct topic *buckets[BUS_BUCKETS];
    struct topic_list idle;   /* topics without subscribers: the oldest go first */
    struct topic_list pinned; /* those with */
    size_t subscriptions, events, bytes;
    int64_t order;   /* of the last event */
    int64_t dropped; /* highest floor of any dropped topic */
    bool stopped;
    struct waiter *waiters;
    char boot[16];
};

bool bus_name_good(const char *name);
uint32_t bus_hash(const char *name);
struct topic *bus_topic_find_locked(const struct bus *b, const char *name);
struct bus_event *bus_ring_at(const struct topic *t, size_t i);
struct bus_sub *bus_subscribe_locked(struct bus *b, const char *const *topics, size_t n,
                                     bus_callback *callback, void *ctx);
void bus_unsubscribe_locked(struct bus_sub *sub); /* the caller frees it after unlocking */

#endif
