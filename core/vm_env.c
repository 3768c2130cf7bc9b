/* vm_env.c - see vm_env.h.
 *
 * Three tables live in the registry: LOADED (modules by file), HOST_ENV (what routes, jobs,
 * providers and lib see) and PURE_ENV (policies and cleanup: Lua's pure library and verdicts).
 * Each file gets an environment of its own that reads from one of them and refuses new globals.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "vm_env.h"

#include <string.h>

#include "wait.h"

#define LOADED   "gander.loaded"
#define HOST_ENV "gander.env.host"
#define PURE_ENV "gander.env.pure"
#define LOADING  "gander.loading"

struct limits *limits_of(lua_State *L) {
    return *(struct limits **)lua_getextraspace(L);
}

/* End what runs; the text names the line that runs now: level 0 in a hook, 1 under a C function. */
static void stop(lua_State *L, const char *text) {
    limits_of(L)->stopped = true;
    luaL_where(L, 0);
    if (lua_rawlen(L, -1) == 0) {
        luaL_where(L, 1);
    }
    lua_pushstring(L, text);
    lua_concat(L, 2);
    lua_error(L);
}

void limits_spend(lua_State *L, lua_Integer units) {
    struct limits *l = limits_of(L);
    if (l->pure_depth > 0 && (l->steps -= units) <= 0) {
        stop(L, lua_pushfstring(L, "the decision took more than %d instructions", PURE_STEPS));
    }
    if (l->side.deadline_ms != 0 && clock_ms() >= l->side.deadline_ms) {
        stop(L, "the call ran past its deadline");
    }
}

void limits_hook(lua_State *L, lua_Debug *ar) {
    (void)ar;
    limits_spend(L, HOOK_COUNT);
}

static int read_only(lua_State *L) {
    return luaL_error(L, "'%s' cannot be set: this table is read-only", luaL_tolstring(L, 2, NULL));
}

/* Randomness comes from the facts alone, so that a decision replays. */
static bool is_random(const char *name) {
    return strcmp(name, "random") == 0 || strcmp(name, "randomseed") == 0;
}

/* The library on the top is replaced by an empty table that reads from a copy of it. */
static void freeze_copy(lua_State *L) {
    lua_newtable(L);
    for (lua_pushnil(L); lua_next(L, -3) != 0; lua_pop(L, 1)) {
        if (!is_random(lua_tostring(L, -2))) {
            lua_pushvalue(L, -2);
            lua_pushvalue(L, -2);
            lua_settable(L, -5);
        }
    }
    lua_replace(L, -2);
    lua_newtable(L);
    lua_newtable(L);
    lua_pushvalue(L, -3);
    lua_setfield(L, -2, "__index");
    lua_pushcfunction(L, read_only);
    lua_setfield(L, -2, "__newindex");
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "__metatable");
    lua_setmetatable(L, -2);
    lua_replace(L, -2);
}

static int new_global(lua_State *L) {
    return luaL_error(L, "'%s' would be a new global; declare it local",
                      luaL_tolstring(L, 2, NULL));
}

static int no_global(lua_State *L) {
    lua_settop(L, 2);
    lua_pushvalue(L, 2);
    if (lua_rawget(L, lua_upvalueindex(1)) == LUA_TNIL) {
        return luaL_error(L, "there is no '%s' here", luaL_tolstring(L, 2, NULL));
    }
    return 1;
}

/* Push the environment of one file: empty, reading from the registry's `from`, never written. */
static void push_file_env(lua_State *L, const char *from) {
    lua_newtable(L);
    lua_newtable(L);
    lua_getfield(L, LUA_REGISTRYINDEX, from);
    lua_pushcclosure(L, no_global, 1);
    lua_setfield(L, -2, "__index");
    lua_pushcfunction(L, new_global);
    lua_setfield(L, -2, "__newindex");
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "__metatable");
    lua_setmetatable(L, -2);
}

static bool is_pure(const char *file) {
    return strncmp(file, "policies/", 9) == 0 || strncmp(file, "cleanup/", 8) == 0;
}

/* A decision: the original function under an instruction limit that ends with it. */
static int run_decision(lua_State *L) {
    struct limits *l = limits_of(L);
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    l->pure_depth++;
    l->steps = PURE_STEPS;
    int status = lua_pcall(L, lua_gettop(L) - 1, 1, 0);
    l->pure_depth--;
    if (l->stopped && l->steps <= 0) {
        l->stopped = false; /* the decision is over; its caller may go on */
    }
    return status == LUA_OK ? 1 : lua_error(L);
}

/* The module on the top of the stack is a policy or a rule: guard its decide. */
static void guard_decide(lua_State *L) {
    if (lua_type(L, -1) != LUA_TTABLE) {
        return;
    }
    if (lua_getfield(L, -1, "decide") != LUA_TFUNCTION) {
        lua_pop(L, 1);
        return;
    }
    lua_pushcclosure(L, run_decision, 1);
    lua_setfield(L, -2, "decide");
}

static void load_file(lua_State *L, const char *file) {
    const char *path = lua_pushfstring(L, "%s.lua", file);
    const struct script_file *f = script_set_find(limits_of(L)->set, path);
    if (f == NULL) {
        luaL_error(L, "there is no script '%s'", path);
        return;
    }
    const char *chunk = lua_pushfstring(L, "@%s", path);
    if (luaL_loadbufferx(L, f->text, f->len, chunk, "t") != LUA_OK) {
        lua_error(L);
    }
    push_file_env(L, is_pure(file) ? PURE_ENV : HOST_ENV);
    lua_setupvalue(L, -2, 1);
    lua_pushstring(L, file);
    lua_call(L, 1, 1);
    if (lua_isnil(L, -1)) {
        lua_pop(L, 1);
        lua_pushboolean(L, 1);
    }
    if (is_pure(file)) {
        guard_decide(L);
    }
}

/* sys.scripts.load_pure(path, text) -> module    as a file of the set at this path, but not of it
 *                                   -> nil, message, "invalid"
 * The file's own body has the instruction limit of a decision. */
static int f_load_pure(lua_State *L) {
    const char *path = luaL_checkstring(L, 1);
    size_t len;
    const char *text = luaL_checklstring(L, 2, &len);
    luaL_argcheck(L, is_pure(path) && script_path_ok(path), 1, "a file of policies/ or cleanup/");
    int status = luaL_loadbufferx(L, text, len, lua_pushfstring(L, "@%s", path), "t");
    if (status == LUA_OK) {
        push_file_env(L, PURE_ENV);
        lua_setupvalue(L, -2, 1);
        lua_pushcclosure(L, run_decision, 1);
        status = lua_pcall(L, 0, 1, 0);
    }
    if (status == LUA_OK && lua_type(L, -1) == LUA_TTABLE) {
        guard_decide(L);
        return 1;
    }
    if (limits_of(L)->stopped) {
        return lua_error(L); /* the time of the whole call is over */
    }
    if (status == LUA_OK) {
        lua_pushfstring(L, "%s:1: the file must return a table", path);
    }
    luaL_tolstring(L, -1, NULL);
    lua_pushnil(L);
    lua_insert(L, -2);
    lua_pushliteral(L, "invalid");
    return 3;
}

static int load_protected(lua_State *L) {
    load_file(L, lua_tostring(L, 1));
    return 1;
}

void env_run(lua_State *L, const char *text, size_t len, const char *chunk) {
    if (luaL_loadbufferx(L, text, len, chunk, "t") != LUA_OK) {
        lua_error(L);
    }
    push_file_env(L, HOST_ENV);
    lua_setupvalue(L, -2, 1);
    lua_call(L, 0, 1);
}

void env_require(lua_State *L, const char *file) {
    luaL_checkstack(L, 20, "require");
    int top = lua_gettop(L);
    lua_getfield(L, LUA_REGISTRYINDEX, LOADED);
    if (lua_getfield(L, -1, file) == LUA_TNIL) {
        lua_pop(L, 1);
        lua_getfield(L, LUA_REGISTRYINDEX, LOADING);
        if (lua_getfield(L, -1, file) != LUA_TNIL) {
            luaL_error(L, "script '%s' requires itself", file);
        }
        lua_pop(L, 1);
        lua_pushboolean(L, 1);
        lua_setfield(L, -2, file);
        lua_pushcfunction(L, load_protected);
        lua_pushstring(L, file);
        int status = lua_pcall(L, 1, 1, 0);
        lua_pushnil(L);
        lua_setfield(L, top + 2, file);
        if (status != LUA_OK) {
            lua_error(L);
        }
        lua_pushvalue(L, -1);
        lua_setfield(L, top + 1, file);
    }
    lua_replace(L, top + 1);
    lua_settop(L, top + 1);
}

int luaopen_cjson(lua_State *L); /* Debian's lua-cjson; it has no header */

/* sys.script_paths() -> list of paths     the files of the set this VM runs */
static int f_script_paths(lua_State *L) {
    const struct script_set *set = limits_of(L)->set;
    lua_createtable(L, (int)set->count, 0);
    for (size_t i = 0; i < set->count; i++) {
        lua_pushstring(L, set->files[i].path);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    return 1;
}

static bool push_binding(lua_State *L, const char *name) {
    for (const struct opener *o = bind_openers; o->name != NULL; o++) {
        if (strcmp(o->name, name) == 0) {
            luaL_requiref(L, name, o->open, 0);
            return true;
        }
    }
    return false;
}

/* require "gander.x" | "cjson" | "lib.store" */
static int f_require(lua_State *L) {
    const char *name = luaL_checkstring(L, 1);
    if (strncmp(name, "gander.", 7) == 0) {
        return push_binding(L, name) ? 1 : luaL_error(L, "there is no binding '%s'", name);
    }
    if (strcmp(name, "cjson") == 0) {
        luaL_requiref(L, name, luaopen_cjson, 0);
        return 1;
    }
    luaL_gsub(L, name, ".", "/");
    env_require(L, lua_tostring(L, -1));
    return 1;
}

/* Put the globals named into the table on the top, libraries as read-only copies. */
static void copy_globals(lua_State *L, const char *const *names) {
    for (; *names != NULL; names++) {
        if (lua_getglobal(L, *names) == LUA_TTABLE) {
            freeze_copy(L);
        }
        lua_setfield(L, -2, *names);
    }
}

/* Policies and cleanup rules: no way to act, no clock, no randomness but what the facts hold. */
static void open_pure(lua_State *L) {
    static const char *const names[] = {
        "assert", "error",    "ipairs", "next",   "pairs", "pcall", "select", "tonumber", "type",
        "xpcall", "rawequal", "rawlen", "string", "table", "utf8",  "math",   "tostring", NULL};
    lua_newtable(L);
    copy_globals(L, names);
    verdict_open(L, lua_gettop(L));
    lua_setfield(L, LUA_REGISTRYINDEX, PURE_ENV);
}

void env_open(lua_State *L) {
    safe_open(L);
    lua_newtable(L);
    lua_setfield(L, LUA_REGISTRYINDEX, LOADED);
    lua_newtable(L);
    lua_setfield(L, LUA_REGISTRYINDEX, LOADING);
    open_pure(L);
    lua_pushcfunction(L, f_require);
    lua_setglobal(L, "require");
    lua_pushglobaltable(L);
    lua_setfield(L, LUA_REGISTRYINDEX, HOST_ENV);
    for (const struct opener *o = bind_openers; o->name != NULL; o++) {
        push_binding(L, o->name); /* metatables must exist before C code makes handles */
        lua_pop(L, 1);
    }
    push_binding(L, "gander.sys");
    lua_pushcfunction(L, f_script_paths);
    lua_setfield(L, -2, "script_paths");
    lua_getfield(L, -1, "scripts");
    lua_pushcfunction(L, f_load_pure);
    lua_setfield(L, -2, "load_pure");
    lua_pop(L, 2);
}
