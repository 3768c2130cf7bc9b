/* bus_read.c - the readers' side of the bus: places, cursors, waiting.  See bus.h.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "bus_inner.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Move a place to now: everything published so far counts as read. */
static void skip_locked(const struct bus *b, struct bus_reader *r, struct bus_place *p) {
    const struct topic *t = bus_topic_find_locked(b, p->topic);
    p->id = t != NULL && t->last_id > 0 ? t->last_id : -1;
    p->synced = r->order = b->order;
    p->lost = false;
}

bool bus_reader_init(struct bus *b, struct bus_reader *r, const char *const *topics, size_t n,
                     struct err *err) {
    *r = (struct bus_reader){0};
    if (n < 1 || n > BUS_TOPICS_MAX) {
        return err_set(err, ERR_INVALID, "a reader has 1 to %d topics, not %zu", BUS_TOPICS_MAX, n);
    }
    for (size_t i = 0; i < n; i++) {
        if (!bus_name_good(topics[i])) {
            return err_set(err, ERR_INVALID, "'%.40s' is no topic: 1 to %d bytes on one line",
                           topics[i], BUS_NAME_MAX);
        }
    }
    size_t names = 0;
    for (size_t i = 0; i < n; i++) {
        names += strlen(topics[i]) + 1;
    }
    r->places = mem_alloc(n * sizeof r->places[0] + names);
    r->count = n;
    char *name = (char *)(r->places + n);
    for (size_t i = 0; i < n; i++) {
        r->places[i].topic = strcpy(name, topics[i]);
        name += strlen(name) + 1;
    }
    pthread_mutex_lock(&b->lock);
    for (size_t i = 0; i < n; i++) {
        skip_locked(b, r, &r->places[i]);
    }
    pthread_mutex_unlock(&b->lock);
    return true;
}

void bus_reader_clear(struct bus_reader *r) {
    free(r->places);
    *r = (struct bus_reader){0};
}

void bus_reader_skip(struct bus *b, struct bus_reader *r) {
    pthread_mutex_lock(&b->lock);
    for (size_t i = 0; i < r->count; i++) {
        if (r->places[i].lost || r->places[i].id < 0) {
            skip_locked(b, r, &r->places[i]);
        }
    }
    pthread_mutex_unlock(&b->lock);
}

/* Is all that comes after this place still in the ring? */
static bool held_locked(const struct bus *b, const struct topic *t, const struct bus_place *p) {
    int64_t floor_order = t == NULL ? b->dropped : t->floor_order;
    return floor_order <= p->synced || (p->id >= 0 && t != NULL && t->floor_id <= p->id);
}

/* Index of the topic's first unread event (its count when there is none): ids and orders grow. */
static size_t first_unread_locked(const struct topic *t, const struct bus_place *p) {
    size_t low = 0, high = t->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct bus_event *e = bus_ring_at(t, middle);
        bool unread = p->id >= 0 && !e->counted ? e->id > p->id : e->order > p->synced;
        if (unread) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return low;
}

struct merge { /* of one bus_read */
    struct topic *topic[BUS_TOPICS_MAX];
    size_t at[BUS_TOPICS_MAX];
};

/* Find each topic and its first unread event; true if one is lost. */
static bool merge_start_locked(const struct bus *b, struct bus_reader *r, struct merge *m) {
    bool lost = false;
    for (size_t i = 0; i < r->count; i++) {
        struct bus_place *p = &r->places[i];
        m->topic[i] = bus_topic_find_locked(b, p->topic);
        p->lost = !held_locked(b, m->topic[i], p);
        lost = lost || p->lost;
    }
    for (size_t i = 0; i < r->count && !lost; i++) {
        struct bus_place *p = &r->places[i];
        const struct topic *t = m->topic[i];
        m->at[i] = t == NULL ? 0 : first_unread_locked(t, p);
        if (t == NULL || m->at[i] == t->count) {
            p->synced = b->order; /* nothing unread */
        } else if (t->floor_order > p->synced) {
            p->synced = t->floor_order; /* the id proved that all of it is held */
        }
    }
    return lost;
}

/* The topic whose next unread event comes first, or -1. */
static int merge_next_locked(const struct bus_reader *r, const struct merge *m) {
    int from = -1;
    int64_t order = INT64_MAX;
    for (size_t i = 0; i < r->count; i++) {
        const struct topic *t = m->topic[i];
        if (t != NULL && m->at[i] < t->count && bus_ring_at(t, m->at[i])->order < order) {
            order = bus_ring_at(t, m->at[i])->order;
            from = (int)i;
        }
    }
    return from;
}

size_t bus_read(struct bus *b, struct bus_reader *r, struct bus_event **events,
                struct bus_place **places, size_t max, bool *lost) {
    struct merge m;
    size_t got = 0;
    int from = 0;
    pthread_mutex_lock(&b->lock);
    *lost = merge_start_locked(b, r, &m);
    while (got < max && !*lost && (from = merge_next_locked(r, &m)) >= 0) {
        places[got] = &r->places[from];
        events[got++] = bus_event_ref(bus_ring_at(m.topic[from], m.at[from]++));
    }
    pthread_mutex_unlock(&b->lock);
    return got;
}

void bus_read_done(struct bus_reader *r, struct bus_place *place, const struct bus_event *e) {
    if (!e->counted) {
        place->id = e->id;
    }
    if (e->order > place->synced) {
        place->synced = e->order;
    }
    if (e->order > r->order) {
        r->order = e->order;
    }
}

void bus_cursor_format(const struct bus *b, const struct bus_reader *r, struct buf *out) {
    buf_addf(out, "%s.%" PRIx64, b->boot, (uint64_t)r->order);
    for (size_t i = 0; i < r->count; i++) {
        const struct bus_place *p = &r->places[i];
        if (p->id >= 0) {
            buf_addf(out, ".%08" PRIx32 "-%" PRIx64, bus_hash(p->topic), (uint64_t)p->id);
        }
    }
}

bool bus_cursor_now(struct bus *b, const char *const *topics, const int64_t *ids, size_t n,
                    struct buf *out, struct err *err) {
    struct bus_reader r;
    if (!bus_reader_init(b, &r, topics, n, err)) {
        return false;
    }
    for (size_t i = 0; i < n && ids != NULL; i++) {
        r.places[i].id = ids[i] >= 0 ? ids[i] : r.places[i].id;
    }
    bus_cursor_format(b, &r, out);
    bus_reader_clear(&r);
    return true;
}

/* A hexadecimal number that ends at `stop` or at the end of the text. */
static bool hex_until(const char **at, char stop, uint64_t *out) {
    char *end;
    errno = 0;
    *out = strtoull(*at, &end, 16);
    if (end == *at || errno != 0 || *out > INT64_MAX || (*end != stop && *end != '\0')) {
        return false;
    }
    *at = *end == '\0' ? end : end + 1;
    return true;
}

/* ".<hash>-<id>" of each topic, until the end; what is no cursor ends it. */
static void parse_ids(const char *at, struct bus_reader *r) {
    uint64_t hash, id;
    while (*at != '\0' && hex_until(&at, '-', &hash) && hex_until(&at, '.', &id)) {
        for (size_t i = 0; i < r->count; i++) {
            if (bus_hash(r->places[i].topic) == hash) {
                r->places[i].id = (int64_t)id;
                r->places[i].synced = -1; /* the id counts */
            }
        }
    }
}

bool bus_cursor_parse(const struct bus *b, const char *text, struct bus_reader *r) {
    size_t boot_len = strlen(b->boot);
    bool same = strncmp(text, b->boot, boot_len) == 0 && text[boot_len] == '.';
    const char *at = strchr(text, '.');
    uint64_t order = 0;
    bool good = at != NULL && (at++, hex_until(&at, '.', &order));
    same = same && good && (int64_t)order <= r->order;
    for (size_t i = 0; i < r->count; i++) {
        r->places[i].id = -1;
        r->places[i].synced = same ? (int64_t)order : -1;
    }
    if (good) {
        parse_ids(at, r);
    }
    if (same) {
        r->order = (int64_t)order;
    }
    return same;
}

/* A thread in bus_wait.  All under the bus's lock. */
struct waiter {
    pthread_cond_t ready;
    const char *const *names;
    size_t count;
    struct bus_event *found;
    struct waiter *next; /* in bus.waiters, so that bus_stop finds it */
};

static void waiter_offer(void *ctx, const struct bus_event *event) {
    struct waiter *w = ctx;
    for (size_t i = 0; i < w->count && w->found == NULL; i++) {
        if (strcmp(w->names[i], event->name) == 0) {
            w->found = bus_event_ref((struct bus_event *)event);
            pthread_cond_signal(&w->ready);
        }
    }
}

static void wait_locked(struct bus *b, struct waiter *w, int64_t deadline_ms) {
    struct timespec until = {.tv_sec = deadline_ms / 1000, .tv_nsec = deadline_ms % 1000 * 1000000};
    w->next = b->waiters;
    b->waiters = w;
    int result = 0;
    while (w->found == NULL && !b->stopped && result != ETIMEDOUT) {
        result = pthread_cond_timedwait(&w->ready, &b->lock, &until);
    }
    struct waiter **at = &b->waiters;
    while (*at != w) {
        at = &(*at)->next;
    }
    *at = w->next;
}

struct bus_event *bus_wait(struct bus *b, const char *topic, const char *const *names, size_t n,
                           const char *after, int64_t deadline_ms, struct err *err) {
    struct bus_reader r;
    if (!bus_reader_init(b, &r, &topic, 1, err)) {
        return NULL;
    }
    if (after != NULL && !bus_cursor_parse(b, after, &r)) {
        bus_reader_clear(&r);
        bus_reader_init(b, &r, &topic, 1,
                        NULL); /* of another start: only what comes now is meant */
    }
    struct waiter w = {.names = names, .count = n};
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&w.ready, &attr);
    pthread_condattr_destroy(&attr);

    pthread_mutex_lock(&b->lock);
    struct bus_sub *sub = bus_subscribe_locked(b, &topic, 1, waiter_offer, &w);
    const struct topic *t = sub->links[0].topic;
    for (size_t i = first_unread_locked(t, &r.places[0]); i < t->count; i++) {
        waiter_offer(&w, bus_ring_at(t, i));
    }
    wait_locked(b, &w, deadline_ms);
    bool stopped = b->stopped;
    bus_unsubscribe_locked(sub);
    pthread_mutex_unlock(&b->lock);
    free(sub);
    bus_reader_clear(&r);
    pthread_cond_destroy(&w.ready);
    if (w.found == NULL && stopped) {
        err_set(err, ERR_UNAVAILABLE, "the host is stopping");
    } else if (w.found == NULL) {
        err_set(err, ERR_TIMEOUT, "no such event came in '%s' in time", topic);
    }
    return w.found;
}

void bus_stop(struct bus *b) {
    pthread_mutex_lock(&b->lock);
    b->stopped = true;
    for (struct waiter *w = b->waiters; w != NULL; w = w->next) {
        pthread_cond_signal(&w->ready);
    }
    pthread_mutex_unlock(&b->lock);
}
