/* httpd_own.h - what httpd.c, httpd_guard.c and httpd_send.c share. Not for others.
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef GANDER_HTTPD_OWN_H
#define GANDER_HTTPD_OWN_H

#include <civetweb.h>
#include <stdatomic.h>

#include "httpd.h"

struct httpd {
    struct httpd_parts parts;
    struct mg_context *server;
    int port;
    int gateway;    /* the directory of the gateway's socket */
    char said[200]; /* civetweb's first complaint while it starts */
    atomic_bool stopping;
    _Atomic int64_t requests[6]; /* by hundreds of the status */
    _Atomic int64_t busy_us;     /* time from request to answer, summed */
};

/* One request on its way through. */
struct exchange {
    struct httpd *httpd;
    struct mg_connection *connection;
    struct request request;
    int64_t generation; /* of the scripts that answered; 0 = C alone */
    int64_t started_us;
    bool keep; /* the connection may serve another request */
    bool head; /* HEAD: headers only */
};

/* httpd_guard.c: fill the request; false when it was refused (and answered). */
bool guard_request(struct exchange *x);
bool guard_body(struct exchange *x);

/* httpd_send.c: one buffer, one write. */
void send_answer(struct exchange *x, int status, const char *headers, const void *body, size_t len);
void send_error(struct exchange *x, int status, enum err_code code, const char *headers,
                const char *message);
void send_err(struct exchange *x, const struct err *err);
void send_asset(struct exchange *x, const struct asset *asset);
/* Status line and headers of a body that ends with the connection or comes in chunks. */
bool send_head(struct exchange *x, int status, const char *headers, bool chunked);
bool send_chunk(struct exchange *x, const void *data, size_t len); /* len 0 ends it */

#endif
