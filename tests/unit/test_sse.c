/* test_sse.c - event streams over socket pairs: what a client is sent, and what happens when it is
 * slow, late or gone.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "check.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sse.h"
#include "wait.h"

#define DEADLINE_MS 20000

static struct err err;

/* The client's side of a stream. */
struct peer {
    int fd;
    struct buf got;
};

static bool adopt(struct sse *s, struct peer *p, const struct sse_spec *spec) {
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
        return false;
    }
    *p = (struct peer){.fd = ends[0]};
    if (!sse_adopt(s, ends[1], spec, &err)) {
        close(ends[1]);
        return false;
    }
    return true;
}

static void leave(struct peer *p) {
    close(p->fd);
    buf_clear(&p->got);
}

/* Read until the text holds `wanted`; NULL: until the end.  false: the deadline passed. */
static bool read_until(struct peer *p, const char *wanted) {
    int64_t deadline = clock_ms() + DEADLINE_MS;
    char part[65536];
    while (wanted == NULL || p->got.len == 0 || strstr(p->got.data, wanted) == NULL) {
        struct pollfd poller = {.fd = p->fd, .events = POLLIN};
        if (clock_ms() > deadline || poll(&poller, 1, DEADLINE_MS) <= 0) {
            return false;
        }
        ssize_t n = recv(p->fd, part, sizeof part, 0);
        if (n <= 0) {
            return wanted == NULL;
        }
        buf_add(&p->got, part, (size_t)n);
    }
    return true;
}

static bool before(const struct peer *p, const char *one, const char *two) {
    const char *a = strstr(p->got.data, one), *b = strstr(p->got.data, two);
    return a != NULL && b != NULL && a < b;
}

static int occurrences(const struct peer *p, const char *text) {
    int n = 0;
    for (const char *at = p->got.data; (at = strstr(at, text)) != NULL; at++) {
        n++;
    }
    return n;
}

/* The last id the client saw. */
static char *last_id(const struct peer *p) {
    const char *last = NULL;
    for (const char *at = p->got.data; (at = strstr(at, "id: ")) != NULL; at++) {
        last = at + 4;
    }
    return last == NULL ? NULL : mem_dupn(last, strcspn(last, "\n"));
}

static void publish(struct bus *b, const char *topic, int64_t id, const char *json) {
    bus_publish(b, topic, "log", json, strlen(json), id);
}

static bool wait_for_clients(struct sse *s, int64_t n) {
    int64_t deadline = clock_ms() + DEADLINE_MS;
    while (sse_counts(s).clients != n && clock_ms() < deadline) {
        poll(NULL, 0, 1);
    }
    return sse_counts(s).clients == n;
}

/* A replay that answers with `text`; it publishes `meanwhile` on "logs" before it does. */
struct replayer {
    struct bus *bus;
    const char *text, *next;
    const char *meanwhile;
    int64_t meanwhile_id;
    char asked[512];
    int calls;
};

static bool replay(void *ctx, const char *name, const char *json, size_t len, struct buf *result,
                   struct err *e) {
    struct replayer *r = ctx;
    snprintf(r->asked, sizeof r->asked, "%s %.*s", name, (int)len, json);
    if (r->meanwhile != NULL && r->calls == 0) {
        publish(r->bus, "logs", r->meanwhile_id, r->meanwhile);
    }
    const char *text = r->calls++ > 0 ? r->next : r->text;
    if (text == NULL) {
        return err_set(e, ERR_INTERNAL, "no text");
    }
    buf_adds(result, text);
    return true;
}

#define SPEC(...)                                                                                  \
    &(struct sse_spec) {                                                                           \
        __VA_ARGS__                                                                                \
    }
static const char *const logs_topic[] = {"logs"};
static const char *const two_topics[] = {"user", "logs"};

void test_sse_sends_events_as_they_come(void) {
    struct bus *b = bus_new(NULL);
    struct sse *s = sse_new(b, &(struct sse_hooks){0}, 10, &err);
    struct peer p;
    CHECK(adopt(s, &p, SPEC(.topics = logs_topic, .count = 1)));
    CHECK(read_until(&p, "\n\n"));
    CHECK(strncmp(p.got.data, "retry: 1000\nid: ", 16) == 0);
    publish(b, "logs", 0, "{\"n\":1}");
    publish(b, "other", 0, "{\"n\":2}");
    publish(b, "logs", 0, "{\"n\":\n3}");
    CHECK(read_until(&p, "3}\n\n"));
    CHECK(strstr(p.got.data, "\nevent: log\ndata: {\"n\":1}\n\nid: ") != NULL);
    CHECK(strstr(p.got.data, "data: {\"n\":\ndata: 3}\n\n") != NULL);
    CHECK(strstr(p.got.data, "\"n\":2") == NULL);
    leave(&p);
    sse_free(s);
    bus_free(b);
}

void test_sse_resumes_without_gap_or_repetition(void) {
    struct bus *b = bus_new(NULL);
    struct sse *s = sse_new(b, &(struct sse_hooks){0}, 10, &err);
    struct peer p, q;
    CHECK(adopt(s, &p, SPEC(.topics = two_topics, .count = 2)));
    CHECK(read_until(&p, "\n\n"));
    publish(b, "user", 0, "\"one\"");
    publish(b, "logs", 7, "\"two\"");
    CHECK(read_until(&p, "two"));
    CHECK(read_until(&p, "\"two\"\n\n"));
    char *id = last_id(&p);
    leave(&p);
    publish(b, "logs", 8, "\"three\"");
    publish(b, "user", 0, "\"four\"");
    CHECK(adopt(s, &q, SPEC(.topics = two_topics, .count = 2, .after = id)));
    CHECK(read_until(&q, "four"));
    CHECK(before(&q, "three", "four"));
    CHECK(strstr(q.got.data, "one") == NULL && strstr(q.got.data, "two") == NULL);
    CHECK(strstr(q.got.data, "event: reset") == NULL);
    free(id);
    leave(&q);
    sse_free(s);
    bus_free(b);
}

void test_sse_first_id_covers_a_reconnect_before_any_event(void) {
    struct bus *b = bus_new(NULL);
    struct sse *s = sse_new(b, &(struct sse_hooks){0}, 10, &err);
    struct peer p, q;
    CHECK(adopt(s, &p, SPEC(.topics = logs_topic, .count = 1)));
    CHECK(read_until(&p, "\n\n"));
    char *id = last_id(&p);
    leave(&p);
    publish(b, "logs", 0, "\"missed\"");
    CHECK(adopt(s, &q, SPEC(.topics = logs_topic, .count = 1, .after = id)));
    CHECK(read_until(&q, "missed"));
    free(id);
    leave(&q);
    sse_free(s);
    bus_free(b);
}

void test_sse_resets_when_the_events_are_gone(void) {
    struct bus *b = bus_new(&(struct bus_limits){.topic_events = 2});
    struct sse *s = sse_new(b, &(struct sse_hooks){0}, 10, &err);
    struct peer p, q;
    CHECK(adopt(s, &p, SPEC(.topics = logs_topic, .count = 1)));
    CHECK(read_until(&p, "\n\n"));
    char *id = last_id(&p);
    leave(&p);
    CHECK(wait_for_clients(s, 0));
    for (int i = 0; i < 3; i++) {
        publish(b, "logs", 0, "\"old\"");
    }
    CHECK(adopt(s, &q, SPEC(.topics = logs_topic, .count = 1, .after = id)));
    CHECK(read_until(&q, "event: reset\ndata: {}\n\n"));
    publish(b, "logs", 0, "\"new\"");
    CHECK(read_until(&q, "new"));
    CHECK(strstr(q.got.data, "old") == NULL);
    CHECK(sse_counts(s).resets == 1);
    free(id);
    leave(&q);
    sse_free(s);
    bus_free(b);
}

void test_sse_replays_numbered_topics_over_a_restart(void) {
    struct bus *first = bus_new(NULL), *b = bus_new(NULL);
    const char *topics[] = {"logs"};
    struct buf id = BUF_INIT;
    bus_cursor_now(first, topics, (int64_t[]){41}, 1, &id, &err);
    struct replayer r = {.bus = b,
                         .text = "{\"events\":[{\"event\":\"log\",\"id\":42,\"data\":{\"at\":{"
                                 "\"$date\":0}}}],\"more\":true}",
                         .next =
                             "{\"more\":false,\"events\":[{\"id\":42,\"event\":\"log\",\"data\":0},"
                             "{\"id\":43,\"event\":\"log\",\"data\":\"b\"}]}",
                         .meanwhile = "\"live\"",
                         .meanwhile_id = 44};
    struct sse *s = sse_new(b, &(struct sse_hooks){.ctx = &r, .replay = replay}, 10, &err);
    struct peer p;
    CHECK(adopt(s, &p, SPEC(.topics = topics, .count = 1, .after = id.data, .replay = "f#g")));
    CHECK(read_until(&p, "live"));
    CHECK(before(&p, "data: {\"at\":\"1970-01-01T00:00:00.000Z\"}\n\n", "data: \"b\"\n\n"));
    CHECK(before(&p, "\"b\"", "\"live\""));
    CHECK(occurrences(&p, "event: log") == 3);
    CHECK(strstr(p.got.data, "reset") == NULL);
    CHECK(strcmp(r.asked, "f#g {\"topic\":\"logs\",\"after\":42,\"boot_changed\":true}") == 0);
    leave(&p);
    sse_free(s);
    buf_clear(&id);
    bus_free(first);
    bus_free(b);
}

void test_sse_resets_what_the_bus_counts_and_replays_the_rest(void) {
    struct bus *first = bus_new(NULL), *b = bus_new(NULL);
    struct buf id = BUF_INIT;
    bus_cursor_now(first, two_topics, (int64_t[]){-1, 41}, 2, &id, &err);
    struct replayer r = {
        .bus = b, .text = "{\"events\":[{\"event\":\"log\",\"id\":42,\"data\":\"replayed\"}]}"};
    struct sse *s = sse_new(b, &(struct sse_hooks){.ctx = &r, .replay = replay}, 10, &err);
    struct peer p;
    CHECK(adopt(s, &p, SPEC(.topics = two_topics, .count = 2, .after = id.data, .replay = "f#g")));
    CHECK(read_until(&p, "replayed"));
    CHECK(before(&p, "event: reset", "replayed"));
    publish(b, "user", 0, "\"live\"");
    CHECK(read_until(&p, "live"));
    CHECK(occurrences(&p, "event: reset") == 1);
    leave(&p);
    sse_free(s);
    buf_clear(&id);
    bus_free(first);
    bus_free(b);
}

/* With what does the stream begin when the replay answers so? */
static bool begins_with_reset(const char *answer) {
    struct bus *first = bus_new(NULL), *b = bus_new(NULL);
    struct buf id = BUF_INIT;
    bus_cursor_now(first, logs_topic, (int64_t[]){41}, 1, &id, &err);
    struct replayer r = {.bus = b, .text = answer};
    struct sse *s = sse_new(b, &(struct sse_hooks){.ctx = &r, .replay = replay}, 10, &err);
    struct peer p;
    bool good =
        adopt(s, &p, SPEC(.topics = logs_topic, .count = 1, .after = id.data, .replay = "f#g")) &&
        read_until(&p, "event: reset\ndata: {}\n\n");
    publish(b, "logs", 50, "\"live\"");
    good = good && read_until(&p, "live") && before(&p, "event: reset", "live");
    leave(&p);
    sse_free(s);
    buf_clear(&id);
    bus_free(first);
    bus_free(b);
    return good;
}

void test_sse_resets_when_a_replay_cannot(void) {
    CHECK(begins_with_reset("null"));
    CHECK(begins_with_reset(NULL));
    CHECK(begins_with_reset("{\"events\":[3]}"));
    CHECK(begins_with_reset("{\"events\":[{\"id\":1}]}"));
    CHECK(begins_with_reset("{\"events\":"));
}

void test_sse_ends_after_the_named_event(void) {
    struct bus *b = bus_new(NULL);
    struct sse *s = sse_new(b, &(struct sse_hooks){0}, 10, &err);
    struct peer p;
    CHECK(adopt(s, &p, SPEC(.topics = logs_topic, .count = 1, .until_event = "run_finished")));
    publish(b, "logs", 0, "\"a\"");
    bus_publish(b, "logs", "run_finished", "\"end\"", 5, 0);
    publish(b, "logs", 0, "\"after\"");
    CHECK(read_until(&p, NULL));
    CHECK(before(&p, "\"a\"", "\"end\"") && strstr(p.got.data, "after") == NULL);
    leave(&p);
    CHECK(wait_for_clients(s, 0));
    sse_free(s);
    bus_free(b);
}

void test_sse_slow_client_keeps_nobody_waiting(void) {
    struct bus *b = bus_new(NULL);
    struct sse *s = sse_new(b, &(struct sse_hooks){0}, 10, &err);
    struct peer slow, quick;
    char *big = mem_alloc(100001);
    memset(big, 'x', 100000);
    CHECK(adopt(s, &slow, SPEC(.topics = logs_topic, .count = 1)));
    CHECK(adopt(s, &quick, SPEC(.topics = logs_topic, .count = 1)));
    CHECK(read_until(&slow, "\n\n") && read_until(&quick, "\n\n"));
    for (int i = 0; i < 40; i++) { /* four times the ring, far beyond the socket's buffer */
        char end[32];
        snprintf(end, sizeof end, "xend%d.", i);
        bus_publish(b, "logs", "log", big, 100000, 0);
        publish(b, "logs", 0, end);
        CHECK(read_until(&quick, end));
    }
    CHECK(strstr(quick.got.data, "reset") == NULL);
    CHECK(read_until(&slow, "event: reset")); /* it missed events, and is told */
    publish(b, "logs", 0, "\"both\"");
    CHECK(read_until(&slow, "both") && read_until(&quick, "both"));
    free(big);
    leave(&slow);
    leave(&quick);
    sse_free(s);
    bus_free(b);
}

void test_sse_lets_go_of_clients_that_leave(void) {
    struct bus *b = bus_new(NULL);
    struct sse *s = sse_new(b, &(struct sse_hooks){0}, 2, &err);
    struct peer p, q, r;
    CHECK(adopt(s, &p, SPEC(.topics = logs_topic, .count = 1)));
    CHECK(adopt(s, &q, SPEC(.topics = logs_topic, .count = 1)));
    CHECK(!adopt(s, &r, SPEC(.topics = logs_topic, .count = 1)));
    CHECK(err.code == ERR_BUSY);
    close(r.fd);
    leave(&p);
    CHECK(wait_for_clients(s, 1));
    CHECK(adopt(s, &p, SPEC(.topics = logs_topic, .count = 1)));
    leave(&p);
    leave(&q);
    CHECK(wait_for_clients(s, 0));
    CHECK(bus_counts(b).subscriptions == 0);
    sse_free(s);
    bus_free(b);
}

void test_sse_stop_ends_the_streams(void) {
    struct bus *b = bus_new(NULL);
    struct sse *s = sse_new(b, &(struct sse_hooks){0}, 10, &err);
    struct peer p;
    CHECK(adopt(s, &p, SPEC(.topics = logs_topic, .count = 1)));
    CHECK(read_until(&p, "\n\n"));
    sse_stop(s);
    CHECK(read_until(&p, NULL));
    CHECK(!adopt(s, &(struct peer){0}, SPEC(.topics = logs_topic, .count = 1)));
    leave(&p);
    sse_free(s);
    bus_free(b);
}

static void *publish_logs(void *ctx) {
    for (int64_t id = 1; id <= 300; id++) {
        char json[32];
        snprintf(json, sizeof json, "\"n%lld.\"", (long long)id);
        publish(ctx, "logs", id, json);
    }
    return NULL;
}

void test_sse_many_clients_come_and_go_while_events_flow(void) {
    struct bus *b = bus_new(NULL);
    struct replayer r = {.bus = b, .text = "null"};
    struct sse *s = sse_new(b, &(struct sse_hooks){.ctx = &r, .replay = replay}, 100, &err);
    struct peer stays[8];
    for (int i = 0; i < 8; i++) {
        CHECK(adopt(s, &stays[i], SPEC(.topics = two_topics, .count = 2)));
        CHECK(read_until(&stays[i], "\n\n"));
    }
    pthread_t thread;
    pthread_create(&thread, NULL, publish_logs, b);
    for (int i = 0; i < 50; i++) {
        struct peer p;
        CHECK(adopt(s, &p, SPEC(.topics = two_topics, .count = 2)));
        CHECK(read_until(&p, "\n\n"));
        leave(&p);
    }
    pthread_join(thread, NULL);
    for (int i = 0; i < 8; i++) {
        CHECK(read_until(&stays[i], "n300."));
        CHECK(occurrences(&stays[i], "event: log") == 300);
        leave(&stays[i]);
    }
    CHECK(wait_for_clients(s, 0));
    sse_free(s);
    bus_free(b);
}

void test_sse_forgets_a_client_whose_socket_somebody_else_holds(void) {
    struct bus *b = bus_new(NULL);
    struct sse *s = sse_new(b, &(struct sse_hooks){0}, 10, &err);
    struct peer p, after;
    int ends[2];
    CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
    int held = dup(ends[1]); /* as the door does until its connection's thread is done */
    p = (struct peer){.fd = ends[0]};
    CHECK(sse_adopt(s, ends[1], SPEC(.topics = logs_topic, .count = 1), &err));
    CHECK(read_until(&p, "\n\n"));
    shutdown(p.fd, SHUT_WR);
    CHECK(wait_for_clients(s, 0));
    leave(&p); /* an event of the held socket: nobody is there for it any more */
    CHECK(adopt(s, &after, SPEC(.topics = logs_topic, .count = 1)));
    CHECK(read_until(&after, "\n\n"));
    publish(b, "logs", 0, "{\"n\":1}");
    CHECK(read_until(&after, "{\"n\":1}"));
    leave(&after);
    close(held);
    sse_stop(s);
    sse_free(s);
    bus_free(b);
}
