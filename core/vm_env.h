/* vm_env.h - what scripts see: the base library made safe, require, and the pure environment.
 *
 * vm.c calls env_open once a state.  `struct limits` is the part of a vm that its hook and the
 * wrapped library functions (vm_safe.c) share; it is reached through the side struct.
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef GANDER_VM_ENV_H
#define GANDER_VM_ENV_H

#include <lua.h>

#include "bind/bind.h"
#include "scriptset.h"

#define HOOK_COUNT 1000    /* VM instructions between two looks at the clock */
#define PURE_STEPS 5000000 /* instructions one decision may take */

struct limits {
    struct side side; /* first: bindings see only this part */
    struct script_set *set;
    bool stopped;   /* the deadline or a decision's steps ran out: nothing may swallow the error */
    int pure_depth; /* > 0 while a policy or a cleanup rule runs */
    lua_Integer steps; /* left to the decision */
    size_t memory, memory_max;
    bool out_of_memory;
};

struct limits *limits_of(lua_State *L);
void limits_hook(lua_State *L, lua_Debug *ar);
/* Count work that took as long as so many instructions; raises when time or steps are used up. */
void limits_spend(lua_State *L, lua_Integer units);

/* Open Lua's libraries and make them safe (vm_safe.c). */
void safe_open(lua_State *L);

/* Open the libraries and set up the environments. Raises when out of memory. */
void env_open(lua_State *L);
/* Push the module of "lib/app" (no .lua); raises with a sentence when there is none. */
void env_require(lua_State *L, const char *file);

/* Run text that is no part of the set (a spec) as a host script; pushes its one result. */
void env_run(lua_State *L, const char *text, size_t len, const char *chunk);

void verdict_open(lua_State *L, int env); /* put the verdict constructors into the table at env */

#endif
