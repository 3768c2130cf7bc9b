/* bus.c - topics, rings, publishing, subscriptions.  See bus.h.
 *
 * Topics are found by a hash table with chains and kept in two lists by last use.  One without
 * subscribers is dropped when there are too many of them; one with subscribers stays (its events
 * may go when all rings together are too big).
 * SPDX-License-Identifier: Apache-2.0
 */
#include "bus_inner.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "wait.h"

static const struct bus_limits default_limits = {
    .topic_events = 1024, .topic_bytes = 1 << 20, .total_bytes = 64 << 20, .topics = 4096};

struct bus_event *bus_event_ref(struct bus_event *e) {
    atomic_fetch_add_explicit(&e->refs, 1, memory_order_relaxed);
    return e;
}

void bus_event_unref(struct bus_event *e) {
    if (e != NULL && atomic_fetch_sub_explicit(&e->refs, 1, memory_order_acq_rel) == 1) {
        free(e);
    }
}

/* One allocation: the struct, its name, its JSON. */
static struct bus_event *event_new(const char *name, const char *json, size_t len) {
    size_t name_len = strlen(name);
    struct bus_event *e = mem_alloc(sizeof *e + name_len + 1 + len + 1);
    char *text = (char *)(e + 1);
    memcpy(text, name, name_len);
    memcpy(text + name_len + 1, json, len);
    atomic_init(&e->refs, 1);
    e->name = text;
    e->json = text + name_len + 1;
    e->len = len;
    return e;
}

uint32_t bus_hash(const char *name) {
    uint32_t h = 2166136261u; /* FNV-1a */
    for (; *name != '\0'; name++) {
        h = (h ^ (unsigned char)*name) * 16777619u;
    }
    return h;
}

bool bus_name_good(const char *name) {
    size_t n = strnlen(name, BUS_NAME_MAX + 1);
    return n > 0 && n <= BUS_NAME_MAX && strpbrk(name, "\r\n") == NULL;
}

static struct topic_list *list_of(struct bus *b, const struct topic *t) {
    return t->links == NULL ? &b->idle : &b->pinned;
}

static void list_remove(struct topic_list *list, struct topic *t) {
    *(t->older != NULL ? &t->older->newer : &list->oldest) = t->newer;
    *(t->newer != NULL ? &t->newer->older : &list->newest) = t->older;
    list->count--;
}

static void list_append(struct topic_list *list, struct topic *t) {
    t->older = list->newest;
    t->newer = NULL;
    *(list->newest != NULL ? &list->newest->newer : &list->oldest) = t;
    list->newest = t;
    list->count++;
}

/* Forget the oldest event of a topic; readers must be past it from now on. */
static void ring_drop_locked(struct bus *b, struct topic *t) {
    struct bus_event *e = t->ring[t->first];
    t->first = (t->first + 1) % t->room;
    t->count--;
    t->bytes -= e->len;
    b->bytes -= e->len;
    b->events--;
    t->floor_order = e->order;
    if (!e->counted) {
        t->floor_id = e->id;
    }
    bus_event_unref(e);
}

static void ring_add_locked(struct bus *b, struct topic *t, struct bus_event *e) {
    while (t->count > 0 &&
           (t->count >= b->limits.topic_events || t->bytes + e->len > b->limits.topic_bytes)) {
        ring_drop_locked(b, t);
    }
    if (t->count == t->room) { /* grow, straightening the ring */
        size_t room = t->room == 0 ? 8 : t->room * 2;
        struct bus_event **ring = mem_alloc(room * sizeof *ring);
        for (size_t i = 0; i < t->count; i++) {
            ring[i] = t->ring[(t->first + i) % t->room];
        }
        free(t->ring);
        t->ring = ring;
        t->room = room;
        t->first = 0;
    }
    t->ring[(t->first + t->count++) % t->room] = e;
    t->bytes += e->len;
    b->bytes += e->len;
    b->events++;
}

static void topic_free_locked(struct bus *b, struct topic *t) {
    struct topic **at = &b->buckets[bus_hash(t->name) % BUS_BUCKETS];
    while (*at != t) {
        at = &(*at)->chain;
    }
    *at = t->chain;
    list_remove(list_of(b, t), t);
    while (t->count > 0) {
        ring_drop_locked(b, t);
    }
    if (t->floor_order > b->dropped) {
        b->dropped = t->floor_order;
    }
    free(t->ring);
    free(t);
}

struct topic *bus_topic_find_locked(const struct bus *b, const char *name) {
    struct topic *t = b->buckets[bus_hash(name) % BUS_BUCKETS];
    while (t != NULL && strcmp(t->name, name) != 0) {
        t = t->chain;
    }
    return t;
}

static struct topic *topic_make_locked(struct bus *b, const char *name) {
    struct topic *t = bus_topic_find_locked(b, name);
    if (t != NULL) {
        return t;
    }
    size_t len = strlen(name);
    t = mem_alloc(sizeof *t + len + 1);
    memcpy(t->name, name, len);
    t->floor_order = b->dropped; /* it may be one that was dropped */
    t->floor_id = INT64_MAX;
    struct topic **at = &b->buckets[bus_hash(name) % BUS_BUCKETS];
    t->chain = *at;
    *at = t;
    list_append(&b->idle, t);
    return t;
}

/* Keep the bounds over all topics: idle ones are freed, then rings of the others emptied.  `keep`
 * is in use by the caller. */
static void bounds_locked(struct bus *b, const struct topic *keep) {
    for (struct topic *t = b->idle.oldest, *next; t != NULL; t = next) {
        if (b->idle.count <= b->limits.topics && b->bytes <= b->limits.total_bytes) {
            return;
        }
        next = t->newer;
        if (t != keep) {
            topic_free_locked(b, t);
        }
    }
    for (size_t n = b->pinned.count; n > 0 && b->bytes > b->limits.total_bytes; n--) {
        struct topic *t = b->pinned.oldest;
        while (t != keep && t->count > 0) {
            ring_drop_locked(b, t);
        }
        list_remove(&b->pinned, t); /* to the end: it has nothing to give for now */
        list_append(&b->pinned, t);
    }
}

struct bus_event *bus_ring_at(const struct topic *t, size_t i) {
    return t->ring[(t->first + i) % t->room];
}

struct bus *bus_new(const struct bus_limits *limits) {
    struct bus *b = mem_alloc(sizeof *b);
    b->limits = default_limits;
    if (limits != NULL) {
        b->limits.topic_events = limits->topic_events ?: b->limits.topic_events;
        b->limits.topic_bytes = limits->topic_bytes ?: b->limits.topic_bytes;
        b->limits.total_bytes = limits->total_bytes ?: b->limits.total_bytes;
        b->limits.topics = limits->topics ?: b->limits.topics;
    }
    uint32_t random = 0;
    if (getrandom(&random, sizeof random, 0) != (ssize_t)sizeof random) {
        random = (uint32_t)clock_ms();
    }
    uint32_t seconds = (uint32_t)(clock_now_ms() / 1000);
    snprintf(b->boot, sizeof b->boot, "%08" PRIx32 "%04" PRIx32, seconds, random & 0xffff);
    pthread_mutex_init(&b->lock, NULL);
    return b;
}

void bus_free(struct bus *b) {
    if (b == NULL) {
        return;
    }
    while (b->idle.oldest != NULL) { /* nobody subscribes any more */
        topic_free_locked(b, b->idle.oldest);
    }
    pthread_mutex_destroy(&b->lock);
    free(b);
}

const char *bus_boot(const struct bus *b) {
    return b->boot;
}

int64_t bus_publish(struct bus *b, const char *topic, const char *event, const char *json,
                    size_t len, int64_t id) {
    if (!bus_name_good(topic) || !bus_name_good(event) || len > BUS_EVENT_MAX || id < 0) {
        return 0;
    }
    struct bus_event *e = event_new(event, json, len);
    pthread_mutex_lock(&b->lock);
    struct topic *t = topic_make_locked(b, topic);
    if (id != 0 && id <= t->last_id) {
        pthread_mutex_unlock(&b->lock);
        bus_event_unref(e);
        return 0;
    }
    e->order = ++b->order;
    e->counted = id == 0;
    e->id = e->counted ? e->order : id;
    if (!e->counted) {
        if (t->floor_id == INT64_MAX) {
            t->floor_id = id - 1; /* whoever has id - 1 misses nothing */
        }
        t->last_id = id;
    }
    ring_add_locked(b, t, e);
    list_remove(list_of(b, t), t);
    list_append(list_of(b, t), t);
    bounds_locked(b, t);
    for (struct link *l = t->links; l != NULL; l = l->next) {
        l->sub->callback(l->sub->ctx, e);
    }
    int64_t given = e->id;
    pthread_mutex_unlock(&b->lock);
    return given;
}

struct bus_sub *bus_subscribe_locked(struct bus *b, const char *const *topics, size_t n,
                                     bus_callback *callback, void *ctx) {
    struct bus_sub *sub = mem_alloc(sizeof *sub + n * sizeof sub->links[0]);
    sub->bus = b;
    sub->callback = callback;
    sub->ctx = ctx;
    sub->count = n;
    for (size_t i = 0; i < n; i++) {
        struct link *l = &sub->links[i];
        l->topic = topic_make_locked(b, topics[i]);
        l->sub = sub;
        list_remove(list_of(b, l->topic), l->topic);
        l->next = l->topic->links;
        l->at = &l->topic->links;
        if (l->next != NULL) {
            l->next->at = &l->next;
        }
        l->topic->links = l;
        list_append(&b->pinned, l->topic);
    }
    b->subscriptions++;
    return sub;
}

void bus_unsubscribe_locked(struct bus_sub *sub) {
    struct bus *b = sub->bus;
    for (size_t i = 0; i < sub->count; i++) {
        struct link *l = &sub->links[i];
        list_remove(&b->pinned, l->topic);
        *l->at = l->next;
        if (l->next != NULL) {
            l->next->at = l->at;
        }
        list_append(list_of(b, l->topic), l->topic);
    }
    b->subscriptions--;
    bounds_locked(b, NULL);
}

struct bus_sub *bus_subscribe(struct bus *b, const char *const *topics, size_t n,
                              bus_callback *callback, void *ctx) {
    pthread_mutex_lock(&b->lock);
    struct bus_sub *sub = bus_subscribe_locked(b, topics, n, callback, ctx);
    pthread_mutex_unlock(&b->lock);
    return sub;
}

void bus_unsubscribe(struct bus_sub *sub) {
    if (sub == NULL) {
        return;
    }
    struct bus *b = sub->bus;
    pthread_mutex_lock(&b->lock);
    bus_unsubscribe_locked(sub);
    pthread_mutex_unlock(&b->lock);
    free(sub);
}

int64_t bus_now(struct bus *b) {
    pthread_mutex_lock(&b->lock);
    int64_t order = b->order;
    pthread_mutex_unlock(&b->lock);
    return order;
}

struct bus_count bus_counts(struct bus *b) {
    pthread_mutex_lock(&b->lock);
    struct bus_count counts = {b->idle.count + b->pinned.count, b->subscriptions, b->events,
                               b->bytes, b->order};
    pthread_mutex_unlock(&b->lock);
    return counts;
}
