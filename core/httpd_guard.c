/* httpd_guard.c - what is refused before any script runs.
 *
 * Framing first (two lengths, length and chunks together: what two programs could read in two
 * ways), then Host (names that are not ours: DNS rebinding), Origin (a page elsewhere that drives
 * us), then the body's size. SPDX-License-Identifier: Apache-2.0
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "httpd_own.h"

#define MODEL_BODY_MAX ((int64_t)32 << 20)

static bool sane_id(const char *id) {
    size_t n = strspn(id, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-");
    return n > 0 && n <= 64 && id[n] == '\0';
}

static void choose_id(struct request *r) {
    const char *given = request_header(r, "X-Request-Id");
    if (given != NULL && sane_id(given)) {
        snprintf(r->id, sizeof r->id, "%s", given);
        return;
    }
    unsigned char bytes[12] = {0};
    ssize_t got = getrandom(bytes, sizeof bytes, 0);
    (void)got; /* an id that is not random is still an id */
    for (size_t i = 0; i < sizeof bytes; i++) {
        snprintf(r->id + 2 * i, 3, "%02x", bytes[i]);
    }
}

static int count_header(const struct request *r, const char *name) {
    int n = 0;
    for (int i = 0; i < r->header_count; i++) {
        n += strcasecmp(r->headers[i].name, name) == 0;
    }
    return n;
}

/* Compare a Host (with or without port) to a name. */
static bool is_host(const char *host, size_t len, const char *name) {
    return len == strlen(name) && strncasecmp(host, name, len) == 0;
}

/* The name in "name:port" or "[v6]:port". */
static size_t host_length(const char *host) {
    const char *end = host[0] == '[' ? strchr(host, ']') : NULL;
    return end != NULL ? (size_t)(end - host) + 1 : strcspn(host, ":");
}

static bool known_host(const struct config *c, const char *host) {
    size_t len = host_length(host);
    if (is_host(host, len, "localhost") || is_host(host, len, "[::1]") ||
        is_host(host, len, c->listen_host) ||
        (len >= 4 && strncmp(host, "127.", 4) == 0 && strspn(host, "0123456789.") >= len)) {
        return true;
    }
    for (size_t i = 0; i < c->host_count; i++) {
        if (is_host(host, len, c->hosts[i])) {
            return true;
        }
    }
    return false;
}

/* "http://name:port" is the same place as Host: name:port. */
static bool same_origin(const char *origin, const char *host) {
    const char *at = strstr(origin, "://");
    return at != NULL && strcasecmp(at + 3, host) == 0;
}

static bool changes_something(const char *method) {
    return strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0 &&
           strcmp(method, "OPTIONS") != 0;
}

static bool refuse(struct exchange *x, int status, enum err_code code, const char *message) {
    x->keep = false;
    send_error(x, status, code, NULL, message);
    return false;
}

static bool check_framing(struct exchange *x) {
    const struct request *r = &x->request;
    int lengths = count_header(r, "Content-Length");
    int codings = count_header(r, "Transfer-Encoding");
    if (lengths > 1 || codings > 1 || (lengths > 0 && codings > 0)) {
        return refuse(x, 400, ERR_INVALID,
                      "A request may have one Content-Length or one Transfer-Encoding, not more");
    }
    if (codings == 1 && strcasecmp(request_header(r, "Transfer-Encoding"), "chunked") != 0) {
        return refuse(x, 400, ERR_INVALID, "The only Transfer-Encoding known here is chunked");
    }
    if (count_header(r, "Host") > 1) {
        return refuse(x, 400, ERR_INVALID, "A request has one Host");
    }
    return true;
}

static bool check_origin(struct exchange *x) {
    const struct request *r = &x->request;
    const char *host = request_header(r, "Host");
    const char *origin = request_header(r, "Origin");
    if (r->from_model) {
        return true; /* a sandbox on the gateway's own socket */
    }
    if (host == NULL || !known_host(x->httpd->parts.config, host)) {
        return refuse(x, 421, ERR_DENIED,
                      "This Host is not a name of this Gander; add it to `hosts` in config.lua");
    }
    if (origin != NULL && changes_something(r->method) && !same_origin(origin, host)) {
        return refuse(x, 403, ERR_DENIED,
                      "A page from another origin may not change anything here");
    }
    return true;
}

bool guard_request(struct exchange *x) {
    const struct mg_request_info *info = mg_get_request_info(x->connection);
    struct request *r = &x->request;
    r->method = info->request_method;
    r->path = info->local_uri_raw != NULL ? info->local_uri_raw : info->local_uri;
    r->query = info->query_string;
    r->from_model = info->server_port == 0;
    for (int i = 0; i < info->num_headers && i < HEADERS_MAX; i++) {
        r->headers[i].name = info->http_headers[i].name;
        r->headers[i].value = info->http_headers[i].value;
        r->header_count++;
    }
    choose_id(r);
    x->head = strcmp(r->method, "HEAD") == 0;
    const char *connection = request_header(r, "Connection");
    x->keep = connection == NULL || strcasestr(connection, "close") == NULL;
    return check_framing(x) && check_origin(x);
}

bool guard_body(struct exchange *x) {
    /* A sandbox sends its model the whole conversation each time, images included. */
    int64_t max = x->request.from_model ? MODEL_BODY_MAX : x->httpd->parts.config->body_max;
    const char *length = request_header(&x->request, "Content-Length");
    char message[100];
    snprintf(message, sizeof message, "The body is larger than %lld bytes (limits.body)",
             (long long)max);
    if (length != NULL && strtoll(length, NULL, 10) > max) {
        return refuse(x, 413, ERR_INVALID, message);
    }
    struct buf *body = &x->request.body;
    for (;;) {
        int n = mg_read(x->connection, buf_room(body, 16384), 16384);
        if (n < 0) {
            return refuse(x, 400, ERR_INVALID, "The body ended early");
        }
        if (n == 0) {
            break;
        }
        body->len += (size_t)n;
        if ((int64_t)body->len > max) {
            return refuse(x, 413, ERR_INVALID, message);
        }
    }
    buf_add(body, "", 0);
    return true;
}
