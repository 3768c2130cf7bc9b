/* test_bus.c - topics, rings, cursors, waiting, and many threads at once.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "check.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "bus.h"
#include "wait.h"

static int64_t publish(struct bus *b, const char *topic, int64_t id) {
    return bus_publish(b, topic, "e", "{}", 2, id);
}

/* Read all that is unread; the ids as text, "lost" when a topic is lost. */
static const char *read_all(struct bus *b, struct bus_reader *r) {
    static char text[4096];
    struct bus_event *events[64];
    struct bus_place *places[64];
    bool lost;
    size_t n, used = 0;
    text[0] = '\0';
    while ((n = bus_read(b, r, events, places, 64, &lost)) > 0) {
        for (size_t i = 0; i < n; i++) {
            used += (size_t)snprintf(text + used, sizeof text - used, "%s%lld", used > 0 ? " " : "",
                                     (long long)events[i]->id);
            bus_read_done(r, places[i], events[i]);
            bus_event_unref(events[i]);
        }
    }
    return lost ? "lost" : text;
}

static bool reader(struct bus *b, struct bus_reader *r, const char *one, const char *two) {
    const char *topics[] = {one, two};
    return bus_reader_init(b, r, topics, two == NULL ? 1 : 2, NULL);
}

/* A new reader of the same topics at the place of an old one, which is cleared. */
static bool resume(struct bus *b, const struct bus *of, struct bus_reader *old,
                   struct bus_reader *r) {
    struct buf cursor = BUF_INIT;
    bus_cursor_format(of, old, &cursor);
    reader(b, r, old->places[0].topic, old->count > 1 ? old->places[1].topic : NULL);
    bus_reader_clear(old);
    bool same = bus_cursor_parse(b, cursor.data, r);
    buf_clear(&cursor);
    return same;
}

static void ignore(void *ctx, const struct bus_event *event) {
    (void)ctx, (void)event;
}

void test_bus_reads_what_came_after_in_order_over_topics(void) {
    struct bus *b = bus_new(NULL);
    struct bus_reader r;
    publish(b, "a", 0);
    reader(b, &r, "a", "logs");
    publish(b, "a", 0);
    publish(b, "logs", 700);
    publish(b, "other", 0);
    publish(b, "a", 0);
    CHECK(strcmp(read_all(b, &r), "2 700 5") == 0);
    CHECK(strcmp(read_all(b, &r), "") == 0);
    bus_reader_clear(&r);
    bus_free(b);
}

void test_bus_resumes_at_a_cursor_without_gap_or_repetition(void) {
    struct bus *b = bus_new(NULL);
    struct bus_reader old, r;
    reader(b, &old, "a", "logs");
    publish(b, "logs", 5);
    publish(b, "a", 0);
    CHECK(strcmp(read_all(b, &old), "5 2") == 0);
    publish(b, "a", 0);
    publish(b, "logs", 6);
    CHECK(resume(b, b, &old, &r));
    CHECK(strcmp(read_all(b, &r), "3 6") == 0);
    bus_reader_clear(&r);
    bus_free(b);
}

void test_bus_refuses_an_id_that_does_not_grow(void) {
    struct bus *b = bus_new(NULL);
    CHECK(publish(b, "logs", 7) == 7);
    CHECK(publish(b, "logs", 7) == 0);
    CHECK(publish(b, "logs", 6) == 0);
    CHECK(publish(b, "logs", 9) == 9);
    CHECK(publish(b, "logs", -1) == 0);
    CHECK(publish(b, "", 0) == 0);
    CHECK(publish(b, "two\nlines", 0) == 0);
    bus_free(b);
}

void test_bus_says_lost_when_the_ring_is_past_a_reader(void) {
    struct bus *b = bus_new(&(struct bus_limits){.topic_events = 4});
    struct bus_reader r;
    reader(b, &r, "a", NULL);
    for (int i = 0; i < 4; i++) {
        publish(b, "a", 0);
    }
    CHECK(strcmp(read_all(b, &r), "1 2 3 4") == 0);
    for (int i = 0; i < 5; i++) {
        publish(b, "a", 0);
    }
    CHECK(strcmp(read_all(b, &r), "lost") == 0);
    CHECK(r.places[0].lost);
    bus_reader_skip(b, &r);
    publish(b, "a", 0);
    CHECK(strcmp(read_all(b, &r), "10") == 0);
    bus_reader_clear(&r);
    bus_free(b);
}

void test_bus_bounds_a_ring_in_bytes(void) {
    struct bus *b = bus_new(&(struct bus_limits){.topic_bytes = 100});
    char json[60] = "";
    for (int i = 0; i < 3; i++) {
        bus_publish(b, "a", "e", json, sizeof json, 0);
    }
    CHECK(bus_counts(b).events == 1);
    CHECK(bus_counts(b).bytes == sizeof json);
    bus_free(b);
}

void test_bus_gives_no_silent_gap_after_a_topic_was_dropped(void) {
    struct bus *b = bus_new(&(struct bus_limits){.topics = 2});
    struct bus_reader old, r;
    publish(b, "a", 0);
    reader(b, &old, "a", NULL);
    publish(b, "a", 0); /* unread */
    publish(b, "b", 0);
    publish(b, "c", 0); /* drops a */
    CHECK(bus_counts(b).topics == 2);
    publish(b, "a", 0);
    CHECK(resume(b, b, &old, &r));
    CHECK(strcmp(read_all(b, &r), "lost") == 0);
    bus_reader_clear(&r);
    bus_free(b);
}

void test_bus_keeps_a_topic_that_has_subscribers(void) {
    struct bus *b = bus_new(&(struct bus_limits){.topics = 1});
    const char *topic = "a";
    struct bus_sub *sub = bus_subscribe(b, &topic, 1, ignore, NULL);
    publish(b, "b", 0);
    publish(b, "c", 0);
    CHECK(bus_counts(b).topics == 2); /* a, and the last one in use */
    CHECK(bus_counts(b).subscriptions == 1);
    bus_unsubscribe(sub);
    CHECK(bus_counts(b).topics == 1);
    bus_free(b);
}

void test_bus_bounds_all_rings_together(void) {
    struct bus *b = bus_new(&(struct bus_limits){.total_bytes = 1000});
    const char *const topics[] = {"t1", "t2", "t3", "t4", "t5", "t6"};
    struct bus_sub *sub = bus_subscribe(b, topics, 6, ignore, NULL);
    struct bus_reader r;
    reader(b, &r, "t1", NULL);
    char json[300] = "";
    for (int i = 0; i < 40; i++) {
        char topic[16];
        snprintf(topic, sizeof topic, "t%d", i % 8);
        bus_publish(b, topic, "e", json, sizeof json, 0);
        CHECK(bus_counts(b).bytes <= 1000);
    }
    CHECK(strcmp(read_all(b, &r), "lost") == 0); /* emptied, and its readers are told */
    bus_reader_clear(&r);
    bus_unsubscribe(sub);
    bus_free(b);
}

void test_bus_cursor_of_another_boot_keeps_only_ids(void) {
    struct bus *first = bus_new(NULL), *second = bus_new(NULL);
    struct bus_reader old, r;
    reader(first, &old, "a", "logs");
    publish(first, "a", 0);
    publish(first, "logs", 41);
    read_all(first, &old);
    for (int64_t id = 42; id < 45; id++) {
        publish(second, "logs", id);
    }
    publish(second, "a", 0);
    CHECK(!resume(second, first, &old, &r));
    CHECK(strcmp(read_all(second, &r), "lost") == 0);
    CHECK(r.places[0].lost && !r.places[1].lost); /* nothing between 41 and 42 */
    bus_reader_skip(second, &r);
    CHECK(strcmp(read_all(second, &r), "42 43 44") == 0);
    bus_reader_clear(&r);
    bus_free(first);
    bus_free(second);
}

void test_bus_cursor_with_ids_behind_now_reads_from_those_ids(void) {
    struct bus *b = bus_new(NULL);
    struct bus_reader r;
    for (int64_t id = 1; id <= 8; id++) {
        publish(b, "session", id);
    }
    reader(b, &r, "session", "a");
    r.places[0].id = 5; /* what the store has */
    struct bus_reader again;
    CHECK(resume(b, b, &r, &again));
    publish(b, "a", 0);
    publish(b, "session", 9);
    CHECK(strcmp(read_all(b, &again), "6 7 8 9 9") == 0);
    bus_reader_clear(&again);
    bus_free(b);
}

void test_bus_takes_rubbish_for_a_cursor_as_lost(void) {
    struct bus *b = bus_new(NULL);
    const char *const rubbish[] = {"", ".", "x", "12.zz", "..--", "a.1.-", "a.1.1-", "a.1.1-1.1-"};
    for (size_t i = 0; i < sizeof rubbish / sizeof rubbish[0]; i++) {
        struct bus_reader r;
        reader(b, &r, "a", NULL);
        CHECK(!bus_cursor_parse(b, rubbish[i], &r));
        CHECK(strcmp(read_all(b, &r), "lost") == 0);
        bus_reader_clear(&r);
    }
    char future[64];
    snprintf(future, sizeof future, "%s.ffff", bus_boot(b));
    struct bus_reader r;
    reader(b, &r, "a", NULL);
    CHECK(!bus_cursor_parse(b, future, &r));
    bus_reader_clear(&r);
    bus_free(b);
}

void test_bus_wait_finds_what_came_after_the_cursor(void) {
    struct bus *b = bus_new(NULL);
    struct bus_reader r;
    struct buf cursor = BUF_INIT;
    struct err err;
    const char *const names[] = {"done", "asked"};
    bus_publish(b, "s", "done", "1", 1, 1);
    reader(b, &r, "s", NULL);
    bus_cursor_format(b, &r, &cursor);
    bus_publish(b, "s", "delta", "2", 1, 2);
    bus_publish(b, "s", "asked", "3", 1, 3);
    struct bus_event *e = bus_wait(b, "s", names, 2, cursor.data, clock_ms() + 10000, &err);
    CHECK(e != NULL && strcmp(e->json, "3") == 0);
    bus_event_unref(e);
    CHECK(bus_wait(b, "s", names, 2, NULL, clock_ms() + 1, &err) == NULL);
    CHECK(err.code == ERR_TIMEOUT);
    CHECK(bus_counts(b).subscriptions == 0);
    bus_reader_clear(&r);
    buf_clear(&cursor);
    bus_free(b);
}

static void *wait_for_done(void *ctx) {
    const char *name = "done";
    struct err err = {.code = ERR_NONE};
    struct bus_event *e = bus_wait(ctx, "s", &name, 1, NULL, clock_ms() + 20000, &err);
    bus_event_unref(e);
    return e != NULL ? "event" : err.code == ERR_UNAVAILABLE ? "stopped" : "other";
}

static void wait_for_subscription(struct bus *b) {
    while (bus_counts(b).subscriptions == 0) {
        struct timespec ms = {.tv_nsec = 1000000};
        nanosleep(&ms, NULL);
    }
}

void test_bus_wait_wakes_on_the_event_and_on_stop(void) {
    struct bus *b = bus_new(NULL);
    pthread_t thread;
    void *result;
    pthread_create(&thread, NULL, wait_for_done, b);
    wait_for_subscription(b);
    bus_publish(b, "s", "done", "{}", 2, 0);
    pthread_join(thread, &result);
    CHECK(strcmp(result, "event") == 0);
    pthread_create(&thread, NULL, wait_for_done, b);
    wait_for_subscription(b);
    bus_stop(b);
    pthread_join(thread, &result);
    CHECK(strcmp(result, "stopped") == 0);
    bus_free(b);
}

struct crowd {
    struct bus *bus;
    atomic_long heard;
};

static void hear(void *ctx, const struct bus_event *event) {
    (void)event;
    atomic_fetch_add(&((struct crowd *)ctx)->heard, 1);
}

static void *publish_many(void *ctx) {
    struct crowd *c = ctx;
    for (int i = 0; i < 500; i++) {
        char topic[16];
        snprintf(topic, sizeof topic, "t%d", i % 20);
        bus_publish(c->bus, topic, "e", "{}", 2, 0);
    }
    return NULL;
}

static void *come_and_go(void *ctx) {
    struct crowd *c = ctx;
    const char *const topics[] = {"t1", "t2", "t30"};
    for (int i = 0; i < 100; i++) {
        struct bus_sub *sub = bus_subscribe(c->bus, topics, 3, hear, c);
        struct bus_reader r;
        reader(c->bus, &r, "t1", "t2");
        publish_many(c);
        struct bus_event *events[8];
        struct bus_place *places[8];
        bool lost;
        for (size_t n = bus_read(c->bus, &r, events, places, 8, &lost); n > 0; n--) {
            bus_event_unref(events[n - 1]);
        }
        bus_reader_clear(&r);
        bus_unsubscribe(sub);
    }
    return NULL;
}

void test_bus_serves_many_threads(void) {
    struct crowd c = {.bus = bus_new(&(struct bus_limits){.topics = 8, .topic_events = 16})};
    pthread_t threads[4];
    for (int i = 0; i < 4; i++) {
        pthread_create(&threads[i], NULL, i % 2 == 0 ? publish_many : come_and_go, &c);
    }
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
    }
    CHECK(atomic_load(&c.heard) >= 2 * 100 * 50); /* each hears at least itself */
    CHECK(bus_counts(c.bus).topics <= 8);
    CHECK(bus_counts(c.bus).published == 2 * 500 + 2 * 100 * 500);
    bus_free(c.bus);
}
