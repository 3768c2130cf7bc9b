/* bind.c - see bind.h.  Also the list of all bindings.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "bind/bind.h"

#include <stdlib.h>
#include <string.h>

struct side *side_of(lua_State *L) {
    return *(struct side **)lua_getextraspace(L);
}

struct host *host_of(lua_State *L) {
    return side_of(L)->host;
}

void box_type(lua_State *L, const char *type, const luaL_Reg *methods) {
    luaL_newmetatable(L, type);
    lua_newtable(L);
    luaL_setfuncs(L, methods, 0);
    lua_pushcfunction(L, box_close);
    lua_setfield(L, -2, "close");
    lua_setfield(L, -2, "__index");
    lua_pushcfunction(L, box_close);
    lua_setfield(L, -2, "__gc");
    lua_pushcfunction(L, box_close);
    lua_setfield(L, -2, "__close");
    lua_pushstring(L, type);
    lua_setfield(L, -2, "__name");
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "__metatable");
    lua_pop(L, 1);
}

struct box *box_new(lua_State *L, const char *type, int parent) {
    if (parent != 0) {
        parent = lua_absindex(L, parent);
    }
    struct box *b = lua_newuserdatauv(L, sizeof *b, 1);
    memset(b, 0, sizeof *b);
    b->side = side_of(L);
    if (parent != 0) {
        b->parent = lua_touserdata(L, parent);
        lua_pushvalue(L, parent);
        lua_setiuservalue(L, -2, 1);
    }
    luaL_setmetatable(L, type);
    return b;
}

void box_fill(struct box *b, void *thing, void (*close)(void *thing)) {
    b->thing = thing;
    b->close = close;
    b->side->open_boxes++;
    if (b->parent != NULL) {
        b->parent->children++;
    }
}

/* Close for real once nothing depends on the thing; then the parent may follow. */
static void box_release(struct box *b) {
    if (b->thing == NULL || !b->closing || b->children > 0) {
        return;
    }
    void *thing = b->thing;
    b->thing = NULL;
    b->close(thing);
    b->side->open_boxes--;
    if (b->parent != NULL) {
        b->parent->children--;
        box_release(b->parent);
    }
}

/* Is the value at index 1 a box?  All their metatables, and no others, close with box_close. */
static bool is_box(lua_State *L) {
    return lua_type(L, 1) == LUA_TUSERDATA && luaL_getmetafield(L, 1, "__close") != LUA_TNIL &&
           lua_tocfunction(L, -1) == box_close;
}

int box_close(lua_State *L) {
    if (!is_box(L)) {
        return luaL_error(L, "close wants a handle; call it with a colon");
    }
    struct box *b = lua_touserdata(L, 1);
    b->closing = true;
    box_release(b);
    return 0;
}

void *box_check(lua_State *L, int index, const char *type) {
    struct box *b = luaL_checkudata(L, index, type);
    if (b->thing == NULL || b->closing) {
        luaL_error(L, "attempt to use a closed %s", type);
    }
    return b->thing;
}

static int buf_gc(lua_State *L) {
    buf_clear(lua_touserdata(L, 1));
    return 0;
}

struct buf *buf_push(lua_State *L) {
    struct buf *b = lua_newuserdatauv(L, sizeof *b, 0);
    *b = (struct buf)BUF_INIT;
    if (luaL_newmetatable(L, "gander.buf")) {
        lua_pushcfunction(L, buf_gc);
        lua_setfield(L, -2, "__gc");
    }
    lua_setmetatable(L, -2);
    return b;
}

int fail(lua_State *L, const struct err *err) {
    lua_pushnil(L);
    lua_pushstring(L, err->text);
    lua_pushstring(L, err_name(err->code));
    return 3;
}

static bool has_options(lua_State *L, int index) {
    if (lua_isnoneornil(L, index)) {
        return false;
    }
    luaL_checktype(L, index, LUA_TTABLE);
    return true;
}

void opt_check(lua_State *L, int index, const char *const *keys) {
    if (!has_options(L, index)) {
        return;
    }
    index = lua_absindex(L, index);
    lua_pushnil(L);
    while (lua_next(L, index) != 0) {
        lua_pop(L, 1);
        const char *key = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : NULL;
        const char *const *known = keys;
        while (key != NULL && *known != NULL && strcmp(*known, key) != 0) {
            known++;
        }
        if (key == NULL || *known == NULL) {
            luaL_error(L, "unknown option '%s'", luaL_tolstring(L, -1, NULL));
        }
    }
}

lua_Integer opt_integer(lua_State *L, int index, const char *key, lua_Integer def, lua_Integer min,
                        lua_Integer max) {
    if (!has_options(L, index) || lua_getfield(L, index, key) == LUA_TNIL) {
        if (!lua_isnoneornil(L, index)) {
            lua_pop(L, 1);
        }
        return def;
    }
    int is_integer;
    lua_Integer n = lua_tointegerx(L, -1, &is_integer);
    if (!is_integer || n < min || n > max) {
        luaL_error(L, "option '%s' must be an integer from %I to %I, not %s", key, (LUAI_UACINT)min,
                   (LUAI_UACINT)max, luaL_tolstring(L, -1, NULL));
    }
    lua_pop(L, 1);
    return n;
}

bool opt_boolean(lua_State *L, int index, const char *key, bool def) {
    if (!has_options(L, index)) {
        return def;
    }
    int type = lua_getfield(L, index, key);
    if (type != LUA_TNIL && type != LUA_TBOOLEAN) {
        luaL_error(L, "option '%s' must be true or false, not %s", key, luaL_typename(L, -1));
    }
    bool value = type == LUA_TNIL ? def : lua_toboolean(L, -1);
    lua_pop(L, 1);
    return value;
}

const char *opt_string(lua_State *L, int index, const char *key, const char *def, size_t *len) {
    const char *text = def;
    size_t n = def == NULL ? 0 : strlen(def);
    if (has_options(L, index)) {
        int type = lua_getfield(L, index, key);
        if (type != LUA_TNIL && type != LUA_TSTRING) {
            luaL_error(L, "option '%s' must be a string, not %s", key, luaL_typename(L, -1));
        }
        if (type == LUA_TSTRING) {
            text = lua_tolstring(L, -1, &n);
        }
        lua_pop(L, 1);
    }
    if (len != NULL) {
        *len = n;
    }
    return text;
}

bool opt_table(lua_State *L, int index, const char *key) {
    if (!has_options(L, index)) {
        return false;
    }
    int type = lua_getfield(L, index, key);
    if (type == LUA_TNIL) {
        lua_pop(L, 1);
        return false;
    }
    if (type != LUA_TTABLE) {
        luaL_error(L, "option '%s' must be a table, not %s", key, luaL_typename(L, -1));
    }
    return true;
}

int luaopen_gander_bus(lua_State *L);
int luaopen_gander_date(lua_State *L);
int luaopen_gander_follow(lua_State *L);
int luaopen_gander_fs(lua_State *L);
int luaopen_gander_http(lua_State *L);
int luaopen_gander_json(lua_State *L);
int luaopen_gander_log(lua_State *L);
int luaopen_gander_process(lua_State *L);
int luaopen_gander_sqlite(lua_State *L);
int luaopen_gander_sys(lua_State *L);

const struct opener bind_openers[] = {
    {"gander.bus", luaopen_gander_bus},
    {"gander.date", luaopen_gander_date},
    {"gander.follow", luaopen_gander_follow},
    {"gander.fs", luaopen_gander_fs},
    {"gander.http", luaopen_gander_http},
    {"gander.json", luaopen_gander_json},
    {"gander.log", luaopen_gander_log},
    {"gander.process", luaopen_gander_process},
    {"gander.sqlite", luaopen_gander_sqlite},
    {"gander.sys", luaopen_gander_sys},
    {NULL, NULL},
};
