/* relay.c - see relay.h.  `lock` guards the idle fetches.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "relay.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "value.h"

#define IDLE_MAX 16

struct relay {
    pthread_mutex_t lock;
    struct fetch *idle[IDLE_MAX];
    size_t count;
};

struct run { /* one relay_run */
    const struct relay_writer *writer;
    struct relay_result *result;
    bool begun;
};

/* Headers of one connection only, and those that say how the message is framed. */
static const char *const own_headers[] = {"connection",
                                          "keep-alive",
                                          "proxy-connection",
                                          "proxy-authenticate",
                                          "proxy-authorization",
                                          "te",
                                          "trailer",
                                          "transfer-encoding",
                                          "upgrade",
                                          "content-length",
                                          NULL};

struct relay *relay_new(void) {
    struct relay *r = mem_alloc(sizeof *r);
    pthread_mutex_init(&r->lock, NULL);
    return r;
}

void relay_free(struct relay *r) {
    if (r != NULL) {
        while (r->count > 0) {
            fetch_free(r->idle[--r->count]);
        }
        pthread_mutex_destroy(&r->lock);
        free(r);
    }
}

static struct fetch *take_fetch(struct relay *r) {
    pthread_mutex_lock(&r->lock);
    struct fetch *f = r->count > 0 ? r->idle[--r->count] : NULL;
    pthread_mutex_unlock(&r->lock);
    return f != NULL ? f : fetch_new();
}

static void give_fetch(struct relay *r, struct fetch *f) {
    pthread_mutex_lock(&r->lock);
    if (r->count < IDLE_MAX) {
        r->idle[r->count++] = f;
        f = NULL;
    }
    pthread_mutex_unlock(&r->lock);
    fetch_free(f);
}

/* Is the name (of `len` bytes) in a comma-separated list? */
static bool is_listed(const char *list, const char *name, size_t len) {
    while (list != NULL && *list != '\0') {
        list += strspn(list, ", \t");
        size_t n = strcspn(list, ", \t");
        if (n == len && strncasecmp(list, name, n) == 0) {
            return true;
        }
        list += n;
    }
    return false;
}

static bool passes(const char *name, size_t len, const char *connection) {
    for (const char *const *own = own_headers; *own != NULL; own++) {
        if (strlen(*own) == len && strncasecmp(*own, name, len) == 0) {
            return false;
        }
    }
    return !is_listed(connection, name, len);
}

static bool on_begin(void *ctx, const struct fetch_reply *reply) {
    struct run *run = ctx;
    const char *connection = fetch_header(reply, "connection");
    const char *length = fetch_header(reply, "content-length");
    struct buf lines = BUF_INIT;
    const char *at = reply->headers.data, *end = at + reply->headers.len;
    while (at != NULL && at < end) {
        const char *value = at + strlen(at) + 1;
        if (passes(at, strlen(at), connection)) {
            buf_addf(&lines, "%s: %s\r\n", at, value);
        }
        at = value + strlen(value) + 1;
    }
    buf_adds(&lines, "");
    bool empty = reply->status == 204 || reply->status == 304;
    run->begun = true;
    run->result->status = reply->status;
    bool good = run->writer->begin(run->writer->ctx, reply->status, &lines,
                                   length != NULL ? strtoll(length, NULL, 10)
                                   : empty        ? 0
                                                  : -1);
    buf_clear(&lines);
    return good;
}

static void keep_tail(struct buf *tail, const char *data, size_t len) {
    if (len > RELAY_TAIL) {
        data += len - RELAY_TAIL;
        len = RELAY_TAIL;
    }
    if (tail->len + len > 2 * RELAY_TAIL) {
        buf_drop(tail, tail->len + len - RELAY_TAIL);
    }
    buf_add(tail, data, len);
}

static enum fetch_next on_body(void *ctx, const char *data, size_t len) {
    struct run *run = ctx;
    if (len == 0) {
        return FETCH_ON; /* an empty piece would end a chunked answer */
    }
    if (!run->writer->write(run->writer->ctx, data, len)) {
        return FETCH_STOP;
    }
    run->result->length += (int64_t)len;
    keep_tail(&run->result->tail, data, len);
    return FETCH_ON;
}

static bool on_cancelled(void *ctx) {
    const struct relay_writer *w = ((struct run *)ctx)->writer;
    return w->cancelled != NULL && w->cancelled(w->ctx);
}

/* The caller's headers without those that are libcurl's to set; freed by the caller. */
static const char **request_headers(const char *const *headers) {
    size_t n = 0, kept = 0;
    const char *connection = NULL;
    for (; headers != NULL && headers[n] != NULL; n++) {
        if (strncasecmp(headers[n], "connection:", 11) == 0) {
            connection = headers[n] + 11;
        }
    }
    const char **list = mem_alloc((n + 1) * sizeof *list);
    for (size_t i = 0; i < n; i++) {
        size_t len = strcspn(headers[i], ":");
        if (passes(headers[i], len, connection) &&
            (len != 4 || strncasecmp(headers[i], "host", 4))) {
            list[kept++] = headers[i];
        }
    }
    return list;
}

bool relay_run(struct relay *r, const struct fetch_spec *spec, const struct relay_writer *writer,
               struct relay_result *result, struct err *err) {
    static const struct fetch_hooks hooks = {
        .begin = on_begin, .body = on_body, .cancelled = on_cancelled};
    struct run run = {.writer = writer, .result = result};
    struct fetch_spec own = *spec;
    const char **headers = request_headers(spec->headers);
    own.headers = headers;
    *result = (struct relay_result){.err.code = ERR_NONE};
    struct fetch *f = take_fetch(r);
    result->complete = fetch_set(f, &own, &hooks, &run, &result->err) && fetch_run(f, &result->err);
    give_fetch(r, f);
    free(headers);
    if (result->tail.len > RELAY_TAIL) {
        buf_drop(&result->tail, result->tail.len - RELAY_TAIL);
    }
    if (!run.begun && err != NULL) {
        *err = result->err;
    }
    return run.begun;
}

void relay_result_json(const struct relay_result *result, struct buf *out) {
    buf_addf(out, "{\"status\":%d,\"length\":%" PRId64 ",\"complete\":%s,\"tail\":", result->status,
             result->length, result->complete ? "true" : "false");
    value_string(out, result->tail.len > 0 ? result->tail.data : "", result->tail.len);
    if (!result->complete) {
        buf_addf(out, ",\"error\":{\"code\":\"%s\",\"message\":", err_name(result->err.code));
        value_string(out, result->err.text, strlen(result->err.text));
        buf_addc(out, '}');
    }
    buf_addc(out, '}');
}

void relay_result_clear(struct relay_result *result) {
    buf_clear(&result->tail);
}
