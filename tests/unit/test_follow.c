/* test_follow.c - the formats of upstream streams, byte by byte; files and HTTP answers that are
 * followed.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "check.h"

#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "follow.h"
#include "upstream.h"
#include "wait.h"

#define DEADLINE_MS 20000

static struct err err;

/* Formats. */

static void collect_item(void *ctx, const struct follow_item *item) {
    struct buf *out = ctx;
    buf_adds(out, out->len > 0 ? " " : "");
    const char *json = item->json, *at = strstr(json, "{\"at\":{\"$date\":");
    if (at == json) { /* leave out the time */
        json = strchr(json, ',') + 1;
        buf_addc(out, '{');
    }
    buf_addf(out, "%s", json);
}

/* What a text gives as items, fed in pieces of `step` bytes, then the cursor. */
static char *parse(enum follow_format format, const char *cursor, const char *text, size_t len,
                   size_t step) {
    struct buf out = BUF_INIT;
    struct follow_parse *p = follow_parse_new(format, cursor, false, collect_item, &out, &err);
    if (p == NULL) {
        return mem_dup("bad cursor");
    }
    for (size_t at = 0; at < len; at += step) {
        if (!follow_parse_feed(p, text + at, step < len - at ? step : len - at, &err)) {
            buf_adds(&out, " bad");
            break;
        }
    }
    buf_adds(&out, " | ");
    follow_parse_cursor(p, &out);
    follow_parse_free(p);
    return buf_take(&out);
}

static bool gives(enum follow_format format, const char *cursor, const char *text, size_t len,
                  const char *wanted) {
    bool same = true;
    for (size_t step = 1; step <= len && same; step++) {
        char *got = parse(format, cursor, text, len, step);
        same = strcmp(got, wanted) == 0;
        if (!same) {
            printf("# step %zu: got  %s\n# wanted %s\n", step, got, wanted);
        }
        free(got);
    }
    return same;
}

#define GIVES(format, cursor, text, wanted) gives(format, cursor, text, sizeof(text) - 1, wanted)

void test_follow_parses_lines(void) {
    CHECK(GIVES(FOLLOW_LINES, NULL, "one\ntwo\r\n\npart",
                "{\"text\":\"one\"} {\"text\":\"two\"} {\"text\":\"\"} | 10"));
    CHECK(GIVES(FOLLOW_LINES, "100", "a\xff\n", "{\"text\":\"a\xef\xbf\xbd\"} | 103"));
    CHECK(GIVES(FOLLOW_LINES, NULL, "\0\0\0\0a\n", "{\"text\":\"a\"} | 6"));
    CHECK(GIVES(FOLLOW_LINES, "\"x\"", "a\n", "bad cursor"));
    CHECK(GIVES(FOLLOW_LINES, "-1", "a\n", "bad cursor"));
}

void test_follow_cuts_long_lines_between_characters(void) {
    struct buf text = BUF_INIT, out = BUF_INIT;
    buf_addc(&text, 'x');
    while (text.len < 3 * FOLLOW_LINE_MAX) {
        buf_adds(&text, "\xe2\x82\xac"); /* a euro sign, never on the boundary */
    }
    buf_addc(&text, '\n');
    struct follow_parse *p = follow_parse_new(FOLLOW_LINES, NULL, false, collect_item, &out, &err);
    CHECK(follow_parse_feed(p, text.data, text.len, &err));
    int cuts = 0;
    for (const char *at = out.data; (at = strstr(at, "\"cut\":true")) != NULL; at++) {
        cuts++;
    }
    CHECK(cuts == 3);
    CHECK(strstr(out.data, "\xef\xbf\xbd") == NULL);
    follow_parse_free(p);
    buf_clear(&text);
    buf_clear(&out);
}

void test_follow_parses_events(void) {
    CHECK(GIVES(FOLLOW_SSE, NULL,
                ": hello\n\nid: 7\nevent: step\ndata: {\"n\":\ndata: 1}\n\ndata:plain\n\nid: 8\n\n",
                "{\"event\":\"step\",\"id\":\"7\",\"data\":{\"n\":1}}"
                " {\"event\":\"message\",\"id\":\"7\",\"data\":\"plain\"} | \"8\""));
    CHECK(GIVES(FOLLOW_SSE, "\"6\"", "data\r\rdata: 1\r\n\r\ndata: 2\r\n",
                "{\"event\":\"message\",\"id\":\"6\",\"data\":\"\"}"
                " {\"event\":\"message\",\"id\":\"6\",\"data\":1} | \"6\""));
    CHECK(GIVES(FOLLOW_SSE, NULL, "event: e\n\nretry: 5\nunknown: x\n\n", " | "));
}

void test_follow_parses_ndjson(void) {
    CHECK(GIVES(FOLLOW_NDJSON, NULL, "{\"offset\":4,\"seq\":1,\"x\":[1]}\n\n{\"id\":\"z\"}\r\n",
                "{\"offset\":4,\"seq\":1,\"x\":[1]} {\"id\":\"z\"} | \"z\""));
    CHECK(GIVES(FOLLOW_NDJSON, "5", "not json\n{\"a\":1}\n",
                "{\"text\":\"not json\"} {\"a\":1} | 22"));
}

void test_follow_parses_frames(void) {
    CHECK(GIVES(FOLLOW_FRAMES, NULL, "\1\0\0\0\0\0\0\3a\nb\2\0\0\0\0\0\0\2e\n\1\0\0\0\0\0\0\2c\n",
                "{\"text\":\"a\",\"stream\":\"stdout\"} {\"text\":\"e\",\"stream\":\"stderr\"}"
                " {\"text\":\"bc\",\"stream\":\"stdout\"} | {\"stdout\":5,\"stderr\":2}"));
    char *got = parse(FOLLOW_FRAMES, NULL, "no frame at all", 15, 15);
    CHECK(strstr(got, " bad") != NULL);
    free(got);
}

void test_follow_parses_chunks(void) {
    CHECK(GIVES(
        FOLLOW_CHUNKS, NULL,
        "{\"stream\":\"stdout\",\"data\":\"a\\nb\"}\n{\"stream\":\"stderr\",\"data\":\"e\\n\"}\n"
        "{\"data\":\"c\\n\",\"stream\":\"stdout\"}\n{\"stream\":\"error\",\"data\":{\"code\":\"x\"}"
        "}\n",
        "{\"text\":\"a\",\"stream\":\"stdout\"} {\"text\":\"e\",\"stream\":\"stderr\"}"
        " {\"text\":\"bc\",\"stream\":\"stdout\"} {\"stream\":\"error\",\"data\":{\"code\":\"x\"}}"
        " | {\"stdout\":5,\"stderr\":2}"));
}

void test_follow_passes_over_what_is_replayed(void) {
    const char *text = "{\"stream\":\"stdout\",\"data\":\"a\\nb\\nc\\n\"}\n";
    struct buf out = BUF_INIT;
    struct follow_parse *p = follow_parse_new(FOLLOW_CHUNKS, "{\"stdout\":2,\"stderr\":0}", true,
                                              collect_item, &out, &err);
    follow_parse_restart(p, true);
    CHECK(follow_parse_feed(p, text, strlen(text), &err));
    CHECK(strcmp(out.data, "{\"text\":\"b\",\"stream\":\"stdout\"} {\"text\":\"c\",\"stream\":"
                           "\"stdout\"}") == 0);
    buf_reset(&out);
    follow_parse_restart(p, true);
    CHECK(follow_parse_feed(p, text, strlen(text), &err));
    CHECK(out.len == 0);
    follow_parse_free(p);
    buf_clear(&out);
}

void test_follow_drops_an_endless_line(void) {
    struct buf out = BUF_INIT;
    struct follow_parse *p = follow_parse_new(FOLLOW_NDJSON, NULL, false, collect_item, &out, &err);
    char *many = mem_alloc(FOLLOW_EVENT_MAX);
    memset(many, '1', FOLLOW_EVENT_MAX);
    CHECK(follow_parse_feed(p, many, FOLLOW_EVENT_MAX, &err));
    CHECK(follow_parse_feed(p, "1\n{\"a\":1}\n", 10, &err));
    CHECK(strcmp(out.data, "{\"a\":1}") == 0);
    free(many);
    follow_parse_free(p);
    buf_clear(&out);
}

/* The engine.  Deliveries are collected by a sink; it may fail, hold them back, or say stop. */

struct sink {
    pthread_mutex_t lock;
    struct buf got; /* all batches, one a line */
    int calls, fail_first;
    bool hold, stop;
};

static bool deliver(void *ctx, const char *job, const char *json, size_t len, struct buf *result,
                    struct err *e) {
    struct sink *s = ctx;
    pthread_mutex_lock(&s->lock);
    while (s->hold) {
        pthread_mutex_unlock(&s->lock);
        poll(NULL, 0, 1);
        pthread_mutex_lock(&s->lock);
    }
    bool good = s->calls++ >= s->fail_first;
    if (good) {
        buf_addf(&s->got, "%s %.*s\n", job, (int)len, json);
    }
    buf_adds(result, s->stop ? "{\"stop\":true}" : "null");
    pthread_mutex_unlock(&s->lock);
    return good || err_set(e, ERR_UNAVAILABLE, "not now");
}

static void set_hold(struct sink *s, bool hold) {
    pthread_mutex_lock(&s->lock);
    s->hold = hold;
    pthread_mutex_unlock(&s->lock);
}

static bool sink_waits(struct sink *s, const char *text, int times) {
    int64_t deadline = clock_ms() + DEADLINE_MS;
    for (;;) {
        int n = 0;
        pthread_mutex_lock(&s->lock);
        for (const char *at = s->got.data; at != NULL && (at = strstr(at, text)) != NULL; at++) {
            n++;
        }
        if (n < times && clock_ms() > deadline) {
            printf("# %d of %d '%s' in: %s\n", n, times, text, s->got.data);
        }
        pthread_mutex_unlock(&s->lock);
        if (n >= times || clock_ms() > deadline) {
            return n == times;
        }
        poll(NULL, 0, 1);
    }
}

struct bench { /* what most tests need */
    char dir[64], file[80];
    struct bus *bus;
    struct sink sink;
    struct follow *follow;
    struct follow_spec spec;
};

static void bench_start(struct bench *b) {
    snprintf(b->dir, sizeof b->dir, "/tmp/gander-follow-XXXXXX");
    if (mkdtemp(b->dir) == NULL) {
        abort();
    }
    snprintf(b->file, sizeof b->file, "%s/log", b->dir);
    b->bus = bus_new(NULL);
    b->sink = (struct sink){.lock = PTHREAD_MUTEX_INITIALIZER};
    b->follow = follow_new(b->bus, &(struct follow_hooks){&b->sink, deliver}, &err);
    b->spec = (struct follow_spec){.key = "k",
                                   .job = "collect",
                                   .data = "{\"d\":1}",
                                   .format = FOLLOW_LINES,
                                   .batch_ms = 5,
                                   .batch_max = 200,
                                   .file = b->file};
}

static void bench_end(struct bench *b) {
    char command[128];
    follow_free(b->follow);
    bus_free(b->bus);
    buf_clear(&b->sink.got);
    snprintf(command, sizeof command, "rm -rf %s", b->dir);
    if (system(command) != 0) {
        printf("# %s failed\n", command);
    }
}

static void append(const struct bench *b, const char *text) {
    FILE *f = fopen(b->file, "a");
    fputs(text, f);
    fclose(f);
}

static bool ends(struct bench *b) {
    return follow_end(b->follow, "k") && follow_wait(b->follow, "k", clock_ms() + DEADLINE_MS);
}

void test_follow_delivers_a_file_as_it_grows(void) {
    struct bench b;
    bench_start(&b);
    append(&b, "old\none\n");
    b.spec.cursor = "4";
    CHECK(follow_start(b.follow, &b.spec, &err));
    CHECK(sink_waits(&b.sink, "\"text\":\"one\"}],\"cursor\":8,\"ended\":false}", 1));
    append(&b, "two\nthr");
    CHECK(sink_waits(&b.sink, "\"text\":\"two\"}],\"cursor\":12", 1));
    append(&b, "ee\n");
    CHECK(sink_waits(&b.sink, "\"text\":\"three\"}],\"cursor\":18", 1));
    append(&b, "last");
    CHECK(ends(&b));
    CHECK(sink_waits(&b.sink, "\"text\":\"last\"}],\"cursor\":22,\"ended\":true}", 1));
    CHECK(strncmp(b.sink.got.data,
                  "collect {\"key\":\"k\",\"data\":{\"d\":1},\"items\":[{\"at\":", 48) == 0);
    CHECK(strstr(b.sink.got.data, "old") == NULL);
    CHECK(!follow_end(b.follow, "k"));
    bench_end(&b);
}

void test_follow_waits_for_a_file_and_for_its_offset(void) {
    struct bench b;
    bench_start(&b);
    b.spec.cursor = "6";
    CHECK(follow_start(b.follow, &b.spec, &err));
    append(&b, "12345");
    append(&b, "6seven\n");
    CHECK(sink_waits(&b.sink, "\"text\":\"seven\"}],\"cursor\":12", 1));
    bench_end(&b);
}

void test_follow_gives_out_a_line_whose_end_does_not_come(void) {
    struct bench b;
    bench_start(&b);
    append(&b, "proceed? ");
    CHECK(follow_start(b.follow, &b.spec, &err));
    CHECK(sink_waits(&b.sink, "\"text\":\"proceed? \",\"cut\":true}],\"cursor\":9", 1));
    append(&b, "yes\n");
    CHECK(sink_waits(&b.sink, "\"text\":\"yes\"}],\"cursor\":13", 1));
    bench_end(&b);
}

void test_follow_goes_on_in_a_file_that_took_the_place(void) {
    struct bench b;
    char old[96];
    bench_start(&b);
    append(&b, "one\n");
    CHECK(follow_start(b.follow, &b.spec, &err));
    CHECK(sink_waits(&b.sink, "\"one\"", 1));
    snprintf(old, sizeof old, "%s.1", b.file);
    rename(b.file, old);
    append(&b, "two\n");
    CHECK(sink_waits(&b.sink, "\"text\":\"two\"}],\"cursor\":4", 1));
    CHECK(sink_waits(&b.sink, "\"one\"", 1));
    bench_end(&b);
}

void test_follow_frees_what_was_delivered_and_passes_over_holes(void) {
    struct bench b;
    struct stat st;
    bench_start(&b);
    struct buf text = BUF_INIT;
    for (int i = 0; i < 20000; i++) {
        buf_addf(&text, "line %d\n", i);
    }
    append(&b, text.data);
    b.spec.punch = true;
    CHECK(follow_start(b.follow, &b.spec, &err));
    CHECK(sink_waits(&b.sink, "\"text\":\"line 19999\"", 1));
    CHECK(ends(&b));
    CHECK(stat(b.file, &st) == 0 && st.st_size == (off_t)text.len);
    if ((size_t)st.st_blocks * 512 >= text.len) {
        check_skip("the file system punches no holes");
    } else {
        buf_reset(&b.sink.got);
        CHECK(follow_start(b.follow, &b.spec, &err)); /* from 0: into the hole */
        CHECK(sink_waits(&b.sink, "\"text\":\"line 19999\"", 1));
        CHECK(strstr(b.sink.got.data, "\"text\":\"line 0\"") == NULL);
        CHECK(strstr(b.sink.got.data, "\\u0000") == NULL);
    }
    buf_clear(&text);
    bench_end(&b);
}

void test_follow_leaves_out_what_is_far_behind(void) {
    struct bench b;
    struct stat st;
    bench_start(&b);
    struct buf text = BUF_INIT;
    for (int i = 0; text.len < (size_t)20 << 20; i++) {
        buf_addf(&text, "line %d %0100d\n", i, i);
    }
    buf_adds(&text, "the last line\n");
    append(&b, text.data);
    b.spec.punch = true;
    CHECK(follow_start(b.follow, &b.spec, &err));
    CHECK(sink_waits(&b.sink, "\"text\":\"the last line\"", 1));
    CHECK(strstr(b.sink.got.data, "\"text\":\"[16384 KiB left out: ") != NULL);
    CHECK(strstr(b.sink.got.data, "\"text\":\"line 0 ") == NULL);
    CHECK(strstr(b.sink.got.data, "\\u0000") == NULL);
    char cursor[40];
    snprintf(cursor, sizeof cursor, "\"cursor\":%zu", text.len);
    CHECK(sink_waits(&b.sink, cursor, 1));
    CHECK(ends(&b));
    CHECK(stat(b.file, &st) == 0 && st.st_size == (off_t)text.len);
    buf_clear(&text);
    bench_end(&b);
}

void test_follow_keeps_order_and_delivers_a_failed_batch_again(void) {
    struct bench b;
    bench_start(&b);
    b.sink.fail_first = 2;
    b.spec.batch_max = 2;
    append(&b, "a\nb\nc\nd\ne\n");
    CHECK(follow_start(b.follow, &b.spec, &err));
    CHECK(sink_waits(&b.sink, "\"cursor\":10", 1));
    const char *got = b.sink.got.data;
    CHECK(strstr(got, "\"cursor\":4") < strstr(got, "\"cursor\":8"));
    CHECK(strstr(got, "\"cursor\":8") < strstr(got, "\"cursor\":10"));
    CHECK(sink_waits(&b.sink, "\"text\":\"a\"", 1));
    CHECK(b.sink.calls == 5);
    bench_end(&b);
}

void test_follow_bounds_what_is_read_ahead(void) {
    struct bench b;
    bench_start(&b);
    struct buf text = BUF_INIT, list = BUF_INIT;
    while (text.len < (4 << 20)) {
        buf_adds(&text, "0123456789012345678901234567890123456789012345678901234567890123456789\n");
    }
    append(&b, text.data);
    set_hold(&b.sink, true);
    CHECK(follow_start(b.follow, &b.spec, &err));
    int64_t deadline = clock_ms() + DEADLINE_MS;
    do {
        poll(NULL, 0, 5);
        buf_reset(&list);
        follow_list(b.follow, &list);
    } while (strstr(list.data, "\"paused\"") == NULL && clock_ms() < deadline);
    const char *pending = strstr(list.data, "\"pending\":");
    CHECK(pending != NULL && atol(pending + 10) < (1 << 20));
    set_hold(&b.sink, false);
    CHECK(ends(&b));
    char last[64];
    snprintf(last, sizeof last, "\"cursor\":%zu,\"ended\":true", text.len);
    CHECK(sink_waits(&b.sink, last, 1));
    buf_clear(&text);
    buf_clear(&list);
    bench_end(&b);
}

void test_follow_ends_when_the_job_says_stop(void) {
    struct bench b;
    bench_start(&b);
    b.sink.stop = true;
    append(&b, "a\n");
    CHECK(follow_start(b.follow, &b.spec, &err));
    CHECK(follow_wait(b.follow, "k", clock_ms() + DEADLINE_MS));
    CHECK(b.sink.calls == 1);
    bench_end(&b);
}

void test_follow_refuses_a_key_in_use_and_a_strange_cursor(void) {
    struct bench b;
    bench_start(&b);
    CHECK(follow_start(b.follow, &b.spec, &err));
    CHECK(!follow_start(b.follow, &b.spec, &err));
    CHECK(err.code == ERR_CONFLICT);
    b.spec.key = "other";
    b.spec.cursor = "[1]";
    CHECK(!follow_start(b.follow, &b.spec, &err));
    CHECK(err.code == ERR_INVALID);
    CHECK(!follow_end(b.follow, "other"));
    bench_end(&b);
}

static char url[64];

/* A spec for this server's /x. */
static void over_http(struct bench *b, const struct upstream *s, struct fetch_spec *http,
                      enum follow_format format, enum follow_resume resume) {
    snprintf(url, sizeof url, "http://127.0.0.1:%d/x", s->port);
    *http = (struct fetch_spec){.url = url, .connect_ms = 5000, .idle_ms = 60000};
    b->spec.file = NULL;
    b->spec.http = http;
    b->spec.format = format;
    b->spec.resume = resume;
}

void test_follow_resumes_an_event_stream_by_its_last_id(void) {
    static const char *const answers[] = {
        OK "\r\nid: 1\nevent: a\ndata: {\"n\":1}\n\nid: 2\ndata: half",
        OK "Content-Length: 1000\r\n\r\nid: 2\nevent: b\ndata: {\"n\":2}\n\n",
        "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n",
        OK "\r\nid: 3\nevent: c\ndata: {\"n\":3}\n\n", NULL};
    struct bench b;
    struct upstream s;
    struct fetch_spec http;
    const char *topic = "session:1";
    struct bus_reader reader;
    bench_start(&b);
    upstream_start(&s, answers);
    over_http(&b, &s, &http, FOLLOW_SSE, FOLLOW_LAST_EVENT_ID);
    b.spec.topic = topic;
    bus_reader_init(b.bus, &reader, &topic, 1, &err);
    CHECK(follow_start(b.follow, &b.spec, &err));
    CHECK(sink_waits(&b.sink, "{\"event\":\"c\",\"id\":\"3\",\"data\":{\"n\":3}}],\"cursor\":\"3\"",
                     1));
    CHECK(sink_waits(&b.sink, "{\"event\":\"b\",\"id\":\"2\",\"data\":{\"n\":2}}", 1));
    CHECK(upstream_was_asked(&s, "Last-Event-ID: 1\r\n") &&
          upstream_was_asked(&s, "Last-Event-ID: 2\r\n"));
    struct bus_event *events[8];
    struct bus_place *places[8];
    bool lost;
    CHECK(bus_read(b.bus, &reader, events, places, 8, &lost) == 3 && !lost);
    CHECK(events[2]->id == 3 && strcmp(events[2]->json, "{\"n\":3}") == 0);
    CHECK(strcmp(events[2]->name, "c") == 0);
    for (int i = 0; i < 3; i++) {
        bus_event_unref(events[i]);
    }
    bus_reader_clear(&reader);
    bench_end(&b);
    upstream_end(&s);
}

void test_follow_resumes_after_an_offset(void) {
    static const char *const answers[] = {OK "\r\n{\"offset\":10,\"text\":\"a\"}\n{\"offs",
                                          OK "\r\n{\"offset\":20,\"text\":\"b\"}\n", NULL};
    struct bench b;
    struct upstream s;
    struct fetch_spec http;
    bench_start(&b);
    upstream_start(&s, answers);
    over_http(&b, &s, &http, FOLLOW_NDJSON, FOLLOW_AFTER);
    CHECK(follow_start(b.follow, &b.spec, &err));
    CHECK(sink_waits(&b.sink, "\"text\":\"b\"}],\"cursor\":20", 1));
    CHECK(upstream_was_asked(&s, "GET /x HTTP") && upstream_was_asked(&s, "GET /x?after=10 HTTP"));
    bench_end(&b);
    upstream_end(&s);
}

void test_follow_ends_with_an_upstream_that_replays(void) {
    static const char *const answers[] = {
        OK "Content-Length: 1000\r\n\r\n{\"stream\":\"stdout\",\"data\":\"a\\nb\"}\n",
        OK "\r\n{\"stream\":\"stdout\",\"data\":\"a\\nbc\\nend\"}\n", NULL};
    struct bench b;
    struct upstream s;
    struct fetch_spec http;
    bench_start(&b);
    upstream_start(&s, answers);
    over_http(&b, &s, &http, FOLLOW_CHUNKS, FOLLOW_REPLAY);
    CHECK(follow_start(b.follow, &b.spec, &err));
    CHECK(follow_wait(b.follow, "k", clock_ms() + DEADLINE_MS));
    CHECK(sink_waits(&b.sink, "\"text\":\"a\"", 1));
    CHECK(sink_waits(&b.sink, "\"text\":\"bc\"", 1));
    CHECK(sink_waits(&b.sink,
                     "\"text\":\"end\",\"stream\":\"stdout\"}],\"cursor\":{\"stdout\":8,"
                     "\"stderr\":0},\"ended\":true}",
                     1));
    bench_end(&b);
    upstream_end(&s);
}

void test_follow_ends_when_the_upstream_refuses(void) {
    static const char *const answers[] = {"HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\nnone",
                                          NULL};
    struct bench b;
    struct upstream s;
    struct fetch_spec http;
    bench_start(&b);
    upstream_start(&s, answers);
    over_http(&b, &s, &http, FOLLOW_SSE, FOLLOW_LAST_EVENT_ID);
    CHECK(follow_start(b.follow, &b.spec, &err));
    CHECK(follow_wait(b.follow, "k", clock_ms() + DEADLINE_MS));
    CHECK(sink_waits(&b.sink, "\"items\":[],\"ended\":true,\"error\":\"GET http://127.0.0.1:", 1));
    CHECK(sink_waits(&b.sink, "it answers with status 404", 1));
    bench_end(&b);
    upstream_end(&s);
}

void test_follow_tells_the_job_when_it_cannot_connect(void) {
    static const char *const answers[] = {NULL};
    struct bench b;
    struct upstream s;
    struct fetch_spec http;
    bench_start(&b);
    upstream_start(&s, answers);
    over_http(&b, &s, &http, FOLLOW_SSE, FOLLOW_LAST_EVENT_ID);
    CHECK(follow_start(b.follow, &b.spec, &err));
    CHECK(sink_waits(&b.sink, "\"items\":[],\"ended\":false,\"error\":", 1));
    b.sink.stop = true;
    CHECK(ends(&b));
    bench_end(&b);
    upstream_end(&s);
}

void test_follow_pauses_a_transfer_that_is_not_delivered(void) {
    struct buf answer = BUF_INIT;
    buf_adds(&answer, OK "\r\n");
    while (answer.len < (3 << 20)) {
        buf_adds(&answer,
                 "0123456789012345678901234567890123456789012345678901234567890123456789\n");
    }
    buf_adds(&answer, "the end\n");
    const char *answers[] = {answer.data, NULL};
    struct bench b;
    struct upstream s;
    struct fetch_spec http;
    struct buf list = BUF_INIT;
    bench_start(&b);
    upstream_start(&s, answers);
    over_http(&b, &s, &http, FOLLOW_LINES, FOLLOW_NO_RESUME);
    set_hold(&b.sink, true);
    CHECK(follow_start(b.follow, &b.spec, &err));
    int64_t deadline = clock_ms() + DEADLINE_MS;
    long pending = 0;
    do {
        poll(NULL, 0, 5);
        buf_reset(&list);
        follow_list(b.follow, &list);
        const char *at = strstr(list.data, "\"pending\":");
        pending = at == NULL ? 0 : atol(at + 10);
    } while (pending < 500000 && clock_ms() < deadline);
    CHECK(pending < (1 << 20));
    set_hold(&b.sink, false);
    CHECK(follow_wait(b.follow, "k", clock_ms() + DEADLINE_MS));
    CHECK(sink_waits(&b.sink, "\"text\":\"the end\"}", 1));
    CHECK(sink_waits(&b.sink, "\"ended\":true", 1));
    bench_end(&b);
    upstream_end(&s);
    buf_clear(&answer);
    buf_clear(&list);
}
