/* trial.c - check a script set aside, in a VM of its own under limits.
 *
 * Calls lib/app's check(), which loads every file, looks at contracts and runs tests, and walks its
 * answer {faults={{file,line,message}}, routes={{method,path,file}}}.  A failure of the check
 * itself (lib/app broken, out of time) is a fault too, at the place its text names.
 * SPDX-License-Identifier: Apache-2.0
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bind/bind.h"
#include "scripts.h"
#include "value.h"
#include "vm.h"
#include "wait.h"

#define TRIAL_MS 20000

void faults_add(struct faults *f, const char *file, int line, const char *message) {
    f->list = mem_grow(f->list, (f->count + 1) * sizeof *f->list);
    f->list[f->count++] = (struct fault){mem_dup(file), line, mem_dup(message)};
}

void faults_clear(struct faults *f) {
    for (size_t i = 0; i < f->count; i++) {
        free(f->list[i].file);
        free(f->list[i].message);
    }
    free(f->list);
    *f = (struct faults){NULL, 0};
}

void faults_write(const struct faults *f, struct buf *json) {
    buf_addc(json, '[');
    for (size_t i = 0; i < f->count; i++) {
        buf_adds(json, i > 0 ? ",{\"file\":" : "{\"file\":");
        value_string(json, f->list[i].file, strlen(f->list[i].file));
        buf_addf(json, ",\"line\":%d,\"severity\":\"error\",\"message\":", f->list[i].line);
        value_string(json, f->list[i].message, strlen(f->list[i].message));
        buf_addc(json, '}');
    }
    buf_addc(json, ']');
}

/* "policies/idle/x.lua:12: text" → its parts; a text without a place belongs to lib/app.lua. */
static void add_from_text(struct faults *faults, const char *text) {
    const char *dot = strstr(text, ".lua:");
    char *end = NULL;
    long line = dot == NULL ? 0 : strtol(dot + 5, &end, 10);
    if (dot == NULL || line <= 0 || *end != ':' || dot - text > 200) {
        faults_add(faults, "lib/app.lua", 0, text);
        return;
    }
    char *file = mem_dupn(text, (size_t)(dot - text) + 4);
    faults_add(faults, file, (int)line, end[1] == ' ' ? end + 2 : end + 1);
    free(file);
}

struct trial {
    struct router *router;
    struct faults *faults;
};

static const char *field(lua_State *L, const char *name) {
    lua_getfield(L, -1, name);
    const char *text = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : NULL;
    lua_pop(L, 1);
    return text == NULL ? "" : text; /* still owned by the table */
}

static void take_faults(lua_State *L, struct faults *faults) {
    lua_getfield(L, -1, "faults");
    lua_Integer n = luaL_len(L, -1);
    for (lua_Integer i = 1; i <= n; i++) {
        lua_geti(L, -1, i);
        lua_getfield(L, -1, "line");
        int line = (int)lua_tointeger(L, -1);
        lua_pop(L, 1);
        faults_add(faults, field(L, "file"), line, field(L, "message"));
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
}

static void take_routes(lua_State *L, struct trial *t) {
    lua_getfield(L, -1, "routes");
    lua_Integer n = luaL_len(L, -1);
    for (lua_Integer i = 1; i <= n; i++) {
        lua_geti(L, -1, i);
        struct err err;
        if (!router_add(t->router, field(L, "method"), field(L, "path"), field(L, "file"), &err)) {
            char file[256];
            snprintf(file, sizeof file, "%s.lua", field(L, "file"));
            faults_add(t->faults, file, 0, err.text);
        }
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
}

/* t->router and t->faults belong to the caller of vm_run: a raise in here loses nothing. */
static int run_check(lua_State *L) {
    struct trial *t = lua_touserdata(L, 1);
    vm_push_module(L, "lib/app");
    lua_getfield(L, -1, "check");
    lua_call(L, 0, 1);
    take_faults(L, t->faults);
    take_routes(L, t);
    return 0;
}

struct router *trial_run(struct host *host, struct script_set *set, size_t memory_max,
                         struct faults *faults) {
    struct err err;
    struct trial trial = {router_new(), faults};
    struct vm *vm = vm_new(host, set, memory_max, &err);
    if (vm == NULL || !vm_run(vm, run_check, &trial, clock_ms() + TRIAL_MS, &err)) {
        add_from_text(faults, err.text);
    }
    vm_free(vm);
    if (faults->count > 0) {
        router_free(trial.router);
        return NULL;
    }
    return trial.router;
}
