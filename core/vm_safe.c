/* vm_safe.c - Lua's libraries as scripts may have them: no way out of the limits.
 *
 * The hook of vm.c counts a thread's instructions.  Four things escape it and are closed here: what
 * swallows the error that ended the time (pcall, xpcall, coroutine.resume), Lua code that Lua runs
 * with hooks off after the hook raised (a message handler, __close in a dead coroutine), coroutines
 * too short to be counted, and loops in C (patterns, string.rep, table.move).
 * SPDX-License-Identifier: Apache-2.0
 */
#include <lualib.h>
#include <string.h>

#include "log.h"
#include "vm_env.h"

#define LOOP_MAX     100000000 /* turns that one call of a library function may take */
#define PATTERN_COST 1e8       /* steps that a decision's pattern may take at the worst */
#define OPTIONAL_MAX 24        /* `?` in any pattern: each doubles the worst case */

/* pcall, xpcall and coroutine.resume give an error back as values; one that ended the call's time
 * must go on upwards instead. */
static int after_pcall(lua_State *L, int status, lua_KContext skip) {
    if (status != LUA_OK && status != LUA_YIELD) {
        if (limits_of(L)->stopped) {
            return lua_error(L);
        }
        lua_pushboolean(L, 0);
        lua_insert(L, -2);
        return 2;
    }
    return lua_gettop(L) - (int)skip;
}

static int safe_pcall(lua_State *L) {
    luaL_checkany(L, 1);
    lua_pushboolean(L, 1);
    lua_insert(L, 1);
    int status = lua_pcallk(L, lua_gettop(L) - 2, LUA_MULTRET, 0, 0, after_pcall);
    return after_pcall(L, status, 0);
}

/* The script's message handler; not called for the error that ended the time, since it would run
 * inside of the hook, where no hook can end it. */
static int call_handler(lua_State *L) {
    lua_settop(L, 1);
    if (!limits_of(L)->stopped) {
        lua_pushvalue(L, lua_upvalueindex(1));
        lua_insert(L, 1);
        lua_call(L, 1, 1);
    }
    return 1;
}

static int safe_xpcall(lua_State *L) {
    int n = lua_gettop(L);
    luaL_checktype(L, 2, LUA_TFUNCTION);
    lua_pushvalue(L, 2);
    lua_pushcclosure(L, call_handler, 1);
    lua_replace(L, 2);
    lua_pushboolean(L, 1);
    lua_pushvalue(L, 1);
    lua_rotate(L, 3, 2);
    int status = lua_pcallk(L, n - 2, LUA_MULTRET, 2, 2, after_pcall);
    return after_pcall(L, status, 2);
}

/* The original, kept as upvalue 1, in this frame: its errors name the script's line. */
static int call_original(lua_State *L) {
    return lua_tocfunction(L, lua_upvalueindex(1))(L);
}

/* Raise again when the time ran out inside. */
static int guarded(lua_State *L) {
    int n = call_original(L);
    return limits_of(L)->stopped ? luaL_error(L, "the call ran past its limit") : n;
}

static int body_ended(lua_State *L, int status, lua_KContext unused) {
    (void)unused;
    return status == LUA_OK || status == LUA_YIELD ? lua_gettop(L) : lua_error(L);
}

/* What a coroutine runs: its function, protected, so that an error closes its variables while hooks
 * are on; in a coroutine that died inside of the hook they stay off. */
static int run_body(lua_State *L) {
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    int status = lua_pcallk(L, lua_gettop(L) - 1, LUA_MULTRET, 0, 0, body_ended);
    return body_ended(L, status, 0);
}

/* create and wrap.  Each coroutine counts its instructions anew, hence the look at the clock. */
static int safe_coroutine(lua_State *L) {
    limits_spend(L, 100);
    luaL_checktype(L, 1, LUA_TFUNCTION);
    lua_settop(L, 1);
    lua_pushcclosure(L, run_body, 1);
    return call_original(L);
}

static int safe_setmetatable(lua_State *L) {
    if (lua_type(L, 2) == LUA_TTABLE) {
        lua_pushliteral(L, "__gc");
        if (lua_rawget(L, 2) != LUA_TNIL) {
            return luaL_error(L, "__gc is not allowed in a script's metatable");
        }
        lua_pop(L, 1);
    }
    return call_original(L);
}

/* load(text [, name [, mode [, env]]]): text only; the environment is the caller's table or none.
 */
static int safe_load(lua_State *L) {
    size_t len;
    const char *text = luaL_checklstring(L, 1, &len);
    const char *name = luaL_optstring(L, 2, "=load");
    luaL_checktype(L, 4, LUA_TTABLE);
    if (luaL_loadbufferx(L, text, len, name, "t") != LUA_OK) {
        lua_pushnil(L);
        lua_insert(L, -2);
        return 2;
    }
    lua_pushvalue(L, 4);
    lua_setupvalue(L, -2, 1);
    return 1;
}

static int safe_print(lua_State *L) {
    struct buf *text = buf_push(L);
    int n = lua_gettop(L) - 1;
    for (int i = 1; i <= n; i++) {
        size_t len;
        const char *s = luaL_tolstring(L, i, &len);
        buf_add(text, i > 1 ? "\t" : "", i > 1 ? 1 : 0);
        buf_add(text, s, len);
        lua_pop(L, 1);
    }
    log_fields(LOG_INFO, text->data == NULL ? "" : text->data, text->len, NULL);
    return 0;
}

/* What a pattern can repeat. */
struct pattern_shape {
    int open;     /* repetitions that have no end: * + - %b, and back-references */
    int optional; /* ? */
};

static struct pattern_shape shape_of(const char *p, size_t n) {
    struct pattern_shape shape = {0, 0};
    for (size_t i = 0; i < n; i++) {
        if (p[i] == '%' && i + 1 < n) {
            i++;
            shape.open += p[i] == 'b' || (p[i] >= '1' && p[i] <= '9');
        } else {
            shape.open += p[i] == '*' || p[i] == '+' || p[i] == '-';
            shape.optional += p[i] == '?';
        }
    }
    return shape;
}

/* Lua's patterns backtrack in C where no hook runs.  A decision's pattern is refused when its worst
 * case is out of reach: k places chosen in order among the subject's bytes (one more where the
 * match may begin anywhere), doubled by each `?`, times what a set costs. */
static void check_pattern(lua_State *L) {
    if (lua_type(L, 1) != LUA_TSTRING || lua_type(L, 2) != LUA_TSTRING) {
        return;
    }
    size_t len, n;
    luaL_checklstring(L, 1, &len);
    const char *p = luaL_checklstring(L, 2, &n);
    struct pattern_shape shape = shape_of(p, n);
    double total = n < 32 ? 1 : (double)n / 32;
    for (int i = 1; i <= shape.open + (p[0] != '^'); i++) {
        total *= ((double)len + i) / i;
    }
    for (int i = 0; i < shape.optional; i++) {
        total *= 2;
    }
    bool slow = limits_of(L)->pure_depth > 0 && total > PATTERN_COST;
    if (slow || (shape.optional > OPTIONAL_MAX && len > OPTIONAL_MAX)) {
        luaL_error(L, "a pattern of %d bytes may take too long on %d bytes", (int)n, (int)len);
    }
}

static int checked_pattern(lua_State *L) {
    check_pattern(L);
    return call_original(L);
}

/* Refuse a loop in C that would not end in reach, and count the others. */
static void check_loop(lua_State *L, const char *what, lua_Unsigned turns) {
    if (turns > LOOP_MAX) {
        luaL_error(L, "%s: more than %d at once", what, LOOP_MAX);
    }
    limits_spend(L, (lua_Integer)turns);
}

static int checked_rep(lua_State *L) {
    lua_Integer n = luaL_checkinteger(L, 2);
    check_loop(L, "string.rep", n < 0 ? 0 : (lua_Unsigned)n);
    return call_original(L);
}

static int checked_move(lua_State *L) {
    lua_Integer first = luaL_checkinteger(L, 2), last = luaL_checkinteger(L, 3);
    check_loop(L, "table.move", last < first ? 0 : (lua_Unsigned)last - (lua_Unsigned)first);
    return call_original(L);
}

/* insert, remove and sort walk to `#t`: a length that a script makes up has no bound. */
static int checked_length(lua_State *L) {
    if (luaL_getmetafield(L, 1, "__len") != LUA_TNIL) { /* pushes nothing when there is none */
        return luaL_error(L, "a table with __len cannot be used here");
    }
    limits_spend(L, (lua_Integer)lua_rawlen(L, 1) / 8);
    return call_original(L);
}

/* table[name] = wrapper with the original as its upvalue */
static void wrap(lua_State *L, const char *name, lua_CFunction wrapper) {
    lua_getfield(L, -1, name);
    lua_pushcclosure(L, wrapper, 1);
    lua_setfield(L, -2, name);
}

static void drop(lua_State *L, const char *name) {
    lua_pushnil(L);
    lua_setfield(L, -2, name);
}

static void wrap_libraries(lua_State *L) {
    static const struct {
        const char *library, *name;
        lua_CFunction wrapper;
    } rows[] = {
        {"coroutine", "close", guarded},     {"coroutine", "create", safe_coroutine},
        {"coroutine", "resume", guarded},    {"coroutine", "wrap", safe_coroutine},
        {"string", "find", checked_pattern}, {"string", "gmatch", checked_pattern},
        {"string", "gsub", checked_pattern}, {"string", "match", checked_pattern},
        {"string", "rep", checked_rep},      {"table", "insert", checked_length},
        {"table", "move", checked_move},     {"table", "remove", checked_length},
        {"table", "sort", checked_length},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        lua_getfield(L, -1, rows[i].library);
        wrap(L, rows[i].name, rows[i].wrapper);
        lua_pop(L, 1);
    }
}

void safe_open(lua_State *L) {
    static const luaL_Reg libs[] = {{LUA_GNAME, luaopen_base},
                                    {LUA_COLIBNAME, luaopen_coroutine},
                                    {LUA_TABLIBNAME, luaopen_table},
                                    {LUA_STRLIBNAME, luaopen_string},
                                    {LUA_MATHLIBNAME, luaopen_math},
                                    {LUA_UTF8LIBNAME, luaopen_utf8},
                                    {NULL, NULL}};
    for (const luaL_Reg *lib = libs; lib->func != NULL; lib++) {
        luaL_requiref(L, lib->name, lib->func, 1);
        lua_pop(L, 1);
    }
    lua_pushglobaltable(L);
    drop(L, "dofile");
    drop(L, "loadfile");
    drop(L, "collectgarbage");
    drop(L, "warn");
    lua_pushcfunction(L, safe_pcall);
    lua_setfield(L, -2, "pcall");
    lua_pushcfunction(L, safe_xpcall);
    lua_setfield(L, -2, "xpcall");
    lua_pushcfunction(L, safe_load);
    lua_setfield(L, -2, "load");
    lua_pushcfunction(L, safe_print);
    lua_setfield(L, -2, "print");
    wrap(L, "setmetatable", safe_setmetatable);
    wrap_libraries(L);
    lua_getfield(L, -1, "string");
    drop(L, "dump");
    lua_pop(L, 2);
}
