/* bus.c - gander.bus: publish events for browsers, waiting calls and jobs.
 *
 * Wraps core/bus.  A value is encoded once, here, in the caller; readers get the text.  Does not
 * block.  Reading is not offered: scripts name what a stream or an await shall read (seams 3).
 * SPDX-License-Identifier: Apache-2.0
 */
#include "bind/bind.h"

#include "bus.h"

static struct bus *bus_of(lua_State *L) {
    struct bus *bus = host_of(L)->bus;
    if (bus == NULL) {
        luaL_error(L, "gander.bus is not running in this tool");
    }
    return bus;
}

static const char *check_name(lua_State *L, int index) {
    size_t len;
    const char *name = luaL_checklstring(L, index, &len);
    luaL_argcheck(L, len > 0 && len <= BUS_NAME_MAX, index, "a name has 1 to 200 bytes");
    return name;
}

/* publish(topic, event, value [, id]) -> id
 *                                     -> nil, message, "conflict"    the id does not grow
 *                                     -> nil, message, "invalid"     the value is no JSON, too big
 */
static int f_publish(lua_State *L) {
    struct bus *bus = bus_of(L);
    const char *topic = check_name(L, 1);
    const char *event = check_name(L, 2);
    luaL_checkany(L, 3);
    lua_Integer id = luaL_optinteger(L, 4, 0);
    luaL_argcheck(L, lua_isnoneornil(L, 4) || id > 0, 4, "an id is 1 or more");
    struct buf *json = buf_push(L);
    struct err err;
    if (!value_encode(json, L, 3, 0, &err)) {
        return fail(L, &err);
    }
    if (json->len > BUS_EVENT_MAX) {
        err_set(&err, ERR_INVALID, "an event has at most %zu bytes of JSON, this has %zu",
                BUS_EVENT_MAX, json->len);
        return fail(L, &err);
    }
    int64_t given = bus_publish(bus, topic, event, json->data, json->len, id);
    if (given == 0) {
        err_set(&err, ERR_CONFLICT, "topic '%s' is already at or past id %lld", topic,
                (long long)id);
        return fail(L, &err);
    }
    lua_pushinteger(L, given);
    return 1;
}

/* The list of topics at index 1, as strings that the table keeps alive. */
static size_t check_topics(lua_State *L, const char **topics) {
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_Unsigned n = lua_rawlen(L, 1);
    luaL_argcheck(L, n >= 1 && n <= BUS_TOPICS_MAX, 1, "a list of 1 to 16 topics");
    for (lua_Unsigned i = 0; i < n; i++) {
        lua_rawgeti(L, 1, (lua_Integer)i + 1);
        luaL_argcheck(L, lua_type(L, -1) == LUA_TSTRING, 1, "a topic is a string");
        topics[i] = check_name(L, -1);
        lua_pop(L, 1);
    }
    return (size_t)n;
}

/* cursor(topics [, ids]) -> string    the place "now" in a stream of these topics, taken BEFORE the
 *                                     state is read; ids[topic] = the last id that state holds */
static int f_cursor(lua_State *L) {
    struct bus *bus = bus_of(L);
    const char *topics[BUS_TOPICS_MAX];
    int64_t ids[BUS_TOPICS_MAX];
    size_t n = check_topics(L, topics);
    if (!lua_isnoneornil(L, 2)) {
        luaL_checktype(L, 2, LUA_TTABLE);
    }
    for (size_t i = 0; i < n; i++) {
        ids[i] = opt_integer(L, 2, topics[i], -1, 0, INT64_MAX);
    }
    struct buf *text = buf_push(L);
    struct err err;
    if (!bus_cursor_now(bus, topics, ids, n, text, &err)) {
        return fail(L, &err);
    }
    lua_pushlstring(L, text->data, text->len);
    return 1;
}

static const luaL_Reg function_list[] = {
    {"cursor", f_cursor},   /* the place "now" of a stream */
    {"publish", f_publish}, /* an event to all who listen */
    {NULL, NULL},
};

int luaopen_gander_bus(lua_State *L) {
    luaL_newlib(L, function_list);
    return 1;
}
