/* verdict.c - the constructors that policies and cleanup rules answer with.
 *
 * Each makes {verdict=, reason=, file=, line=, …}; file and line are the caller's, also in a tail
 * call (`return stop "…"`: a C function called so still has its Lua caller below it).
 * SPDX-License-Identifier: Apache-2.0
 */
#include <string.h>

#include "vm_env.h"

/* What a constructor takes besides its reason. */
enum shape { REASON, REASON_UNTIL, AT_REASON, MS_REASON };

static const struct verdict {
    const char *name;
    enum shape shape;
} verdicts[] = {
    {"allow", REASON},   {"deny", REASON},       {"queue", REASON},     {"retry", AT_REASON},
    {"give_up", REASON}, {"keep", REASON_UNTIL}, {"stop", REASON},      {"warn", AT_REASON},
    {"restart", REASON}, {"replace", REASON},    {"extend", MS_REASON}, {"remove", REASON},
};

static void set_place(lua_State *L) {
    lua_Debug ar;
    if (lua_getstack(L, 1, &ar) && lua_getinfo(L, "Sl", &ar)) {
        lua_pushstring(L, ar.source[0] == '@' ? ar.source + 1 : ar.short_src);
        lua_setfield(L, -2, "file");
        lua_pushinteger(L, ar.currentline);
        lua_setfield(L, -2, "line");
    }
}

static int construct(lua_State *L) {
    const struct verdict *v = lua_touserdata(L, lua_upvalueindex(1));
    int reason = v->shape == AT_REASON || v->shape == MS_REASON ? 2 : 1;
    size_t len;
    luaL_checklstring(L, reason, &len);
    luaL_argcheck(L, len > 0 && len <= 500, reason, "a reason has 1 to 500 bytes");
    lua_settop(L, 2); /* an `until` that was left out must not be the new table */
    lua_newtable(L);
    set_place(L);
    lua_pushstring(L, v->name);
    lua_setfield(L, -2, "verdict");
    lua_pushvalue(L, reason);
    lua_setfield(L, -2, "reason");
    if (reason == 2) {
        luaL_checkany(L, 1);
        lua_pushvalue(L, 1);
        lua_setfield(L, -2, v->shape == MS_REASON ? "ms" : "at");
    } else if (v->shape == REASON_UNTIL && !lua_isnoneornil(L, 2)) {
        lua_pushvalue(L, 2);
        lua_setfield(L, -2, "until");
    }
    return 1;
}

void verdict_open(lua_State *L, int env) {
    for (size_t i = 0; i < sizeof verdicts / sizeof verdicts[0]; i++) {
        lua_pushlightuserdata(L, (void *)(uintptr_t)&verdicts[i]);
        lua_pushcclosure(L, construct, 1);
        lua_setfield(L, env, verdicts[i].name);
    }
}
