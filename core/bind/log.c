/* log.c - gander.log: one JSON line on standard error.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "log.h"

#include <string.h>

#include "bind/bind.h"
#include "value.h"

/* log(level, text [, fields])     level: debug info warn error; fields: a table of plain values
 * log.secret(text)                redact this value (8 bytes and more) from now on */
static int f_call(lua_State *L) {
    const char *name = luaL_checkstring(L, 2);
    size_t len;
    const char *text = luaL_checklstring(L, 3, &len);
    enum log_level level;
    if (!log_level_of(name, &level)) {
        return luaL_argerror(L, 1, "debug, info, warn or error");
    }
    if (!log_wants(level)) {
        return 0;
    }
    struct buf *fields = buf_push(L);
    struct err err;
    if (!lua_isnoneornil(L, 4)) {
        luaL_checktype(L, 4, LUA_TTABLE);
        value_mark_object(L, 4);
        if (!value_encode(fields, L, 4, 0, &err)) {
            return luaL_error(L, "log: %s", err.text);
        }
        fields->data[fields->len - 1] = '\0'; /* without the braces */
    }
    log_fields(level, text, len, fields->data == NULL ? NULL : fields->data + 1);
    return 0;
}

static int f_secret(lua_State *L) {
    size_t len;
    const char *text = luaL_checklstring(L, 1, &len);
    log_secret(text, len);
    return 0;
}

int luaopen_gander_log(lua_State *L) {
    lua_newtable(L);
    lua_pushcfunction(L, f_secret);
    lua_setfield(L, -2, "secret");
    lua_createtable(L, 0, 1);
    lua_pushcfunction(L, f_call);
    lua_setfield(L, -2, "__call");
    lua_setmetatable(L, -2);
    return 1;
}
