/* spec.c - see spec.h.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "spec.h"

#include <dirent.h>
#include <ftw.h>
#include <lauxlib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bind/bind.h"
#include "vm.h"
#include "vm_env.h"
#include "wait.h"

#define TEST_MS     120000
#define SPEC_MEMORY (512u * 1024 * 1024)
#define CALL_MEMORY (32u * 1024 * 1024)
#define SPEC_SUFFIX "_spec.lua"

struct run {
    struct host *host;
    const char *dir, *file, *pattern;
    struct buf text;
    int number, failed;
    char *names[1000]; /* of the file's tests, sorted */
    int count;
    char *name; /* the test to run */
    bool skipped;
    long boxes_before, boxes_after;
};

static int by_text(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool read_whole(const char *path, struct buf *text) {
    FILE *f = fopen(path, "re");
    if (f == NULL) {
        return false;
    }
    size_t n;
    buf_reset(text);
    while ((n = fread(buf_room(text, 65536), 1, 65536, f)) > 0) {
        text->len += n;
    }
    buf_add(text, "", 0);
    fclose(f);
    return true;
}

/* t.load(path), also require("lib.spec").load: run a support file below the repository, such as
 * "tests/support/fake.lua". */
static int f_load(lua_State *L) {
    const char *path = luaL_checkstring(L, 1);
    struct buf *full = buf_push(L), *text = buf_push(L);
    buf_addf(full, "%s/%s", host_of(L)->home, path);
    if (!read_whole(full->data, text)) {
        return luaL_error(L, "there is no %s", path);
    }
    env_run(L, text->data, text->len, lua_pushfstring(L, "@%s", path));
    return 1;
}

/* The files {path = text} at `index` as changes; their texts stay owned by the table. */
static size_t read_files(lua_State *L, int index, struct script_file_change *changes, size_t max) {
    size_t count = 0;
    luaL_checktype(L, index, LUA_TTABLE);
    for (lua_pushnil(L); lua_next(L, index) != 0; lua_pop(L, 1)) {
        luaL_argcheck(L, count < max && lua_type(L, -2) == LUA_TSTRING, index, "few files by path");
        struct script_file_change *c = &changes[count++];
        c->path = lua_tostring(L, -2);
        c->text = luaL_checklstring(L, -1, &c->len);
    }
    return count;
}

/* t.call(files, "file#function", ms) -> result as typed JSON | nil, message, code
 * The call is made in a VM of its own, whose set has `files` besides, with ms milliseconds. */
static int f_call(lua_State *L) {
    struct script_file_change changes[8];
    size_t count = read_files(L, 1, changes, 8);
    const char *name = luaL_checkstring(L, 2);
    int64_t deadline_ms = clock_ms() + luaL_checkinteger(L, 3);
    struct buf *result = buf_push(L);
    struct err err;
    struct script_set *set = script_set_change(limits_of(L)->set, changes, count);
    struct vm *vm = vm_new(host_of(L), set, CALL_MEMORY, &err);
    bool ok = vm != NULL && vm_call(vm, name, NULL, 0, deadline_ms, result, &err);
    vm_free(vm);
    script_set_release(set);
    if (!ok) {
        return fail(L, &err);
    }
    lua_pushlstring(L, result->data, result->len);
    return 1;
}

/* Push the names of the methods of the metatable on the top, when it is a handle's. */
static bool push_methods(lua_State *L) {
    if (lua_type(L, -1) != LUA_TTABLE) {
        return false;
    }
    lua_getfield(L, -1, "__close");
    bool handle = lua_tocfunction(L, -1) == box_close;
    lua_pop(L, 1);
    if (handle) {
        lua_newtable(L);
        lua_getfield(L, -2, "__index");
        for (lua_pushnil(L); lua_next(L, -2) != 0; lua_pop(L, 1)) {
            lua_pushvalue(L, -2);
            lua_rawseti(L, -5, (lua_Integer)lua_rawlen(L, -5) + 1);
        }
        lua_pop(L, 1);
    }
    return handle;
}

/* t.handles() -> {["gander.Db"] = {"close", …}}    the methods of every type of handle */
static int f_handles(lua_State *L) {
    lua_newtable(L);
    for (lua_pushnil(L); lua_next(L, LUA_REGISTRYINDEX) != 0; lua_pop(L, 1)) {
        if (push_methods(L)) {
            lua_pushvalue(L, -3);
            lua_insert(L, -2);
            lua_rawset(L, 1);
        }
    }
    return 1;
}

/* Run the file; its table goes to the registry, its tests' names to the run. */
static int load_spec(lua_State *L) {
    struct run *r = lua_touserdata(L, 1);
    vm_push_module(L, "lib/spec");
    lua_pushcfunction(L, f_load);
    lua_setfield(L, -2, "load");
    lua_pushcfunction(L, f_call);
    lua_setfield(L, -2, "call");
    lua_pushcfunction(L, f_handles);
    lua_setfield(L, -2, "handles");
    env_run(L, r->text.data, r->text.len, lua_pushfstring(L, "@tests/spec/%s", r->file));
    luaL_checktype(L, -1, LUA_TTABLE);
    lua_pushvalue(L, -1);
    lua_setfield(L, LUA_REGISTRYINDEX, "gander.spec");
    for (lua_pushnil(L); lua_next(L, -2) != 0; lua_pop(L, 1)) {
        if (lua_type(L, -2) == LUA_TSTRING && r->count < 1000) {
            r->names[r->count++] = mem_dup(lua_tostring(L, -2));
        }
    }
    qsort(r->names, (size_t)r->count, sizeof r->names[0], by_text);
    return 0;
}

static int run_test(lua_State *L) {
    struct run *r = lua_touserdata(L, 1);
    vm_push_module(L, "lib/spec");
    lua_getfield(L, -1, "run");
    lua_getfield(L, LUA_REGISTRYINDEX, "gander.spec");
    lua_getfield(L, -1, r->name);
    lua_remove(L, -2);
    lua_call(L, 1, 1);
    if (lua_type(L, -1) == LUA_TSTRING) {
        printf("# skip: %s\n", lua_tostring(L, -1));
        r->skipped = true;
    }
    return 0;
}

static int count_boxes(lua_State *L) {
    struct run *r = lua_touserdata(L, 1);
    lua_gc(L, LUA_GCCOLLECT);
    lua_gc(L, LUA_GCCOLLECT);
    r->boxes_after = side_of(L)->open_boxes;
    return 0;
}

static void report(struct run *r, bool ok, const char *text) {
    printf("%sok %d - %s: %s%s\n", ok ? "" : "not ", ++r->number, r->file, r->name,
           r->skipped ? " # SKIP" : "");
    for (const char *at = text; text != NULL && *at != '\0';) {
        size_t n = strcspn(at, "\n");
        printf("  # %.*s\n", (int)n, at);
        at += n + (at[n] == '\n');
    }
    fflush(stdout);
    r->failed += !ok;
}

static void run_one(struct run *r, struct vm *vm) {
    struct err err;
    r->skipped = false;
    vm_run(vm, count_boxes, r, clock_ms() + TEST_MS, &err);
    r->boxes_before = r->boxes_after;
    bool ok = vm_run(vm, run_test, r, clock_ms() + TEST_MS, &err);
    if (ok && vm_run(vm, count_boxes, r, clock_ms() + TEST_MS, &err) &&
        r->boxes_after != r->boxes_before) {
        ok = err_set(&err, ERR_INTERNAL, "leaves %ld handles open",
                     r->boxes_after - r->boxes_before);
    }
    report(r, ok, ok ? NULL : err.text);
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw) {
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

static bool wanted(const struct run *r, const char *name) {
    struct buf full = BUF_INIT;
    buf_addf(&full, "%s: %s", r->file, name);
    bool found = r->pattern == NULL || strstr(full.data, r->pattern) != NULL;
    buf_clear(&full);
    return found;
}

static void run_file(struct run *r, struct script_set *set) {
    struct err err;
    char data[] = "/tmp/gander-spec-XXXXXX";
    struct buf path = BUF_INIT;
    buf_addf(&path, "%s/%s", r->dir, r->file);
    r->host->data = mkdtemp(data);
    r->name = "loads";
    struct vm *vm = vm_new(r->host, set, SPEC_MEMORY, &err);
    if (vm == NULL || !read_whole(path.data, &r->text) ||
        !vm_run(vm, load_spec, r, clock_ms() + TEST_MS, &err)) {
        report(r, false, err.text);
    }
    for (int i = 0; i < r->count; i++) {
        r->name = r->names[i];
        if (wanted(r, r->name)) {
            run_one(r, vm);
        }
        free(r->names[i]);
    }
    r->count = 0;
    vm_free(vm);
    buf_clear(&path);
    nftw(data, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

bool spec_run(struct host *host, struct script_set *set, const char *dir, const char *pattern) {
    struct dirent **entries;
    int n = scandir(dir, &entries, NULL, alphasort);
    if (n < 0) {
        fprintf(stderr, "gander: there is no directory %s\n", dir);
        return false;
    }
    struct run r = {.host = host, .dir = dir, .pattern = pattern};
    for (int i = 0; i < n; i++) {
        size_t len = strlen(entries[i]->d_name);
        if (len > strlen(SPEC_SUFFIX) &&
            strcmp(entries[i]->d_name + len - strlen(SPEC_SUFFIX), SPEC_SUFFIX) == 0) {
            r.file = entries[i]->d_name;
            run_file(&r, set);
        }
        free(entries[i]);
    }
    free(entries);
    buf_clear(&r.text);
    printf("1..%d\n", r.number);
    return r.failed == 0;
}
