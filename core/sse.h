/* sse.h - event streams to browsers: many sockets, one thread.
 *
 * httpd answers a request with its head (200, text/event-stream, Connection: close; the stream ends
 * by closing) and hands the socket over; from then on this engine owns it.  Each client reads the
 * bus at its own place, so nothing is queued for it but what its socket does not take at once; a
 * client that falls behind the bus's rings is filled in by `replay` or told to `reset`.
 *
 * A stream begins with `retry: 1000` and an `id:` alone (so that a reconnect before the first event
 * misses nothing; not when the cursor was of another start), then, where needed, `reset` or
 * replayed events, then live ones.  A comment is sent each 10 s.  A client that takes nothing for
 * 30 s is dropped.
 *
 * Resuming: a topic whose events are still in the ring goes on there.  Otherwise, when the cursor
 * has an id for it (topics counted by the store: logs, sessions), `replay` is asked, over a restart
 * of the host too; for topics counted by the bus `reset` is sent.
 *
 * Threads: sse_adopt may be called from any; `replay` is called on one of two helper threads; the
 * rest runs on the engine's own.  Knows no Lua and no civetweb.
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef GANDER_SSE_H
#define GANDER_SSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "bus.h"
#include "err.h"

struct sse;

struct sse_spec { /* copied by sse_adopt */
    const char *const *topics;
    size_t count;
    const char *after;       /* Last-Event-ID or ?after=, NULL: from now */
    const char *replay;      /* "routes/events#replay", NULL: none */
    const char *until_event; /* the stream ends after this event; NULL: never by itself */
};

struct sse_hooks {
    void *ctx;
    /* Call `name` with {"topic", "after": id, "boot_changed"}; its result, as (typed) JSON, is
     * {"events": [{"event", "id", "data"}], "more": bool} or null: it cannot. */
    bool (*replay)(void *ctx, const char *name, const char *json, size_t len, struct buf *result,
                   struct err *err);
};

struct sse *sse_new(struct bus *bus, const struct sse_hooks *hooks, size_t clients_max,
                    struct err *err);
/* On success the socket is the engine's; on failure it stays the caller's. */
bool sse_adopt(struct sse *s, int fd, const struct sse_spec *spec, struct err *err);
/* End all streams; returns when the threads have ended (a replay that runs is waited for). */
void sse_stop(struct sse *s);
void sse_free(struct sse *s); /* after sse_stop, before bus_free */

struct sse_count {
    int64_t clients;          /* now */
    int64_t adopted, dropped; /* since start; dropped: too slow */
    int64_t events;           /* sent */
    int64_t replays, resets;
};
struct sse_count sse_counts(struct sse *s);

#endif
