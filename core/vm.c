/* vm.c - see vm.h.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "vm.h"

#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>

#include "bind/bind.h"
#include "log.h"
#include "value.h"
#include "vm_env.h"
#include "wait.h"

#define GC_RESERVE (256 * 1024) /* memory past the limit that only error handling may use */

struct vm {
    struct limits limits; /* first: its address is what the extra space holds */
    lua_State *L;
};

static void *limited_alloc(void *ud, void *p, size_t old, size_t wanted) {
    struct limits *l = ud;
    if (p == NULL) {
        old = 0; /* then it is a type tag, not a size */
    }
    if (wanted == 0) {
        l->memory -= old;
        free(p);
        return NULL;
    }
    size_t max = l->memory_max + (l->out_of_memory ? GC_RESERVE : 0);
    if (wanted > old && l->memory - old + wanted > max) {
        l->out_of_memory = true;
        return NULL;
    }
    void *q = realloc(p, wanted);
    if (q != NULL) {
        l->memory = l->memory - old + wanted;
    }
    return q;
}

static int open_all(lua_State *L) {
    env_open(L);
    return 0;
}

struct vm *vm_new(struct host *host, struct script_set *set, size_t memory_max, struct err *err) {
    struct vm *vm = mem_alloc(sizeof *vm);
    vm->limits.side.host = host;
    vm->limits.side.generation = set->generation;
    vm->limits.memory_max = memory_max;
    vm->limits.set = script_set_retain(set);
    vm->L = lua_newstate(limited_alloc, &vm->limits);
    if (vm->L == NULL) {
        vm_free(vm);
        err_set(err, ERR_INTERNAL, "no memory for a Lua state");
        return NULL;
    }
    *(struct limits **)lua_getextraspace(vm->L) = &vm->limits;
    lua_gc(vm->L, LUA_GCGEN, 0, 0);
    lua_sethook(vm->L, limits_hook, LUA_MASKCOUNT, HOOK_COUNT);
    lua_pushcfunction(vm->L, open_all);
    if (lua_pcall(vm->L, 0, 0, 0) != LUA_OK) {
        err_set(err, ERR_INTERNAL, "Lua state: %s", lua_tostring(vm->L, -1));
        vm_free(vm);
        return NULL;
    }
    return vm;
}

void vm_free(struct vm *vm) {
    if (vm == NULL) {
        return;
    }
    if (vm->L != NULL) {
        vm->limits.side.deadline_ms = 0;
        lua_close(vm->L);
    }
    script_set_release(vm->limits.set);
    free(vm);
}

int64_t vm_generation(const struct vm *vm) {
    return vm->limits.set->generation;
}

bool vm_is_spent(const struct vm *vm) {
    return vm->limits.stopped || vm->limits.out_of_memory;
}

void vm_push_module(lua_State *L, const char *file) {
    env_require(L, file);
}

/* Message handler: the text stays as it is; the traceback goes to the log at once. */
static int on_error(lua_State *L) {
    if (limits_of(L)->out_of_memory) {
        return 1;
    }
    const char *text = luaL_tolstring(L, 1, NULL);
    luaL_traceback(L, L, text, 1);
    size_t len;
    const char *trace = lua_tolstring(L, -1, &len);
    log_fields(LOG_DEBUG, trace, len, NULL);
    lua_pop(L, 1);
    return 1;
}

bool vm_run(struct vm *vm, lua_CFunction f, void *data, int64_t deadline_ms, struct err *err) {
    lua_State *L = vm->L;
    vm->limits.side.deadline_ms = deadline_ms;
    vm->limits.stopped = false;
    vm->limits.pure_depth = 0;
    lua_pushcfunction(L, on_error);
    lua_pushcfunction(L, f);
    lua_pushlightuserdata(L, data);
    int status = lua_pcall(L, 1, 0, 1);
    if (status != LUA_OK) {
        const char *text = lua_tostring(L, -1);
        enum err_code code = vm->limits.stopped ? ERR_TIMEOUT : ERR_INTERNAL;
        err_set(err, code, "%s", text == NULL ? "an error that is no text" : text);
    }
    lua_settop(L, 0);
    vm->limits.side.deadline_ms = 0;
    return status == LUA_OK;
}

struct named_call {
    const char *name;
    const char *arg;
    size_t len;
    struct buf *result;
    struct err *err;
    bool failed; /* the function returned nil, message, code */
};

/* Push the function named "file#function". */
static void push_function(lua_State *L, const char *name) {
    const char *sharp = strchr(name, '#');
    if (sharp == NULL) {
        luaL_error(L, "'%s' is not file#function", name);
        return;
    }
    lua_pushlstring(L, name, (size_t)(sharp - name));
    vm_push_module(L, lua_tostring(L, -1));
    if (lua_type(L, -1) != LUA_TTABLE || lua_getfield(L, -1, sharp + 1) != LUA_TFUNCTION) {
        luaL_error(L, "%s: no such function", name);
    }
}

static int run_named(lua_State *L) {
    struct named_call *c = lua_touserdata(L, 1);
    push_function(L, c->name);
    int args = 0;
    if (c->arg != NULL) {
        if (!value_decode(L, c->arg, c->len, VALUE_TYPED, VALUE_DEPTH, c->err)) {
            c->failed = true;
            return 0;
        }
        args = 1;
    }
    lua_call(L, args, 3);
    if (lua_isnil(L, -3) && lua_type(L, -2) == LUA_TSTRING) {
        err_set(c->err, err_code_of(luaL_optstring(L, -1, "internal")), "%s", lua_tostring(L, -2));
        c->failed = true;
        return 0;
    }
    struct err err;
    if (!value_encode(c->result, L, -3, VALUE_TYPED, &err)) {
        return luaL_error(L, "%s: its result: %s", c->name, err.text);
    }
    return 0;
}

bool vm_call(struct vm *vm, const char *name, const char *arg, size_t len, int64_t deadline_ms,
             struct buf *result, struct err *err) {
    struct named_call call = {name, arg, len, result, err, false};
    return vm_run(vm, run_named, &call, deadline_ms, err) && !call.failed;
}
