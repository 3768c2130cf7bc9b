/* httpd_send.c - answers on the wire.
 *
 * Headers and body go into one buffer and out in one write (several small writes cost 44 ms each
 * under Nagle).  Every answer carries its request's id and the generation that made it.
 * SPDX-License-Identifier: Apache-2.0
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "httpd_own.h"
#include "value.h"

static const char *reason_of(int status) {
    static const struct {
        int status;
        const char *text;
    } reasons[] = {{200, "OK"},
                   {201, "Created"},
                   {202, "Accepted"},
                   {204, "No Content"},
                   {304, "Not Modified"},
                   {400, "Bad Request"},
                   {401, "Unauthorized"},
                   {403, "Forbidden"},
                   {404, "Not Found"},
                   {405, "Method Not Allowed"},
                   {406, "Not Acceptable"},
                   {408, "Request Timeout"},
                   {409, "Conflict"},
                   {410, "Gone"},
                   {412, "Precondition Failed"},
                   {413, "Content Too Large"},
                   {414, "URI Too Long"},
                   {415, "Unsupported Media Type"},
                   {421, "Misdirected Request"},
                   {429, "Too Many Requests"},
                   {431, "Request Header Fields Too Large"},
                   {500, "Internal Server Error"},
                   {502, "Bad Gateway"},
                   {503, "Service Unavailable"},
                   {504, "Gateway Timeout"}};
    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++) {
        if (reasons[i].status == status) {
            return reasons[i].text;
        }
    }
    return "Status";
}

static void common_head(struct exchange *x, struct buf *out, int status, const char *headers) {
    time_t now = time(NULL);
    struct tm tm;
    char date[40];
    gmtime_r(&now, &tm);
    strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S GMT", &tm);
    buf_addf(out,
             "HTTP/1.1 %d %s\r\nDate: %s\r\nX-Request-Id: %s\r\nX-Gander-Generation: %lld\r\n"
             "X-Content-Type-Options: nosniff\r\nReferrer-Policy: no-referrer\r\n"
             "Connection: %s\r\n",
             status, reason_of(status), date, x->request.id, (long long)x->generation,
             x->keep ? "keep-alive" : "close");
    if (headers == NULL || strcasestr(headers, "cache-control:") == NULL) {
        buf_adds(out, "Cache-Control: no-store\r\n");
    }
    if (headers != NULL) {
        buf_adds(out, headers);
    }
}

static void count(struct exchange *x, int status) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    int64_t now_us = (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
    atomic_fetch_add(&x->httpd->requests[status / 100 % 6], 1);
    atomic_fetch_add(&x->httpd->busy_us, now_us - x->started_us);
}

void send_answer(struct exchange *x, int status, const char *headers, const void *body,
                 size_t len) {
    struct buf out = BUF_INIT;
    common_head(x, &out, status, headers);
    if (status != 204 && status != 304) {
        buf_addf(&out, "Content-Length: %zu\r\n", len);
    }
    buf_adds(&out, "\r\n");
    if (!x->head && status != 204 && status != 304) {
        buf_add(&out, body, len);
    }
    if (mg_write(x->connection, out.data, out.len) != (int)out.len) {
        x->keep = false; /* cut: another answer after it would be read as its rest */
    }
    buf_clear(&out);
    count(x, status);
}

void send_error(struct exchange *x, int status, enum err_code code, const char *headers,
                const char *message) {
    struct buf body = BUF_INIT, all = BUF_INIT;
    buf_addf(&body, "{\"error\":{\"code\":\"%s\",\"message\":", err_name(code));
    value_string(&body, message, strlen(message));
    buf_addf(&body, ",\"request_id\":\"%s\"}}", x->request.id);
    buf_adds(&all, "Content-Type: application/json; charset=utf-8\r\n");
    buf_adds(&all, headers == NULL ? "" : headers);
    if (code == ERR_BUSY) {
        buf_adds(&all, "Retry-After: 2\r\n");
    }
    send_answer(x, status, all.data, body.data, body.len);
    buf_clear(&all);
    buf_clear(&body);
}

void send_err(struct exchange *x, const struct err *err) {
    send_error(x, err_status(err->code), err->code, NULL, err->text);
}

/* Only our own scripts, styles (the page's libraries insert some), fonts and images. */
#define PAGE_POLICY                                                                                \
    "Content-Security-Policy: default-src 'self'; style-src 'self' 'unsafe-inline'; "              \
    "img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; "               \
    "frame-ancestors 'none'\r\n"

void send_asset(struct exchange *x, const struct asset *asset) {
    const char *match = request_header(&x->request, "If-None-Match");
    const char *accepts = request_header(&x->request, "Accept-Encoding");
    bool zipped = asset->gzip.len > 0 && accepts != NULL && strstr(accepts, "gzip") != NULL;
    struct buf headers = BUF_INIT;
    buf_addf(&headers, "Content-Type: %s\r\nETag: %s\r\nVary: Accept-Encoding\r\n" PAGE_POLICY,
             asset->type, asset->etag);
    buf_adds(&headers, asset->immutable ? "Cache-Control: public, max-age=31536000, immutable\r\n"
                                        : "Cache-Control: no-cache\r\n");
    if (match != NULL && strstr(match, asset->etag) != NULL) {
        send_answer(x, 304, headers.data, NULL, 0);
    } else {
        const struct buf *data = zipped ? &asset->gzip : &asset->data;
        buf_adds(&headers, zipped ? "Content-Encoding: gzip\r\n" : "");
        send_answer(x, 200, headers.data, data->data, data->len);
    }
    buf_clear(&headers);
}

bool send_head(struct exchange *x, int status, const char *headers, bool chunked) {
    struct buf out = BUF_INIT;
    x->keep = x->keep && chunked;
    common_head(x, &out, status, headers);
    buf_adds(&out, chunked ? "Transfer-Encoding: chunked\r\n\r\n" : "\r\n");
    bool ok = mg_write(x->connection, out.data, out.len) == (int)out.len;
    buf_clear(&out);
    count(x, status);
    return ok;
}

bool send_chunk(struct exchange *x, const void *data, size_t len) {
    struct buf out = BUF_INIT;
    buf_addf(&out, "%zx\r\n", len);
    buf_add(&out, data, len);
    buf_adds(&out, "\r\n");
    bool ok = mg_write(x->connection, out.data, out.len) == (int)out.len;
    buf_clear(&out);
    return ok;
}
