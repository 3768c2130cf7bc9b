/* follow.c - gander.follow: keep reading a file or an HTTP stream, and hand it on in batches.
 *
 * Wraps core/follow.  A follow belongs to the host, not to this VM: it goes on until it is stopped,
 * its upstream ends, or its job says so.  Does not block, but for stop with wait_ms.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "bind/http_options.h"

#include <string.h>

#include "follow.h"
#include "netns.h"
#include "value.h"
#include "wait.h"

static struct follow *follow_of(lua_State *L) {
    struct follow *follow = host_of(L)->follow;
    if (follow == NULL) {
        luaL_error(L, "gander.follow is not running in this tool");
    }
    return follow;
}

static const char *check_key(lua_State *L, const char *key) {
    if (key == NULL || *key == '\0' || strlen(key) > FOLLOW_KEY_MAX) {
        luaL_error(L, "a key is a string of 1 to %d bytes", FOLLOW_KEY_MAX);
    }
    return key;
}

/* The value at the top as JSON in a buf that takes its place; raises when it has none. */
static const char *encode_top(lua_State *L, const char *option) {
    struct buf *json = buf_push(L);
    struct err err;
    if (!value_encode(json, L, -2, VALUE_TYPED, &err)) {
        luaL_error(L, "option '%s': %s", option, err.text);
    }
    lua_remove(L, -2);
    return json->data;
}

/* `index` is source = {file=, offset=}; pushes the cursor's text if there is one. */
static void check_file(lua_State *L, int index, struct follow_spec *spec) {
    static const char *const keys[] = {"file", "offset", NULL};
    opt_check(L, index, keys);
    spec->file = opt_string(L, index, "file", NULL, NULL);
    lua_Integer offset = opt_integer(L, index, "offset", -1, 0, INT64_MAX);
    if (offset >= 0) {
        spec->cursor = lua_pushfstring(L, "%I", (LUAI_UACINT)offset);
    }
}

/* `index` is source = {http={…}, resume=}; resume may be in either. */
static bool check_http(lua_State *L, int index, struct follow_spec *spec, struct fetch_spec *http,
                       struct proc **target, struct err *err) {
    static const char *const keys[] = {"http", "resume", NULL};
    static const char *const http_keys[] = {HTTP_OPTION_KEYS, "idle_ms", "resume", NULL};
    opt_check(L, index, keys);
    if (!opt_table(L, index, "http")) {
        luaL_error(L, "option 'source' wants a file or http");
    }
    int table = lua_gettop(L);
    opt_check(L, table, http_keys);
    const char *resume = opt_string(L, index, "resume", NULL, NULL);
    resume = opt_string(L, table, "resume", resume, NULL);
    if (resume != NULL && !follow_resume_of(resume, &spec->resume)) {
        luaL_error(L, "option 'resume' is \"last-event-id\", \"after\" or \"replay\", not '%s'",
                   resume);
    }
    http->idle_ms = opt_integer(L, table, "idle_ms", 60000, 1000, 3600000);
    spec->http = http;
    return http_options(L, table, http, target, err);
}

static void check_format(lua_State *L, struct follow_spec *spec) {
    const char *format = opt_string(L, 1, "format", NULL, NULL);
    if (format == NULL || !follow_format_of(format, &spec->format)) {
        luaL_error(L,
                   "option 'format' is \"lines\", \"ndjson\", \"sse\", \"frames\" or \"chunks\"");
    }
}

static void check_job(lua_State *L, struct follow_spec *spec) {
    spec->job = opt_string(L, 1, "job", "collect", NULL);
    if (strspn(spec->job, "abcdefghijklmnopqrstuvwxyz0123456789_/") != strlen(spec->job) ||
        *spec->job == '\0') {
        luaL_error(L, "option 'job' is the name of a file under jobs/, not '%s'", spec->job);
    }
    spec->topic = opt_string(L, 1, "topic", NULL, NULL);
    if (spec->topic != NULL && (*spec->topic == '\0' || strlen(spec->topic) > BUS_NAME_MAX)) {
        luaL_error(L, "option 'topic' has 1 to %d bytes", BUS_NAME_MAX);
    }
    spec->batch_ms = (int)opt_integer(L, 1, "batch_ms", 100, 0, 60000);
    spec->batch_max = (int)opt_integer(L, 1, "batch_max", 200, 1, 10000);
    spec->data = lua_getfield(L, 1, "data") == LUA_TNIL ? "{}" : encode_top(L, "data");
}

static bool check_source(lua_State *L, struct follow_spec *spec, struct fetch_spec *http,
                         struct proc **target, struct err *err) {
    if (!opt_table(L, 1, "source")) {
        luaL_error(L, "option 'source' is missing");
    }
    int source = lua_gettop(L);
    bool is_file = lua_getfield(L, source, "file") != LUA_TNIL;
    lua_pop(L, 1);
    if (!is_file) {
        return check_http(L, source, spec, http, target, err);
    }
    check_file(L, source, spec);
    if (spec->format != FOLLOW_LINES) {
        luaL_error(L, "a file is followed in the format 'lines'");
    }
    return true;
}

/* start{key, source, format, cursor, topic, job, data, batch_ms, batch_max, punch} -> true
 *     -> nil, message, "conflict"    the key is followed already
 *     -> nil, message, "busy"        it is still ending, or there are too many
 *     -> nil, message, "invalid"     a cursor of another format, a header that cannot be sent
 *     -> nil, message, "not_found"   the process of `netns` has ended */
static int f_start(lua_State *L) {
    static const char *const keys[] = {"key",  "source",   "format",    "cursor", "topic", "job",
                                       "data", "batch_ms", "batch_max", "punch",  NULL};
    struct follow *follow = follow_of(L);
    struct follow_spec spec = {.resume = FOLLOW_NO_RESUME};
    struct fetch_spec http = {.method = NULL};
    struct proc *target = NULL;
    struct err err;
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    opt_check(L, 1, keys);
    spec.key = check_key(L, opt_string(L, 1, "key", NULL, NULL));
    spec.punch = opt_boolean(L, 1, "punch", false);
    check_format(L, &spec);
    check_job(L, &spec);
    bool good = check_source(L, &spec, &http, &target, &err);
    if (lua_getfield(L, 1, "cursor") != LUA_TNIL) {
        spec.cursor = encode_top(L, "cursor");
    }
    if (!good) {
        return fail(L, &err);
    }
    if (target != NULL && (http.netns = netns_open(target, &err)) == NULL) {
        return fail(L, &err);
    }
    if (!follow_start(follow, &spec, &err)) {
        netns_free(http.netns);
        return fail(L, &err);
    }
    lua_pushboolean(L, true);
    return 1;
}

/* stop(key [, {wait_ms}]) -> true                      it ends; with wait_ms: it has ended
 *                         -> nil                       there is none
 *                         -> nil, message, "timeout"   it did not end in that time */
static int f_stop(lua_State *L) {
    static const char *const keys[] = {"wait_ms", NULL};
    struct follow *follow = follow_of(L);
    const char *key = check_key(L, luaL_checkstring(L, 1));
    opt_check(L, 2, keys);
    lua_Integer wait_ms = opt_integer(L, 2, "wait_ms", 0, 0, 600000);
    if (!follow_end(follow, key)) {
        lua_pushnil(L);
        return 1;
    }
    struct wait *wait = host_of(L)->wait;
    bool gone = true;
    if (wait_ms > 0) {
        wait_begin(wait);
        gone = follow_wait(follow, key, clock_ms() + wait_ms);
        wait_end(wait);
    }
    if (!gone) {
        struct err err;
        err_set(&err, ERR_TIMEOUT, "'%s' did not end within %lld ms", key, (long long)wait_ms);
        return fail(L, &err);
    }
    lua_pushboolean(L, true);
    return 1;
}

/* list() -> {{key, source, format, job, state, pending, tries, cursor?, error?}, …} */
static int f_list(lua_State *L) {
    struct follow *follow = follow_of(L);
    struct buf *json = buf_push(L);
    struct err err;
    follow_list(follow, json);
    if (!value_decode(L, json->data, json->len, 0, 8, &err)) {
        return fail(L, &err);
    }
    return 1;
}

static const luaL_Reg function_list[] = {
    {"list", f_list},   /* what is followed */
    {"start", f_start}, /* begin to follow */
    {"stop", f_stop},   /* read what is there, then end */
    {NULL, NULL},
};

int luaopen_gander_follow(lua_State *L) {
    luaL_newlib(L, function_list);
    return 1;
}
