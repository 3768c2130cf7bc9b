/* json.c - gander.json, and the value model as Lua sees it.
 *
 * null is light userdata NULL (lua-cjson's null as well), a date is gander.Date, an array or an
 * object may carry a mark (a shared metatable) so that [] and {} differ.  A table without a mark is
 * an array when its keys are 1..n with n >= 1, an object when all its keys are strings (an empty
 * one too); anything else is refused.  The members of an object are written in byte order of their
 * names, so equal values give equal text.  Does not block.
 * SPDX-License-Identifier: Apache-2.0
 */
#include <stdlib.h>
#include <string.h>

#include "bind/bind.h"
#include "value.h"

#define MARK_ARRAY  "gander.array"
#define MARK_OBJECT "gander.object"
#define PRETTY_STEP 2

void value_push_null(lua_State *L) {
    lua_pushlightuserdata(L, NULL);
}

bool value_is_null(lua_State *L, int index) {
    return lua_type(L, index) == LUA_TLIGHTUSERDATA && lua_touserdata(L, index) == NULL;
}

void value_mark_array(lua_State *L, int index) {
    index = lua_absindex(L, index);
    luaL_newmetatable(L, MARK_ARRAY);
    lua_setmetatable(L, index);
}

void value_mark_object(lua_State *L, int index) {
    index = lua_absindex(L, index);
    luaL_newmetatable(L, MARK_OBJECT);
    lua_setmetatable(L, index);
}

static bool has_mark(lua_State *L, int index, const char *mark) {
    if (!lua_getmetatable(L, index)) {
        return false;
    }
    luaL_getmetatable(L, mark);
    bool same = lua_rawequal(L, -1, -2);
    lua_pop(L, 2);
    return same;
}

enum value_kind value_table_kind(lua_State *L, int index) {
    if (has_mark(L, index, MARK_ARRAY)) {
        return KIND_TABLE_ARRAY;
    }
    if (has_mark(L, index, MARK_OBJECT)) {
        return KIND_TABLE_OBJECT;
    }
    return lua_rawlen(L, index) > 0 ? KIND_TABLE_ARRAY : KIND_TABLE_OBJECT;
}

/* Encoding.  Nothing here raises: raw access only, stack space checked, no new Lua objects. */
struct encoder {
    struct buf *out;
    lua_State *L;
    int flags;
    int depth;
    struct err *err;
};

static bool encode_value(struct encoder *e, int index);

static void new_line(struct encoder *e) {
    if (e->flags & VALUE_PRETTY) {
        buf_addf(e->out, "\n%*s", e->depth * PRETTY_STEP, "");
    }
}

static bool encode_array(struct encoder *e, int index) {
    lua_State *L = e->L;
    size_t count = lua_rawlen(L, index), keys = 0;
    for (lua_pushnil(L); lua_next(L, index) != 0; lua_pop(L, 1)) {
        keys++;
    }
    if (keys != count) {
        return err_set(e->err, ERR_INVALID, "a table has both array items and other keys");
    }
    buf_addc(e->out, '[');
    e->depth++;
    for (size_t i = 1; i <= count; i++) {
        if (i > 1) {
            buf_addc(e->out, ',');
        }
        new_line(e);
        lua_rawgeti(L, index, (lua_Integer)i);
        bool ok = encode_value(e, lua_gettop(L));
        lua_pop(L, 1);
        if (!ok) {
            return err_wrap(e->err, "[%zu]", i);
        }
    }
    e->depth--;
    if (count > 0) {
        new_line(e);
    }
    buf_addc(e->out, ']');
    return true;
}

struct member {
    const char *name; /* kept alive by its stack slot */
    size_t len;
    int slot;
};

static int by_name(const void *a, const void *b) {
    const struct member *x = a, *y = b;
    int order = memcmp(x->name, y->name, x->len < y->len ? x->len : y->len);
    return order != 0 ? order : (x->len > y->len) - (x->len < y->len);
}

/* Push the names of the table's members and list them sorted; false when one is no string. */
static bool push_members(struct encoder *e, int index, struct buf *list, size_t *count) {
    lua_State *L = e->L;
    *count = 0;
    lua_pushnil(L);
    while (lua_next(L, index) != 0) {
        lua_pop(L, 1);
        struct member m = {NULL, 0, lua_gettop(L)};
        if (lua_type(L, -1) != LUA_TSTRING) {
            return err_set(e->err, ERR_INVALID, "an object's key is a %s, not a string",
                           luaL_typename(L, -1));
        }
        m.name = lua_tolstring(L, -1, &m.len);
        if (!value_utf8(m.name, m.len)) {
            return err_set(e->err, ERR_INVALID, "a member's name is not valid UTF-8");
        }
        buf_add(list, &m, sizeof m);
        (*count)++;
        if (!lua_checkstack(L, 8)) {
            return err_set(e->err, ERR_INVALID, "an object with too many members");
        }
        lua_pushvalue(L, -1); /* the slot keeps this one, lua_next takes the copy */
    }
    if (*count > 0) {
        qsort(list->data, *count, sizeof(struct member), by_name);
    }
    return true;
}

static bool encode_members(struct encoder *e, int index, const struct member *list, size_t count) {
    lua_State *L = e->L;
    for (size_t i = 0; i < count; i++) {
        if (i > 0) {
            buf_addc(e->out, ',');
        }
        new_line(e);
        value_string(e->out, list[i].name, list[i].len);
        buf_adds(e->out, e->flags & VALUE_PRETTY ? ": " : ":");
        lua_pushvalue(L, list[i].slot);
        lua_rawget(L, index);
        bool ok = encode_value(e, lua_gettop(L));
        lua_pop(L, 1);
        if (!ok) {
            return err_wrap(e->err, "%.60s", list[i].name);
        }
    }
    return true;
}

static bool encode_object(struct encoder *e, int index) {
    struct buf list = BUF_INIT;
    size_t count;
    int top = lua_gettop(e->L);
    bool ok = push_members(e, index, &list, &count);
    if (ok) {
        buf_addc(e->out, '{');
        e->depth++;
        ok = encode_members(e, index, (const struct member *)(const void *)list.data, count);
        e->depth--;
        if (count > 0) {
            new_line(e);
        }
        buf_addc(e->out, '}');
    }
    lua_settop(e->L, top);
    buf_clear(&list);
    return ok;
}

static bool encode_table(struct encoder *e, int index) {
    if (e->depth >= VALUE_DEPTH || !lua_checkstack(e->L, 8)) {
        return err_set(e->err, ERR_INVALID, "nested deeper than %d levels (or a cycle)",
                       VALUE_DEPTH);
    }
    return value_table_kind(e->L, index) == KIND_TABLE_ARRAY ? encode_array(e, index)
                                                             : encode_object(e, index);
}

static void encode_date(struct encoder *e, int64_t ms) {
    if (e->flags & VALUE_TYPED) {
        buf_adds(e->out, "{\"$date\":");
        value_integer(e->out, ms);
        buf_addc(e->out, '}');
    } else {
        buf_addc(e->out, '"');
        value_date_text(e->out, ms);
        buf_addc(e->out, '"');
    }
}

static bool encode_value(struct encoder *e, int index) {
    lua_State *L = e->L;
    size_t len;
    int64_t ms;
    switch (lua_type(L, index)) {
    case LUA_TNIL:
        buf_adds(e->out, "null");
        return true;
    case LUA_TBOOLEAN:
        buf_adds(e->out, lua_toboolean(L, index) ? "true" : "false");
        return true;
    case LUA_TNUMBER:
        if (lua_isinteger(L, index)) {
            value_integer(e->out, lua_tointeger(L, index));
            return true;
        }
        return value_double(e->out, lua_tonumber(L, index)) ||
               err_set(e->err, ERR_INVALID, "a number that JSON cannot hold (nan or inf)");
    case LUA_TSTRING: {
        const char *s = lua_tolstring(L, index, &len);
        if (!value_utf8(s, len)) {
            return err_set(e->err, ERR_INVALID, "a string that is not valid UTF-8");
        }
        value_string(e->out, s, len);
        return true;
    }
    case LUA_TTABLE:
        return encode_table(e, index);
    default:
        if (value_is_null(L, index)) {
            buf_adds(e->out, "null");
            return true;
        }
        if (value_to_date(L, index, &ms)) {
            encode_date(e, ms);
            return true;
        }
        return err_set(e->err, ERR_INVALID, "a %s cannot be written as JSON",
                       luaL_typename(L, index));
    }
}

bool value_encode(struct buf *out, lua_State *L, int index, int flags, struct err *err) {
    struct encoder e = {out, L, flags, 0, err};
    if (!lua_checkstack(L, 8)) {
        return err_set(err, ERR_INTERNAL, "no stack space left");
    }
    return encode_value(&e, lua_absindex(L, index));
}

/* Decoding.  The scanner's buffer is the one piece of memory held across Lua calls that may raise
 * (out of the VM's memory), so it lives in a userdata with a __gc. */
#define TYPE_SCAN "gander.json.scan"

static int scan_gc(lua_State *L) {
    value_scan_clear(lua_touserdata(L, 1));
    return 0;
}

static struct value_scan *scan_new(lua_State *L, const char *text, size_t len, int max_depth,
                                   struct err *err) {
    struct value_scan *s = lua_newuserdatauv(L, sizeof *s, 0);
    value_scan_init(s, text, len, max_depth, err);
    if (luaL_newmetatable(L, TYPE_SCAN)) {
        lua_pushcfunction(L, scan_gc);
        lua_setfield(L, -2, "__gc");
    }
    lua_setmetatable(L, -2);
    return s;
}

/* {"$date": ms} on the top of the stack becomes a Date. */
static void fold_date(lua_State *L) {
    if (lua_getfield(L, -1, "$date") == LUA_TNUMBER && lua_isinteger(L, -1)) {
        int64_t ms = lua_tointeger(L, -1);
        lua_pushnil(L);
        if (lua_next(L, -3) != 0) {
            lua_pop(L, 1);
            if (lua_next(L, -3) == 0) { /* it was the only member */
                lua_pop(L, 2);
                value_push_date(L, ms);
                return;
            }
            lua_pop(L, 2);
        }
    }
    lua_pop(L, 1);
}

static bool push_token(lua_State *L, struct value_scan *s, enum value_token token, int flags);

static bool push_array(lua_State *L, struct value_scan *s, int flags) {
    luaL_checkstack(L, 8, "JSON array");
    lua_newtable(L);
    value_mark_array(L, -1);
    for (lua_Integer i = 1;; i++) {
        enum value_token token = value_next(s);
        if (token == VALUE_ARRAY_END) {
            return true;
        }
        if (!push_token(L, s, token, flags)) {
            lua_pop(L, 1);
            return false;
        }
        lua_rawseti(L, -2, i);
    }
}

static bool push_object(lua_State *L, struct value_scan *s, int flags) {
    luaL_checkstack(L, 8, "JSON object");
    lua_newtable(L);
    bool empty = true;
    for (;;) {
        enum value_token token = value_next(s);
        if (token == VALUE_OBJECT_END) {
            break;
        }
        if (token == VALUE_ERROR) {
            lua_pop(L, 1);
            return false;
        }
        lua_pushlstring(L, s->text.data == NULL ? "" : s->text.data, s->text.len);
        if (!push_token(L, s, value_next(s), flags)) {
            lua_pop(L, 2);
            return false;
        }
        lua_rawset(L, -3);
        empty = false;
    }
    if (empty) {
        value_mark_object(L, -1);
    } else if (flags & VALUE_TYPED) {
        fold_date(L);
    }
    return true;
}

static bool push_token(lua_State *L, struct value_scan *s, enum value_token token, int flags) {
    switch (token) {
    case VALUE_NULL:
        value_push_null(L);
        return true;
    case VALUE_TRUE:
    case VALUE_FALSE:
        lua_pushboolean(L, token == VALUE_TRUE);
        return true;
    case VALUE_INTEGER:
        lua_pushinteger(L, s->integer);
        return true;
    case VALUE_DOUBLE:
        lua_pushnumber(L, s->number);
        return true;
    case VALUE_STRING:
        lua_pushlstring(L, s->text.data == NULL ? "" : s->text.data, s->text.len);
        return true;
    case VALUE_ARRAY:
        return push_array(L, s, flags);
    case VALUE_OBJECT:
        return push_object(L, s, flags);
    default:
        return false;
    }
}

bool value_decode(lua_State *L, const char *text, size_t len, int flags, int max_depth,
                  struct err *err) {
    int top = lua_gettop(L);
    luaL_checkstack(L, 8, "JSON");
    struct value_scan *s = scan_new(L, text, len, max_depth, err);
    bool ok = push_token(L, s, value_next(s), flags);
    if (ok && value_next(s) != VALUE_END) {
        ok = false;
    }
    value_scan_clear(s);
    if (!ok) {
        lua_settop(L, top);
        return false;
    }
    lua_remove(L, top + 1);
    return true;
}

/* json.encode(v [,{pretty=, typed=}]) -> string
 *                                      raises on what JSON cannot hold, naming the place */
static int f_encode(lua_State *L) {
    static const char *const keys[] = {"pretty", "typed", NULL};
    luaL_checkany(L, 1);
    opt_check(L, 2, keys);
    int flags = (opt_boolean(L, 2, "pretty", false) ? VALUE_PRETTY : 0) |
                (opt_boolean(L, 2, "typed", false) ? VALUE_TYPED : 0);
    struct buf *out = buf_push(L);
    struct err err;
    if (!value_encode(out, L, 1, flags, &err)) {
        buf_clear(out);
        return luaL_error(L, "json.encode: %s", err.text);
    }
    lua_pushlstring(L, out->data, out->len);
    buf_clear(out);
    return 1;
}

/* json.decode(s [,{max_depth=64, typed=}]) -> v
 *                                          -> nil, message, "invalid" */
static int f_decode(lua_State *L) {
    static const char *const keys[] = {"max_depth", "typed", NULL};
    size_t len;
    const char *text = luaL_checklstring(L, 1, &len);
    opt_check(L, 2, keys);
    int depth = (int)opt_integer(L, 2, "max_depth", VALUE_DEPTH, 1, 128);
    int flags = opt_boolean(L, 2, "typed", false) ? VALUE_TYPED : 0;
    struct err err;
    return value_decode(L, text, len, flags, depth, &err) ? 1 : fail(L, &err);
}

/* json.array(t) -> t      t is an array from now on, even when empty */
static int f_array(lua_State *L) {
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    value_mark_array(L, 1);
    return 1;
}

/* json.object(t) -> t     t is an object from now on, even when empty */
static int f_object(lua_State *L) {
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    value_mark_object(L, 1);
    return 1;
}

static const luaL_Reg function_list[] = {
    {"array", f_array},   /* mark a table as an array */
    {"decode", f_decode}, /* text -> value */
    {"encode", f_encode}, /* value -> text */
    {"object", f_object}, /* mark a table as an object */
    {NULL, NULL},
};

int luaopen_gander_json(lua_State *L) {
    luaL_newlib(L, function_list);
    value_push_null(L);
    lua_setfield(L, -2, "null");
    return 1;
}
