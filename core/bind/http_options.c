/* http_options.c - see http_options.h.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "bind/http_options.h"

#include "bind/process.h"

#define HEADERS_MAX 100

/* Add "name: value" to the table `lines`; false: it is no header. */
static bool add_line(lua_State *L, int lines, const char *name, int value, struct err *err) {
    size_t len;
    luaL_argcheck(L, lua_type(L, value) == LUA_TSTRING, 1,
                  "a header is a string or a list of strings");
    const char *text = lua_tolstring(L, value, &len);
    if (!fetch_header_good(name, text, len)) {
        return err_set(err, ERR_INVALID, "header '%.40s' is not a name and a line of text", name);
    }
    lua_Integer n = (lua_Integer)lua_rawlen(L, lines) + 1;
    luaL_argcheck(L, n <= HEADERS_MAX, 1, "at most 100 headers");
    lua_pushfstring(L, "%s: %s", name, text);
    lua_rawseti(L, lines, n);
    return true;
}

/* Option `headers` as a NULL-ended array, pushed as a userdata that keeps its strings. */
static bool check_headers(lua_State *L, int index, struct fetch_spec *spec, struct err *err) {
    lua_newtable(L);
    int lines = lua_gettop(L);
    bool good = true;
    if (opt_table(L, index, "headers")) {
        int headers = lua_gettop(L);
        lua_pushnil(L);
        while (good && lua_next(L, headers) != 0) {
            luaL_argcheck(L, lua_type(L, -2) == LUA_TSTRING, 1, "a header's name is a string");
            const char *name = lua_tostring(L, -2);
            if (lua_istable(L, -1)) {
                lua_Integer n = (lua_Integer)lua_rawlen(L, -1);
                for (lua_Integer i = 1; good && i <= n; i++) {
                    lua_rawgeti(L, -1, i);
                    good = add_line(L, lines, name, lua_gettop(L), err);
                    lua_pop(L, 1);
                }
            } else {
                good = add_line(L, lines, name, lua_gettop(L), err);
            }
            lua_pop(L, 1);
        }
        lua_settop(L, lines);
    }
    lua_Integer n = (lua_Integer)lua_rawlen(L, lines);
    const char **array = lua_newuserdatauv(L, ((size_t)n + 1) * sizeof *array, 1);
    for (lua_Integer i = 0; i < n; i++) {
        lua_rawgeti(L, lines, i + 1);
        array[i] = lua_tostring(L, -1);
        lua_pop(L, 1);
    }
    array[n] = NULL;
    lua_pushvalue(L, lines);
    lua_setiuservalue(L, -2, 1);
    lua_remove(L, lines);
    spec->headers = array;
    return good;
}

bool http_options(lua_State *L, int index, struct fetch_spec *spec, struct proc **target,
                  struct err *err) {
    index = lua_absindex(L, index);
    spec->method = opt_string(L, index, "method", NULL, NULL);
    spec->url = opt_string(L, index, "url", NULL, NULL);
    if (spec->url == NULL) {
        luaL_error(L, "option 'url' is missing");
    }
    spec->body = opt_string(L, index, "body", NULL, &spec->body_len);
    spec->body_file = opt_string(L, index, "body_file", NULL, NULL);
    if (spec->body != NULL && spec->body_file != NULL) {
        luaL_error(L, "options 'body' and 'body_file' exclude each other");
    }
    spec->connect_ms = opt_integer(L, index, "connect_ms", 5000, 1, 3600000);
    spec->unix_path = opt_string(L, index, "unix", NULL, NULL);
    spec->ca = opt_string(L, index, "ca", NULL, NULL);
    *target = NULL;
    if (lua_getfield(L, index, "netns") != LUA_TNIL) {
        if (luaL_testudata(L, -1, TYPE_PROCESS) == NULL) {
            luaL_error(L, "option 'netns' must be a gander.Process, not %s", luaL_typename(L, -1));
        }
        *target = box_check(L, -1, TYPE_PROCESS);
    }
    lua_pop(L, 1);
    if (*target != NULL && spec->unix_path != NULL) {
        luaL_error(L, "options 'unix' and 'netns' exclude each other");
    }
    return check_headers(L, index, spec, err);
}
