/* httpd.h - the HTTP door: civetweb in, scripts' answers out.
 *
 * One civetweb thread serves a connection.  Each request is checked here (framing, Host, Origin,
 * size), matched by router.c, and either answered from C (static files, 404, 405, OPTIONS) or given
 * to a VM by route_call.c; then the VM is put back before anything is written.  Streams leave for
 * the sse engine with their socket; an await waits here without a VM; a relay and chunks are
 * written from here without a VM between the pieces.
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef GANDER_HTTPD_H
#define GANDER_HTTPD_H

#include "assets.h"
#include "config.h"
#include "request.h"
#include "scripts.h"
#include "workers.h"

struct httpd;
struct relay;
struct sse;

struct httpd_parts {
    struct host *host;
    const struct config *config;
    struct scripts *scripts;
    struct workers *workers;
    struct assets *assets;
    struct sse *sse;
    struct relay *relay;
};

struct httpd *httpd_start(const struct httpd_parts *parts, struct err *err);
int httpd_port(const struct httpd *h); /* the one it listens on (when asked for port 0) */
void httpd_stop(struct httpd *h);      /* no new requests; waits for those in progress */
void httpd_metrics(const struct httpd *h, struct buf *out);

#endif
