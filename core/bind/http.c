/* http.c - gander.http: one HTTP request, the answer whole.
 *
 * Wraps core/fetch (libcurl).  Each VM keeps one fetch and with it its open connections.  Blocks,
 * and is counted as waiting meanwhile; never longer than the call it runs in may take.  The body
 * comes into memory (bounded by max_body) or, with a sink, into a file.  Streams are not for here:
 * gander.follow reads those, and a route's relay pipes them through.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "bind/http_options.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fetch.h"
#include "netns.h"
#include "wait.h"

#define FETCH_KEY "gander.http.fetch"
#define BODY_MAX  ((lua_Integer)64 << 20) /* in memory */
#define SINK_MAX  ((lua_Integer)16 << 30) /* in a file */

struct request {
    struct fetch_spec spec;
    const char *sink; /* path, or NULL */
    int64_t max_body;
    struct buf *body;    /* the answer's, owned by Lua */
    int sink_fd;         /* open while a sink is written, else -1 */
    int64_t got;         /* bytes of body so far */
    struct err failed;   /* why a hook ended the transfer; ERR_NONE otherwise */
    struct proc *target; /* whose network namespace is dialled, or NULL */
    bool head_only;      /* a success ends with its head: its body is a stream nobody reads here */
    bool headed;         /* that has happened */
};

static bool too_big(struct request *r) {
    return err_set(&r->failed, ERR_INVALID, "the body is over max_body (%" PRId64 " bytes)",
                   r->max_body);
}

/* Only a success goes to the sink; the body of an error is read by the caller. */
static bool on_begin(void *ctx, const struct fetch_reply *reply) {
    struct request *r = ctx;
    if (r->head_only && reply->status >= 200 && reply->status <= 299) {
        r->headed = true;
        return false;
    }
    const char *length = fetch_header(reply, "content-length");
    if (length != NULL && strtoll(length, NULL, 10) > r->max_body) {
        return too_big(r);
    }
    if (r->sink == NULL || reply->status < 200 || reply->status > 299) {
        return true;
    }
    r->sink_fd = open(r->sink, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    return r->sink_fd >= 0 || err_errno(&r->failed, errno, "cannot write %s", r->sink);
}

static enum fetch_next on_body(void *ctx, const char *data, size_t len) {
    struct request *r = ctx;
    r->got += (int64_t)len;
    int64_t max =
        r->sink != NULL && r->sink_fd < 0 && r->max_body > BODY_MAX ? BODY_MAX : r->max_body;
    if (r->got > max) {
        too_big(r);
        return FETCH_STOP;
    }
    if (r->sink_fd < 0) {
        buf_add(r->body, data, len);
        return FETCH_ON;
    }
    while (len > 0) {
        ssize_t n = write(r->sink_fd, data, len);
        if (n < 0 && errno != EINTR) {
            err_errno(&r->failed, errno, "cannot write %s", r->sink);
            return FETCH_STOP;
        }
        data += n < 0 ? 0 : n;
        len -= n < 0 ? 0 : (size_t)n;
    }
    return FETCH_ON;
}

static int fetch_gc(lua_State *L) {
    struct fetch **f = lua_touserdata(L, 1);
    fetch_free(*f);
    *f = NULL;
    return 0;
}

/* This VM's fetch, made at the first request. */
static struct fetch *fetch_of(lua_State *L) {
    if (lua_getfield(L, LUA_REGISTRYINDEX, FETCH_KEY) == LUA_TNIL) {
        struct fetch **f = lua_newuserdatauv(L, sizeof *f, 0);
        *f = NULL;
        if (luaL_newmetatable(L, FETCH_KEY ".type")) {
            lua_pushcfunction(L, fetch_gc);
            lua_setfield(L, -2, "__gc");
        }
        lua_setmetatable(L, -2);
        *f = fetch_new();
        lua_setfield(L, LUA_REGISTRYINDEX, FETCH_KEY);
        lua_getfield(L, LUA_REGISTRYINDEX, FETCH_KEY);
    }
    struct fetch *f = *(struct fetch **)lua_touserdata(L, -1);
    lua_pop(L, 1);
    return f;
}

static const char *check_sink(lua_State *L) {
    static const char *const keys[] = {"file", NULL};
    if (!opt_table(L, 1, "sink")) {
        return NULL;
    }
    opt_check(L, -1, keys);
    const char *path = opt_string(L, lua_gettop(L), "file", NULL, NULL);
    luaL_argcheck(L, path != NULL, 1, "option 'sink' wants a file");
    lua_pop(L, 1);
    return path;
}

/* All options; raises on misuse, false: a value that cannot be sent. */
static bool check_request(lua_State *L, struct request *r, struct err *err) {
    static const char *const keys[] = {HTTP_OPTION_KEYS, "timeout_ms", "max_body", "redirects",
                                       "sink",           "head_only",  NULL};
    luaL_checktype(L, 1, LUA_TTABLE);
    opt_check(L, 1, keys);
    r->spec.timeout_ms = opt_integer(L, 1, "timeout_ms", 30000, 1, 3600000);
    r->spec.redirects = (int)opt_integer(L, 1, "redirects", 0, 0, 20);
    r->sink = check_sink(L);
    r->head_only = opt_boolean(L, 1, "head_only", false);
    lua_Integer max = r->sink == NULL ? BODY_MAX : SINK_MAX;
    r->max_body = opt_integer(L, 1, "max_body", r->sink == NULL ? 8 << 20 : 1 << 30, 0, max);
    return http_options(L, 1, &r->spec, &r->target, err);
}

/* Not longer than the script's own call may take. */
static bool bound_by_call(lua_State *L, struct fetch_spec *s, struct err *err) {
    int64_t deadline = side_of(L)->deadline_ms, left = deadline - clock_ms();
    if (deadline != 0 && left <= 0) {
        return err_set(err, ERR_TIMEOUT, "the call's time is up");
    }
    if (deadline != 0 && left < s->timeout_ms) {
        s->timeout_ms = left;
    }
    return true;
}

/* The transfer itself: no Lua from here to its end. */
static bool perform(struct fetch *f, struct request *r, struct wait *wait, struct err *err) {
    static const struct fetch_hooks hooks = {.begin = on_begin, .body = on_body};
    if (r->target != NULL && (r->spec.netns = netns_open(r->target, err)) == NULL) {
        return false;
    }
    bool good = fetch_set(f, &r->spec, &hooks, r, err);
    if (good) {
        wait_begin(wait);
        good = fetch_run(f, err) || r->headed;
        wait_end(wait);
    }
    netns_free(r->spec.netns);
    if (r->sink_fd >= 0) {
        close(r->sink_fd);
        if (!good) {
            unlink(r->sink);
        }
    }
    if (r->failed.code != ERR_NONE) {
        *err = r->failed;
        err_wrap(err, "%s", fetch_label(f));
    }
    return good;
}

/* Headers as a table; a repeated one is joined by ", ", set-cookie by a line break. */
static void push_headers(lua_State *L, const struct fetch_reply *reply) {
    lua_newtable(L);
    const char *at = reply->headers.data, *end = at + reply->headers.len;
    while (at != NULL && at < end) {
        const char *value = at + strlen(at) + 1;
        if (lua_getfield(L, -1, at) == LUA_TSTRING) {
            lua_pushfstring(L, "%s%s%s", lua_tostring(L, -1),
                            strcmp(at, "set-cookie") == 0 ? "\n" : ", ", value);
        } else {
            lua_pushstring(L, value);
        }
        lua_setfield(L, -3, at);
        lua_pop(L, 1);
        at = value + strlen(value) + 1;
    }
}

/* request{...} -> {status, headers, body, ms}    any status; body "" when it went to the sink
 *                                                with head_only a success comes without its body
 *              -> nil, message, "unavailable"    no connection, or broken off
 *              -> nil, message, "timeout" | "invalid" (URL, header, too big) | … */
static int f_request(lua_State *L) {
    struct request r = {.sink_fd = -1};
    struct err err = {.code = ERR_NONE};
    if (!check_request(L, &r, &err) || !bound_by_call(L, &r.spec, &err)) {
        return fail(L, &err);
    }
    struct fetch *f = fetch_of(L);
    r.body = buf_push(L);
    int64_t start = clock_ms();
    if (!perform(f, &r, host_of(L)->wait, &err)) {
        return fail(L, &err);
    }
    const struct fetch_reply *reply = fetch_reply(f);
    lua_createtable(L, 0, 4);
    lua_pushinteger(L, reply->status);
    lua_setfield(L, -2, "status");
    lua_pushlstring(L, r.body->len > 0 ? r.body->data : "", r.body->len);
    buf_clear(r.body);
    lua_setfield(L, -2, "body");
    push_headers(L, reply);
    lua_setfield(L, -2, "headers");
    lua_pushinteger(L, clock_ms() - start);
    lua_setfield(L, -2, "ms");
    return 1;
}

static const luaL_Reg function_list[] = {
    {"request", f_request}, /* one request, the answer whole */
    {NULL, NULL},
};

int luaopen_gander_http(lua_State *L) {
    luaL_newlib(L, function_list);
    return 1;
}
