/* test_relay.c - answers piped through: what passes, what does not, and how it ends.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "relay.h"
#include "upstream.h"

/* The client's side: all it was given; it leaves after `room` bytes of body. */
struct client {
    int status;
    int64_t length;
    struct buf headers, body;
    size_t room;
};

static bool begin(void *ctx, int status, const struct buf *headers, int64_t length) {
    struct client *c = ctx;
    c->status = status;
    c->length = length;
    buf_add(&c->headers, headers->data, headers->len);
    return true;
}

static bool take(void *ctx, const char *data, size_t len) {
    struct client *c = ctx;
    if (c->body.len + len > c->room) {
        return false;
    }
    buf_add(&c->body, data, len);
    return true;
}

struct bench {
    struct upstream upstream;
    struct relay *relay;
    struct client client;
    struct relay_result result;
    struct err err;
    char url[64];
};

static bool run(struct bench *b, const char *const *answers, const char *const *headers) {
    upstream_start(&b->upstream, answers);
    b->relay = relay_new();
    b->client = (struct client){.room = SIZE_MAX / 2};
    snprintf(b->url, sizeof b->url, "http://127.0.0.1:%d/x", b->upstream.port);
    struct fetch_spec spec = {.url = b->url,
                              .headers = headers,
                              .body = "hello",
                              .body_len = 5,
                              .connect_ms = 5000,
                              .idle_ms = 20000};
    struct relay_writer writer = {&b->client, begin, take, NULL};
    return relay_run(b->relay, &spec, &writer, &b->result, &b->err);
}

static void end(struct bench *b) {
    buf_clear(&b->client.headers);
    buf_clear(&b->client.body);
    relay_result_clear(&b->result);
    relay_free(b->relay);
    upstream_end(&b->upstream);
}

void test_relay_passes_status_headers_and_body(void) {
    static const char *const answers[] = {
        "HTTP/1.1 201 Made\r\nX-A: 1\r\nConnection: close, x-own\r\nX-Own: 2\r\nKeep-Alive: 5\r\n"
        "Content-Type: text/plain\r\nContent-Length: 4\r\n\r\nbody",
        NULL};
    static const char *const headers[] = {
        "X-Mine: 3",    "Host: elsewhere",    "Connection: x-hop", "X-Hop: 4",
        "TE: trailers", "Content-Length: 99", "Accept: text/a",    NULL};
    struct bench b;
    CHECK(run(&b, answers, headers));
    CHECK(b.client.status == 201 && b.client.length == 4);
    CHECK(strcmp(b.client.headers.data, "x-a: 1\r\ncontent-type: text/plain\r\n") == 0);
    CHECK(strcmp(b.client.body.data, "body") == 0);
    CHECK(b.result.complete && b.result.status == 201 && b.result.length == 4);
    CHECK(upstream_was_asked(&b.upstream, "POST /x HTTP/1.1\r\nHost: 127.0.0.1:"));
    CHECK(upstream_was_asked(&b.upstream, "X-Mine: 3\r\n"));
    CHECK(upstream_was_asked(&b.upstream, "Content-Length: 5\r\n\r\nhello"));
    CHECK(!upstream_was_asked(&b.upstream, "elsewhere") &&
          !upstream_was_asked(&b.upstream, "X-Hop"));
    CHECK(!upstream_was_asked(&b.upstream, "trailers") &&
          !upstream_was_asked(&b.upstream, "Content-Length: 99"));
    end(&b);
}

void test_relay_keeps_the_end_of_a_long_answer(void) {
    struct buf answer = BUF_INIT, json = BUF_INIT;
    buf_adds(&answer, OK "\r\n");
    size_t head = answer.len;
    for (int i = 0; i < 20000; i++) {
        buf_addf(&answer, "line %d\n", i);
    }
    const char *answers[] = {answer.data, NULL};
    struct bench b;
    CHECK(run(&b, answers, NULL));
    CHECK(b.client.length == -1 && b.client.body.len == answer.len - head);
    CHECK(b.result.length == (int64_t)(answer.len - head) && b.result.tail.len == RELAY_TAIL);
    CHECK(memcmp(b.result.tail.data, answer.data + answer.len - RELAY_TAIL, RELAY_TAIL) == 0);
    relay_result_json(&b.result, &json);
    CHECK(strncmp(json.data, "{\"status\":200,\"length\":", 23) == 0);
    CHECK(strstr(json.data, "\"complete\":true,\"tail\":\"") != NULL);
    CHECK(strstr(json.data, "line 19999\\n\"}") != NULL);
    end(&b);
    buf_clear(&answer);
    buf_clear(&json);
}

void test_relay_stops_reading_when_the_client_is_gone(void) {
    static const char *const answers[] = {OK "\r\nmore than there is room for", NULL};
    struct bench b;
    upstream_start(&b.upstream, answers);
    b.relay = relay_new();
    b.client = (struct client){.room = 3};
    snprintf(b.url, sizeof b.url, "http://127.0.0.1:%d/x", b.upstream.port);
    struct fetch_spec spec = {.url = b.url, .connect_ms = 5000, .idle_ms = 20000};
    struct relay_writer writer = {&b.client, begin, take, NULL};
    CHECK(relay_run(b.relay, &spec, &writer, &b.result, &b.err));
    CHECK(!b.result.complete && b.result.length == 0);
    end(&b);
}

void test_relay_tells_an_answer_that_broke_off(void) {
    static const char *const answers[] = {OK "Content-Length: 100\r\n\r\nhalf", NULL};
    struct buf json = BUF_INIT;
    struct bench b;
    CHECK(run(&b, answers, NULL));
    CHECK(!b.result.complete && b.result.err.code == ERR_UNAVAILABLE && b.result.length == 4);
    relay_result_json(&b.result, &json);
    CHECK(strstr(json.data, "\"error\":{\"code\":\"unavailable\"") != NULL);
    buf_clear(&json);
    end(&b);
}

void test_relay_without_an_answer_leaves_the_error_to_the_caller(void) {
    static const char *const answers[] = {NULL};
    struct bench b;
    CHECK(!run(&b, answers, NULL));
    CHECK(b.err.code == ERR_UNAVAILABLE && b.client.status == 0 && b.result.status == 0);
    end(&b);
}

void test_relay_gives_the_length_of_an_empty_answer(void) {
    static const char *const answers[] = {"HTTP/1.1 204 Nothing\r\nConnection: close\r\n\r\n",
                                          NULL};
    struct bench b;
    CHECK(run(&b, answers, NULL));
    CHECK(b.client.status == 204 && b.client.length == 0 && b.result.complete);
    end(&b);
}
