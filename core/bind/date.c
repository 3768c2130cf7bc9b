/* date.c - gander.date: a point in time, milliseconds since 1970 UTC.
 *
 * date(ms | "RFC 3339" | Date) makes one; Date.ms, tostring, ==, <, <= work.  A stored time is
 * always a Date.  Immutable; does not block. SPDX-License-Identifier: Apache-2.0
 */
#include "bind/bind.h"
#include "value.h"

#include <string.h>

#define TYPE_DATE "gander.Date"
#define MS_MAX    INT64_C(253402300799999) /* the end of year 9999 */

void value_push_date(lua_State *L, int64_t ms) {
    int64_t *d = lua_newuserdatauv(L, sizeof *d, 0);
    *d = ms;
    luaL_setmetatable(L, TYPE_DATE);
}

bool value_to_date(lua_State *L, int index, int64_t *ms) {
    const int64_t *d = luaL_testudata(L, index, TYPE_DATE);
    if (d == NULL) {
        return false;
    }
    *ms = *d;
    return true;
}

static int64_t check_date(lua_State *L, int index) {
    return *(const int64_t *)luaL_checkudata(L, index, TYPE_DATE);
}

/* date(ms | "RFC 3339" | Date) -> Date
 *                              -> nil, message, "invalid"    a string that is no date */
static int f_call(lua_State *L) {
    int64_t ms;
    if (value_to_date(L, 2, &ms)) {
        lua_settop(L, 2);
        return 1;
    }
    if (lua_type(L, 2) == LUA_TNUMBER) {
        ms = luaL_checkinteger(L, 2);
        luaL_argcheck(L, ms >= -MS_MAX && ms <= MS_MAX, 2, "milliseconds out of range");
        value_push_date(L, ms);
        return 1;
    }
    size_t len;
    const char *text = luaL_checklstring(L, 2, &len);
    if (!value_date_parse(text, len, &ms)) {
        struct err err;
        err_set(&err, ERR_INVALID, "'%.40s' is not an RFC 3339 date", text);
        return fail(L, &err);
    }
    value_push_date(L, ms);
    return 1;
}

static int m_index(lua_State *L) {
    int64_t ms = check_date(L, 1);
    const char *key = luaL_checkstring(L, 2);
    if (strcmp(key, "ms") != 0) {
        return luaL_error(L, "a Date has only 'ms', no '%s'", key);
    }
    lua_pushinteger(L, ms);
    return 1;
}

static int m_tostring(lua_State *L) {
    struct buf *text = buf_push(L);
    value_date_text(text, check_date(L, 1));
    lua_pushlstring(L, text->data, text->len);
    return 1;
}

static int m_eq(lua_State *L) {
    int64_t a, b;
    lua_pushboolean(L, value_to_date(L, 1, &a) && value_to_date(L, 2, &b) && a == b);
    return 1;
}

static int m_lt(lua_State *L) {
    lua_pushboolean(L, check_date(L, 1) < check_date(L, 2));
    return 1;
}

static int m_le(lua_State *L) {
    lua_pushboolean(L, check_date(L, 1) <= check_date(L, 2));
    return 1;
}

static const luaL_Reg meta_list[] = {
    {"__eq", m_eq}, {"__index", m_index},       {"__le", m_le},
    {"__lt", m_lt}, {"__tostring", m_tostring}, {NULL, NULL},
};

int luaopen_gander_date(lua_State *L) {
    luaL_newmetatable(L, TYPE_DATE);
    luaL_setfuncs(L, meta_list, 0);
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "__metatable");
    lua_pop(L, 1);
    lua_newtable(L);
    lua_newtable(L);
    lua_pushcfunction(L, f_call);
    lua_setfield(L, -2, "__call");
    lua_setmetatable(L, -2);
    return 1;
}
