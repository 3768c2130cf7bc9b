/* relay.h - pipe an upstream's answer through to a client: previews, downloads, the model gateway.
 *
 * relay_run blocks the calling thread (a connection's, which holds no VM) until the answer is
 * through; what the client does not take is not read from upstream.  Status and headers pass, but
 * those that belong to one connection (RFC 9110 7.6.1); framing is the writer's.  The last 16 KiB
 * and the whole length are kept for whoever wants to look at the end of the answer (`usage`).
 *
 * Threads: relay_run may run on many at once; idle fetches, with their connections, are shared.
 * Knows no Lua and no civetweb.
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef GANDER_RELAY_H
#define GANDER_RELAY_H

#include "fetch.h"

#define RELAY_TAIL ((size_t)16 << 10)

struct relay;

struct relay_writer {
    void *ctx;
    /* Once, first.  `headers` is "name: value\r\n" lines; `length` is that of the body, -1 when it
     * is not known (and may be given for a body that HEAD leaves out). */
    bool (*begin)(void *ctx, int status, const struct buf *headers, int64_t length);
    bool (*write)(void *ctx, const char *data, size_t len); /* false: the client is gone */
    bool (*cancelled)(void *ctx); /* asked while upstream is silent; may be NULL */
};

struct relay_result {
    int status;      /* 0: no answer came */
    int64_t length;  /* bytes of body passed on */
    bool complete;   /* the whole answer went through */
    struct buf tail; /* the last RELAY_TAIL bytes of the body */
    struct err err;  /* why it is not complete */
};

struct relay *relay_new(void);
void relay_free(struct relay *r); /* when no relay_run is left */

/* Hop-by-hop headers, Host and framing in `spec` are left out.  false: `begin` was not called, so
 * an error can still be answered; *err has it.  The result is to be cleared in any case. */
bool relay_run(struct relay *r, const struct fetch_spec *spec, const struct relay_writer *writer,
               struct relay_result *result, struct err *err);
/* {"status", "length", "complete", "tail", "error"?: {"code", "message"}} */
void relay_result_json(const struct relay_result *result, struct buf *out);
void relay_result_clear(struct relay_result *result);

#endif
