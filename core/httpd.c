/* httpd.c - see httpd.h.
 * SPDX-License-Identifier: Apache-2.0
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "httpd_own.h"
#include "httpd_gateway.h"
#include "httpd_outcome.h"
#include "log.h"
#include "route_call.h"
#include "sse.h"
#include "wait.h"

#define THREADS "200" /* connections served at once: civetweb keeps a thread for each */

static int64_t now_us(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static bool is_api(const char *path) {
    static const char *const own[] = {"/healthz", "/readyz", "/metrics"};
    for (size_t i = 0; i < sizeof own / sizeof own[0]; i++) {
        if (strcmp(path, own[i]) == 0) {
            return true;
        }
    }
    return strcmp(path, "/api") == 0 || strncmp(path, "/api/", 5) == 0;
}

static void serve_page(struct exchange *x) {
    const char *method = x->request.method;
    if (strcmp(method, "GET") != 0 && !x->head) {
        send_error(x, 405, ERR_INVALID, "Allow: GET, HEAD\r\n", "Only GET and HEAD work here");
        return;
    }
    if (assets_empty(x->httpd->parts.assets)) {
        send_error(x, 404, ERR_NOT_FOUND, NULL, "The console is not built: run `make console`");
        return;
    }
    const struct asset *asset = assets_find(x->httpd->parts.assets, x->request.path);
    if (asset == NULL) {
        send_error(x, 404, ERR_NOT_FOUND, NULL, "There is no such file");
        return;
    }
    send_asset(x, asset);
}

/* What the router says without a script; true when it was all. */
static bool answer_from_router(struct exchange *x, const struct route_match *m) {
    if (m->status == 400) {
        send_error(x, 400, ERR_INVALID, NULL, "The path has a part that cannot be read");
        return true;
    }
    if (m->status == 404) {
        send_error(x, 404, ERR_NOT_FOUND, NULL, "There is nothing at this address");
        return true;
    }
    char allow[120];
    snprintf(allow, sizeof allow, "Allow: %s\r\n", m->allow);
    if (strcmp(x->request.method, "OPTIONS") == 0) {
        send_answer(x, 204, allow, NULL, 0);
        return true;
    }
    if (m->status == 405) {
        send_error(x, 405, ERR_INVALID, allow, "This method does not work here");
        return true;
    }
    return false;
}

static void serve_route(struct exchange *x, struct live *live) {
    struct httpd *h = x->httpd;
    struct route_match match;
    router_find(live->router, x->request.method, x->request.path, &match);
    if (!answer_from_router(x, &match) && guard_body(x)) {
        struct outcome outcome = {0};
        struct err err;
        int64_t deadline_ms = clock_ms() + h->parts.config->call_ms;
        struct vm *vm = workers_take(h->parts.workers, live, deadline_ms, &err);
        bool ok = vm != NULL && route_call(vm, &x->request, &match, deadline_ms, &outcome, &err);
        x->generation = live->set->generation;
        if (vm != NULL) {
            workers_put(h->parts.workers, vm);
        }
        outcome_serve(x, &outcome, ok ? NULL : &err);
        outcome_clear(&outcome);
    }
    route_match_clear(&match);
}

static int begin_request(struct mg_connection *connection) {
    struct httpd *h = mg_get_user_data(mg_get_context(connection));
    struct exchange x = {.httpd = h, .connection = connection, .started_us = now_us()};
    if (guard_request(&x)) {
        bool model = strncmp(x.request.path, "/model/", 7) == 0;
        if (atomic_load(&h->stopping)) {
            x.keep = false;
            send_error(&x, 503, ERR_BUSY, NULL, "Gander is stopping");
        } else if (model != x.request.from_model) {
            send_error(&x, 404, ERR_NOT_FOUND, NULL, "There is nothing at this address");
        } else if (model || is_api(x.request.path)) {
            struct live *live = scripts_live(h->parts.scripts);
            serve_route(&x, live);
            live_release(live);
        } else {
            serve_page(&x);
        }
    }
    request_clear(&x.request);
    if (!x.keep) {
        mg_disable_connection_keep_alive(connection);
    }
    return 200;
}

static bool known_method(const char *method) {
    static const char *const known[] = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (method != NULL && strcmp(known[i], method) == 0) {
            return true;
        }
    }
    return false;
}

/* civetweb refused the request itself: bad framing, an unknown method, too long. */
static int http_error(struct mg_connection *connection, int status, const char *message) {
    (void)message;
    struct httpd *h = mg_get_user_data(mg_get_context(connection));
    struct exchange x = {.httpd = h, .connection = connection, .started_us = now_us()};
    snprintf(x.request.id, sizeof x.request.id, "c%lld", (long long)x.started_us);
    const struct mg_request_info *info = mg_get_request_info(connection);
    /* civetweb reads the version before it looks whether it knows the method. */
    bool method = status == 400 && info != NULL && info->http_version != NULL &&
                  !known_method(info->request_method);
    if (status == 501 || status == 405 || method) {
        send_error(&x, 405, ERR_INVALID, "Allow: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS\r\n",
                   "There is no such method");
    } else if (status == 413 || status == 414 || status == 431) {
        send_error(&x, status, ERR_INVALID, NULL, "The request line or its headers are too long");
    } else if (status < 500) {
        send_error(&x, 400, ERR_INVALID, NULL, "This is not an HTTP request that can be read");
    } else {
        send_error(&x, 500, ERR_INTERNAL, NULL, "The request could not be served");
    }
    mg_disable_connection_keep_alive(connection);
    return 0;
}

static int log_message(const struct mg_connection *connection, const char *message) {
    struct httpd *h = mg_get_user_data(mg_get_context(connection));
    if (h != NULL && h->server == NULL && h->said[0] == '\0') {
        snprintf(h->said, sizeof h->said, "%s", message);
    }
    log_line(LOG_DEBUG, "civetweb: %s", message);
    return 1;
}

static void ports_option(const struct httpd *h, struct buf *ports) {
    const struct config *c = h->parts.config;
    const char *host = strcmp(c->listen_host, "localhost") == 0 ? "127.0.0.1" : c->listen_host;
    buf_addf(ports, "%s%s%d,x", host, host[0] == '\0' ? "" : ":", c->listen_port);
    gateway_path(h->gateway, ports);
}

struct httpd *httpd_start(const struct httpd_parts *parts, struct err *err) {
    struct httpd *h = mem_alloc(sizeof *h);
    h->parts = *parts;
    h->gateway = gateway_open(parts->config->data, err);
    if (h->gateway < 0) {
        free(h);
        return NULL;
    }
    struct buf ports = BUF_INIT;
    ports_option(h, &ports);
    const char *options[] = {"listening_ports",
                             ports.data,
                             "num_threads",
                             THREADS,
                             "enable_keep_alive",
                             "yes",
                             "keep_alive_timeout_ms",
                             "5000",
                             "tcp_nodelay",
                             "1",
                             "request_timeout_ms",
                             "30000",
                             "connection_queue",
                             "256",
                             "listen_backlog",
                             "1024",
                             "decode_url",
                             "no",
                             NULL};
    struct mg_callbacks callbacks = {
        .begin_request = begin_request, .http_error = http_error, .log_message = log_message};
    mg_init_library(0);
    struct mg_init_data init = {
        .callbacks = &callbacks, .user_data = h, .configuration_options = options};
    char text[256] = "";
    struct mg_error_data error = {.text = text, .text_buffer_size = sizeof text};
    h->server = mg_start2(&init, &error);
    if (h->server == NULL) {
        err_set(err, ERR_UNAVAILABLE, "cannot listen on %s:%d: %s", parts->config->listen_host,
                parts->config->listen_port, h->said[0] != '\0' ? h->said : text);
        buf_clear(&ports);
        close(h->gateway);
        free(h);
        return NULL;
    }
    buf_clear(&ports);
    struct mg_server_port bound[4];
    int n = mg_get_server_ports(h->server, 4, bound);
    for (int i = 0; i < n; i++) {
        h->port = bound[i].port > 0 ? bound[i].port : h->port;
    }
    gateway_ready(h->gateway);
    return h;
}

int httpd_port(const struct httpd *h) {
    return h->port;
}

void httpd_stop(struct httpd *h) {
    if (h != NULL) {
        atomic_store(&h->stopping, true);
        mg_stop(h->server);
        mg_exit_library();
        close(h->gateway);
        free(h);
    }
}

void httpd_metrics(const struct httpd *h, struct buf *out) {
    buf_adds(out, "# HELP gander_requests_total Requests answered, by class of status.\n"
                  "# TYPE gander_requests_total counter\n");
    int64_t total = 0;
    for (int i = 2; i < 6; i++) {
        int64_t n = atomic_load(&h->requests[i]);
        total += n;
        buf_addf(out, "gander_requests_total{status=\"%dxx\"} %lld\n", i, (long long)n);
    }
    buf_addf(out,
             "# HELP gander_request_seconds Time from a request to its answer.\n"
             "# TYPE gander_request_seconds summary\n"
             "gander_request_seconds_sum %.6f\ngander_request_seconds_count %lld\n",
             (double)atomic_load(&h->busy_us) / 1e6, (long long)total);
}
