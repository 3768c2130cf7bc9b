/* process.c - gander.process: children with nothing inherited, held by pidfd.
 *
 * Wraps core/proc.h.  A Process is a handle; closing it lets the process run on.  wait, read and
 * run block (counted as waiting) and never longer than the call's own deadline.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "bind/bind.h"
#include "bind/process.h"
#include "netns.h"
#include "proc.h"
#include "sysfilter.h"
#include "wait.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ARG_MAX_COUNT 4096
#define STAGE_MAX     16
#define CGROUP_MAX    8
#define OUTPUT_MAX    (8 << 20)
#define WAIT_MAX_MS   (24 * 3600 * 1000)

/* A spec as read from Lua.  Strings stay owned by the tables below the caller's stack top. */
struct order {
    struct proc_spec spec;
    struct proc_fd fds[PROC_FD_MAX];
    const struct proc *space_of[PROC_FD_MAX]; /* fds[i] is a namespace of this process */
    bool owner[PROC_FD_MAX];                  /* … the user namespace that owns its network */
    int port[PROC_FD_MAX];                    /* … not itself but a TCP port in it, listening */
    bool filter[PROC_FD_MAX];                 /* fds[i] is the system call filter */
    struct proc_stage stage[STAGE_MAX];
    const char *cgroups[CGROUP_MAX + 1];
    /* Open between order_open and order_close. */
    struct netns *spaces[PROC_FD_MAX];
    int listening[PROC_FD_MAX];
    struct buf bpf;
};

/* A string without NUL at the top of the stack; pops it: the table keeps it. */
static const char *pop_text(lua_State *L, const char *what) {
    size_t len;
    if (lua_type(L, -1) != LUA_TSTRING) {
        luaL_error(L, "%s must be a string, not %s", what, luaL_typename(L, -1));
    }
    const char *text = lua_tolstring(L, -1, &len);
    if (strlen(text) != len) {
        luaL_error(L, "%s must not hold a NUL byte", what);
    }
    lua_pop(L, 1);
    return text;
}

static const char *text_option(lua_State *L, int index, const char *key) {
    if (lua_getfield(L, index, key) == LUA_TNIL) {
        lua_pop(L, 1);
        return NULL;
    }
    return pop_text(L, key);
}

static void read_argv(lua_State *L, int index, struct order *o) {
    if (!opt_table(L, index, "argv")) {
        luaL_error(L, "option 'argv' is missing");
    }
    lua_Unsigned n = lua_rawlen(L, -1);
    if (n == 0 || n > ARG_MAX_COUNT) {
        luaL_error(L, "option 'argv' must have 1 to %d strings", ARG_MAX_COUNT);
    }
    const char **argv = lua_newuserdatauv(L, (n + 1) * sizeof *argv, 0);
    for (lua_Unsigned i = 0; i < n; i++) {
        lua_rawgeti(L, -2, (lua_Integer)i + 1);
        argv[i] = pop_text(L, "argv");
    }
    argv[n] = NULL;
    o->spec.argv = argv;
}

/* Leaves the table of "NAME=value" strings and their array on the stack. */
static void read_env(lua_State *L, int index, struct order *o) {
    if (!opt_table(L, index, "env")) {
        return;
    }
    int env = lua_gettop(L);
    lua_newtable(L);
    lua_Integer n = 0;
    lua_pushnil(L);
    while (lua_next(L, env) != 0) {
        if (lua_type(L, -2) != LUA_TSTRING || lua_type(L, -1) != LUA_TSTRING) {
            luaL_error(L, "option 'env' must map names to strings");
        }
        const char *name = lua_tostring(L, -2);
        if (*name == '\0' || strchr(name, '=') != NULL || ++n > ARG_MAX_COUNT) {
            luaL_error(L, "option 'env': bad name '%s'", name);
        }
        lua_pushfstring(L, "%s=%s", name, lua_tostring(L, -1));
        lua_rawseti(L, env + 1, n);
        lua_pop(L, 1);
    }
    const char **list = lua_newuserdatauv(L, (size_t)(n + 1) * sizeof *list, 0);
    for (lua_Integer i = 0; i < n; i++) {
        lua_rawgeti(L, env + 1, i + 1);
        list[i] = pop_text(L, "env");
    }
    list[n] = NULL;
    o->spec.env = list;
}

/* One entry of fds: the table at the top. */
static void read_fd(lua_State *L, struct order *o, size_t i) {
    static const char *const keys[] = {"append", "data", "hold", "listen",  "ns",
                                       "of",     "open", "read", "seccomp", NULL};
    static const struct {
        const char *key;
        enum proc_fd_kind kind;
    } paths[] = {{"append", PROC_FD_APPEND}, {"read", PROC_FD_READ}, {"open", PROC_FD_OPEN}};
    struct proc_fd *f = &o->fds[i];
    int entry = lua_gettop(L), said = 0;
    opt_check(L, entry, keys);
    for (size_t k = 0; k < sizeof paths / sizeof paths[0]; k++) {
        const char *path = text_option(L, entry, paths[k].key);
        if (path != NULL) {
            f->path = path;
            f->kind = paths[k].kind;
            said++;
        }
    }
    const char *data = opt_string(L, entry, "data", NULL, &f->len);
    if (data != NULL) {
        f->data = data;
        f->kind = PROC_FD_DATA;
        said++;
    }
    if (opt_boolean(L, entry, "hold", false)) {
        f->kind = PROC_FD_HOLD;
        said++;
    }
    if (opt_boolean(L, entry, "seccomp", false)) {
        f->kind = PROC_FD_DATA;
        o->filter[i] = true;
        said++;
    }
    const char *space = text_option(L, entry, "ns");
    o->port[i] = (int)opt_integer(L, entry, "listen", 0, 1, 65535);
    if (space != NULL || o->port[i] != 0) {
        o->owner[i] = space != NULL && strcmp(space, "user") == 0;
        if (space != NULL && !o->owner[i] && strcmp(space, "net") != 0) {
            luaL_error(L, "fds[%d]: ns must be 'net' or 'user', not '%s'", f->number, space);
        }
        lua_getfield(L, entry, "of");
        o->space_of[i] = box_check(L, -1, TYPE_PROCESS);
        lua_pop(L, 1);
        f->kind = PROC_FD_GIVEN;
        said++;
    }
    if (said != 1) {
        luaL_error(L, "fds[%d] wants one of append, data, hold, listen, ns, open, read, seccomp",
                   f->number);
    }
}

static void read_fds(lua_State *L, int index, struct order *o) {
    if (!opt_table(L, index, "fds")) {
        return;
    }
    lua_pushnil(L);
    while (lua_next(L, -2) != 0) {
        lua_Integer number = lua_isinteger(L, -2) ? lua_tointeger(L, -2) : -1;
        if (number < 0 || number >= PROC_FD_MAX || !lua_istable(L, -1)) {
            luaL_error(L, "option 'fds' must map 0 to %d to tables", PROC_FD_MAX - 1);
        }
        o->fds[o->spec.fd_count].number = (int)number;
        read_fd(L, o, o->spec.fd_count);
        o->spec.fd_count++;
        lua_pop(L, 1);
    }
    o->spec.fds = o->fds;
}

static void read_stage(lua_State *L, int index, struct order *o) {
    if (!opt_table(L, index, "stage")) {
        return;
    }
    lua_pushnil(L);
    while (lua_next(L, -2) != 0) {
        if (lua_type(L, -2) != LUA_TSTRING || o->spec.stage_count == STAGE_MAX) {
            luaL_error(L, "option 'stage' must map at most %d paths to paths", STAGE_MAX);
        }
        o->stage[o->spec.stage_count].from = lua_tostring(L, -2);
        o->stage[o->spec.stage_count].to = pop_text(L, "stage");
        o->spec.stage_count++;
    }
    o->spec.stage = o->stage;
}

static void read_cgroups(lua_State *L, int index, struct order *o) {
    if (!opt_table(L, index, "cgroup")) {
        return;
    }
    lua_Unsigned n = lua_rawlen(L, -1);
    if (n > CGROUP_MAX) {
        luaL_error(L, "option 'cgroup' must have at most %d directories", CGROUP_MAX);
    }
    for (lua_Unsigned i = 0; i < n; i++) {
        lua_rawgeti(L, -1, (lua_Integer)i + 1);
        o->cgroups[i] = pop_text(L, "cgroup");
    }
    o->spec.cgroups = o->cgroups;
}

static int order_gc(lua_State *L) {
    struct order *o = lua_touserdata(L, 1);
    buf_clear(&o->bpf);
    return 0;
}

/* Read the spec in table `index`; pushes what must live as long as the order is used. */
static struct order *read_order(lua_State *L, int index, const char *const *keys) {
    luaL_checktype(L, index, LUA_TTABLE);
    opt_check(L, index, keys);
    struct order *o = lua_newuserdatauv(L, sizeof *o, 0);
    memset(o, 0, sizeof *o);
    if (luaL_newmetatable(L, "gander.process.order")) {
        lua_pushcfunction(L, order_gc);
        lua_setfield(L, -2, "__gc");
    }
    lua_setmetatable(L, -2);
    luaL_checkstack(L, 20, "process");
    read_argv(L, index, o);
    read_env(L, index, o);
    read_fds(L, index, o);
    read_stage(L, index, o);
    read_cgroups(L, index, o);
    o->spec.cwd = text_option(L, index, "cwd");
    o->spec.uid = (long)opt_integer(L, index, "uid", -1, -1, INT32_MAX);
    o->spec.setsid = opt_boolean(L, index, "setsid", false);
    return o;
}

/* Open what is only held while a child is made. */
static bool order_open(struct order *o, struct err *err) {
    for (size_t i = 0; i < o->spec.fd_count; i++) {
        if (o->filter[i]) {
            if (o->bpf.len == 0 && !sysfilter_make(&o->bpf, err)) {
                return false;
            }
            o->fds[i].data = o->bpf.data;
            o->fds[i].len = o->bpf.len;
        } else if (o->space_of[i] != NULL) {
            o->spaces[i] = netns_open(o->space_of[i], err);
            if (o->spaces[i] == NULL) {
                return false;
            }
            o->fds[i].given = o->owner[i] ? netns_owner(o->spaces[i]) : netns_fd(o->spaces[i]);
            if (o->port[i] != 0) {
                o->listening[i] = netns_listen(o->spaces[i], o->port[i], err);
                o->fds[i].given = o->listening[i];
                if (o->listening[i] < 0) {
                    return false;
                }
            }
        }
    }
    return true;
}

static void order_close(struct order *o) {
    for (size_t i = 0; i < o->spec.fd_count; i++) {
        if (o->port[i] != 0 && o->spaces[i] != NULL && o->listening[i] >= 0) {
            close(o->listening[i]);
        }
        netns_free(o->spaces[i]);
        o->spaces[i] = NULL;
    }
}

static void close_process(void *thing) {
    proc_free(thing);
}

/* process.spawn{argv=, env=, cwd=, fds=, uid=, stage=, cgroup=, setsid=} -> Process
 *                                                                         -> nil, message, code */
static int f_spawn(lua_State *L) {
    static const char *const keys[] = {"argv",   "cgroup", "cwd", "env", "fds",
                                       "setsid", "stage",  "uid", NULL};
    struct order *o = read_order(L, 1, keys);
    struct box *box = box_new(L, TYPE_PROCESS, 0);
    struct err err;
    struct proc *p = order_open(o, &err) ? proc_spawn(&o->spec, &err) : NULL;
    order_close(o);
    if (p == NULL) {
        return fail(L, &err);
    }
    box_fill(box, p, close_process);
    return 1;
}

/* No wait goes past the end of the call it is made in. */
static int64_t bounded(lua_State *L, int64_t ms) {
    int64_t deadline = side_of(L)->deadline_ms;
    if (deadline == 0) {
        return ms;
    }
    int64_t left = deadline - clock_ms();
    return left < 0 ? 0 : left < ms ? left : ms;
}

static void push_exit(lua_State *L, const struct proc_exit *result) {
    lua_createtable(L, 0, 5);
    if (result->known && result->signal != 0) {
        lua_pushinteger(L, result->signal);
        lua_setfield(L, -2, "signal");
    } else if (result->known) {
        lua_pushinteger(L, result->code);
        lua_setfield(L, -2, "code");
    }
}

/* process.run{..spawn.., timeout_ms=30000, max=1 MiB} -> {code | signal, out, err, cut}
 *                                                     -> nil, message, code */
static int f_run(lua_State *L) {
    static const char *const keys[] = {"argv",  "cgroup", "cwd",        "env", "fds", "max",
                                       "stage", "setsid", "timeout_ms", "uid", NULL};
    struct order *o = read_order(L, 1, keys);
    int64_t timeout = opt_integer(L, 1, "timeout_ms", 30000, 1, WAIT_MAX_MS);
    size_t max = (size_t)opt_integer(L, 1, "max", 1 << 20, 0, OUTPUT_MAX);
    for (size_t i = 0; i < o->spec.fd_count; i++) {
        if (o->fds[i].number == 1 || o->fds[i].number == 2 || o->fds[i].kind == PROC_FD_HOLD) {
            return luaL_error(L, "process.run: descriptors 1 and 2 are collected, none is held");
        }
    }
    struct buf *out = buf_push(L), *errout = buf_push(L);
    struct proc_exit result = {0};
    bool cut = false;
    struct err err;
    timeout = bounded(L, timeout);
    wait_begin(host_of(L)->wait);
    bool ok =
        order_open(o, &err) && proc_run(&o->spec, timeout, max, out, errout, &result, &cut, &err);
    order_close(o);
    wait_end(host_of(L)->wait);
    if (!ok) {
        return fail(L, &err);
    }
    push_exit(L, &result);
    lua_pushlstring(L, out->data != NULL ? out->data : "", out->len);
    lua_setfield(L, -2, "out");
    lua_pushlstring(L, errout->data != NULL ? errout->data : "", errout->len);
    lua_setfield(L, -2, "err");
    lua_pushboolean(L, cut);
    lua_setfield(L, -2, "cut");
    return 1;
}

/* process.adopt(pid, start_time) -> Process
 *                                -> nil    it ended, or is another one
 *                                -> nil, message, code */
static int f_adopt(lua_State *L) {
    lua_Integer pid = luaL_checkinteger(L, 1);
    lua_Integer start = luaL_optinteger(L, 2, 0);
    luaL_argcheck(L, pid > 0 && pid <= INT32_MAX, 1, "not a process id");
    struct box *box = box_new(L, TYPE_PROCESS, 0);
    struct err err;
    struct proc *p = proc_adopt((pid_t)pid, start, &err);
    if (p == NULL && err.code == ERR_NOT_FOUND) {
        lua_pushnil(L);
        return 1;
    }
    if (p == NULL) {
        return fail(L, &err);
    }
    box_fill(box, p, close_process);
    return 1;
}

/* process:pid() -> integer */
static int m_pid(lua_State *L) {
    lua_pushinteger(L, proc_pid(box_check(L, 1, TYPE_PROCESS)));
    return 1;
}

/* process:start_time() -> integer    clock ticks since boot: names a process together with pid */
static int m_start_time(lua_State *L) {
    lua_pushinteger(L, proc_start_time(box_check(L, 1, TYPE_PROCESS)));
    return 1;
}

/* process:alive() -> boolean */
static int m_alive(lua_State *L) {
    lua_pushboolean(L, proc_alive(box_check(L, 1, TYPE_PROCESS)));
    return 1;
}

/* process:wait(ms) -> {code | signal}    empty for an adopted one: how it ended is not known
 *                  -> nil, message, "timeout" */
static int m_wait(lua_State *L) {
    struct proc *p = box_check(L, 1, TYPE_PROCESS);
    lua_Integer ms = luaL_checkinteger(L, 2);
    luaL_argcheck(L, ms >= 0 && ms <= WAIT_MAX_MS, 2, "milliseconds out of range");
    struct proc_exit result;
    struct err err;
    wait_begin(host_of(L)->wait);
    bool ok = proc_wait(p, bounded(L, ms), &result, &err);
    wait_end(host_of(L)->wait);
    if (!ok) {
        return fail(L, &err);
    }
    push_exit(L, &result);
    return 1;
}

/* process:kill([signal="TERM"]) -> true    also when it ended before
 *                               -> nil, message, code */
static int m_kill(lua_State *L) {
    static const char *const names[] = {"TERM", "KILL", "INT", "HUP", "STOP", "CONT", NULL};
    static const int numbers[] = {SIGTERM, SIGKILL, SIGINT, SIGHUP, SIGSTOP, SIGCONT};
    struct proc *p = box_check(L, 1, TYPE_PROCESS);
    int sig = numbers[luaL_checkoption(L, 2, "TERM", names)];
    struct err err;
    if (!proc_kill(p, sig, &err)) {
        return fail(L, &err);
    }
    lua_pushboolean(L, 1);
    return 1;
}

/* process:write(number, text) -> true
 *                             -> nil, message, code */
static int m_write(lua_State *L) {
    struct proc *p = box_check(L, 1, TYPE_PROCESS);
    lua_Integer number = luaL_checkinteger(L, 2);
    size_t len;
    const char *text = luaL_checklstring(L, 3, &len);
    struct err err;
    if (!proc_hold_write(p, (int)number, text, len, &err)) {
        return fail(L, &err);
    }
    lua_pushboolean(L, 1);
    return 1;
}

/* process:read(number, ms) -> text    at most 4 KiB; "" at the end
 *                          -> nil, message, code */
static int m_read(lua_State *L) {
    struct proc *p = box_check(L, 1, TYPE_PROCESS);
    lua_Integer number = luaL_checkinteger(L, 2);
    lua_Integer ms = luaL_checkinteger(L, 3);
    luaL_argcheck(L, ms >= 0 && ms <= WAIT_MAX_MS, 3, "milliseconds out of range");
    char data[4096];
    size_t got = 0;
    struct err err;
    wait_begin(host_of(L)->wait);
    bool ok = proc_hold_read(p, (int)number, data, sizeof data, bounded(L, ms), &got, &err);
    wait_end(host_of(L)->wait);
    if (!ok) {
        return fail(L, &err);
    }
    lua_pushlstring(L, data, got);
    return 1;
}

/* process:release([number]) -> true    close one held descriptor, or all */
static int m_release(lua_State *L) {
    struct proc *p = box_check(L, 1, TYPE_PROCESS);
    proc_release(p, (int)luaL_optinteger(L, 2, -1));
    lua_pushboolean(L, 1);
    return 1;
}

static const luaL_Reg function_list[] = {
    {"adopt", f_adopt}, /* hold a process of an earlier host */
    {"run", f_run},     /* start, wait, collect the output */
    {"spawn", f_spawn}, /* start */
    {NULL, NULL},
};

static const luaL_Reg method_list[] = {
    {"alive", m_alive},           /* runs it still? */
    {"kill", m_kill},             /* send a signal */
    {"pid", m_pid},               /* its number */
    {"read", m_read},             /* from a held descriptor */
    {"release", m_release},       /* close held descriptors */
    {"start_time", m_start_time}, /* what tells it from a later one of the same number */
    {"wait", m_wait},             /* for its end */
    {"write", m_write},           /* to a held descriptor */
    {NULL, NULL},
};

int luaopen_gander_process(lua_State *L) {
    box_type(L, TYPE_PROCESS, method_list);
    luaL_newlib(L, function_list);
    return 1;
}
