/* httpd_relay.c - see httpd_relay.h.  The connection's thread pipes; no VM is held until `done`.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "httpd_relay.h"

#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "relay.h"
#include "value.h"

#define CONNECT_MS 10000
#define IDLE_MS    300000 /* a model may think for long before its first byte */
#define DONE_MS    10000
#define LINES_MAX  64

struct pipe {
    struct exchange *x;
    bool begun;
    bool chunked;
};

static bool begin(void *ctx, int status, const struct buf *headers, int64_t length) {
    struct pipe *p = ctx;
    struct buf all = BUF_INIT;
    buf_add(&all, headers->data == NULL ? "" : headers->data, headers->len);
    p->begun = true;
    p->chunked = length < 0;
    if (length >= 0) {
        buf_addf(&all, "Content-Length: %lld\r\n", (long long)length);
        p->x->keep = false; /* the answer may be cut; then only closing tells */
    }
    bool ok = send_head(p->x, status, all.data == NULL ? "" : all.data, p->chunked);
    buf_clear(&all);
    return ok && !p->x->head;
}

static bool pass(void *ctx, const char *data, size_t len) {
    struct pipe *p = ctx;
    return p->chunked ? send_chunk(p->x, data, len)
                      : mg_write(p->x->connection, data, len) == (int)len;
}

/* Asked about once a second while the upstream is silent. */
static bool cancelled(void *ctx) {
    struct pipe *p = ctx;
    return atomic_load(&p->x->httpd->stopping);
}

/* "a: 1\r\nb: 2\r\n" as a NULL-ended list; cuts the text. */
static void split_lines(char *text, const char *lines[LINES_MAX + 1]) {
    int n = 0;
    while (text != NULL && *text != '\0' && n < LINES_MAX) {
        char *end = strstr(text, "\r\n");
        lines[n++] = text;
        if (end == NULL) {
            break;
        }
        *end = '\0';
        text = end + 2;
    }
    lines[n] = NULL;
}

/* Tell the script how it went: `done` gets {data, status, length, complete, tail, error?}. */
static void call_done(struct exchange *x, const struct outcome *o,
                      const struct relay_result *result) {
    struct buf arg = BUF_INIT, figures = BUF_INIT, answer = BUF_INIT;
    struct err err;
    relay_result_json(result, &figures);
    buf_addf(&arg, "{\"data\":%s,%s", o->data, figures.data + 1);
    if (!workers_call(x->httpd->parts.workers, o->next, arg.data, arg.len, DONE_MS, &answer,
                      &err)) {
        log_line(LOG_WARN, "relay: %s: %s", o->next, err.text);
    }
    buf_clear(&answer);
    buf_clear(&figures);
    buf_clear(&arg);
}

void relay_serve(struct exchange *x, const struct outcome *o) {
    struct pipe pipe = {x, false, false};
    struct relay_writer writer = {&pipe, begin, pass, cancelled};
    struct relay_result result = {0};
    struct err err;
    const char *lines[LINES_MAX + 1];
    char *headers = mem_dupn(o->headers.data, o->headers.len);
    split_lines(headers, lines);
    struct fetch_spec spec = {.method = o->method,
                              .url = o->url,
                              .headers = lines,
                              .body = o->body.len > 0 ? o->body.data : NULL,
                              .body_len = o->body.len,
                              .connect_ms = CONNECT_MS,
                              .idle_ms = IDLE_MS};
    bool ok = relay_run(x->httpd->parts.relay, &spec, &writer, &result, &err);
    if (!ok && !pipe.begun) {
        send_err(x, &err);
    } else if (result.complete && pipe.chunked) {
        send_chunk(x, "", 0);
    } else if (!result.complete) {
        x->keep = false;
    }
    if (o->next != NULL) {
        call_done(x, o, &result);
    }
    relay_result_clear(&result);
    free(headers);
}
