/* config.c - see config.h.
 *
 * Runs config.lua in a bare state (no libraries: it is data); config_check.c knows the settings.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <lauxlib.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bind/bind.h"
#include "config_own.h"
#include "log.h"
#include "value.h"

#define INSTRUCTIONS_MAX 10000000 /* of config.lua: it is data */

static char *text_of(lua_State *L, const char *name) {
    lua_getfield(L, -1, name);
    char *copy = mem_dup(lua_tostring(L, -1));
    lua_pop(L, 1);
    return copy;
}

static int64_t limit_of(lua_State *L, const char *name) {
    lua_getfield(L, -1, "limits");
    lua_getfield(L, -1, name);
    int64_t n = lua_tointeger(L, -1);
    lua_pop(L, 2);
    return n;
}

/* "127.0.0.1:8700", "[::1]:8700", ":8700" (all addresses). */
static bool split_listen(struct config *c, const char *listen, struct err *err) {
    const char *colon = strrchr(listen, ':');
    char *end = NULL;
    long port = colon == NULL ? -1 : strtol(colon + 1, &end, 10);
    if (colon == NULL || end == colon + 1 || strpbrk(listen, ", ") != NULL || *end != '\0' ||
        port < 0 || port > 65535) {
        return err_set(err, ERR_INVALID, "listen: '%s' is not ADDRESS:PORT", listen);
    }
    c->listen_host = mem_dupn(listen, (size_t)(colon - listen));
    c->listen_port = (int)port;
    struct in_addr address;
    c->loopback = (inet_pton(AF_INET, c->listen_host, &address) == 1 &&
                   strncmp(c->listen_host, "127.", 4) == 0) ||
                  strcmp(c->listen_host, "localhost") == 0 || strcmp(c->listen_host, "[::1]") == 0;
    if (!c->loopback && !c->trust_network) {
        return err_set(err, ERR_INVALID,
                       "listen: '%s' can be reached from the network, and this version has no "
                       "sign-in: everybody who reaches it can run code here. Listen on 127.0.0.1, "
                       "or set trust_network = true if the network is yours alone",
                       listen);
    }
    return true;
}

static char *absolute(const char *base, const char *path) {
    if (path[0] == '/') {
        return mem_dup(path);
    }
    struct buf b = BUF_INIT;
    buf_addf(&b, "%s/%s", base, path);
    return buf_take(&b);
}

static bool take_hosts(struct config *c, lua_State *L, struct err *err) {
    lua_getfield(L, -1, "hosts");
    size_t n = lua_rawlen(L, -1);
    for (size_t i = 1; i <= n; i++) {
        lua_rawgeti(L, -1, (lua_Integer)i);
        if (lua_type(L, -1) != LUA_TSTRING) {
            return err_set(err, ERR_INVALID, "hosts: each must be a name");
        }
        c->hosts[c->host_count++] = mem_dup(lua_tostring(L, -1));
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
    return true;
}

/* Fill *c from the complete table on the top of the stack. Paths are relative to `base`. */
static bool take(struct config *c, lua_State *L, const char *base, struct err *err) {
    lua_getfield(L, -1, "trust_network");
    c->trust_network = lua_toboolean(L, -1);
    lua_getfield(L, -2, "unsafe_no_isolation");
    c->unsafe_no_isolation = lua_toboolean(L, -1);
    lua_pop(L, 2);
    char *listen = text_of(L, "listen");
    bool ok = split_listen(c, listen, err) && take_hosts(c, L, err);
    free(listen);
    if (!ok) {
        return false;
    }
    static const char *const paths[] = {"data", "scripts"};
    char **to[] = {&c->data, &c->scripts};
    for (int i = 0; i < 2; i++) {
        char *path = text_of(L, paths[i]);
        *to[i] = absolute(base, path);
        free(path);
        lua_pushstring(L, *to[i]);
        lua_setfield(L, -2, paths[i]);
    }
    c->log_level = text_of(L, "log_level");
    c->body_max = limit_of(L, "body");
    c->call_ms = limit_of(L, "call_ms");
    c->call_memory = limit_of(L, "call_memory_mb") * 1024 * 1024;
    c->workers_max = (int)limit_of(L, "workers");
    struct buf json = BUF_INIT;
    ok = value_encode(&json, L, -1, 0, err);
    c->json = buf_take(&json);
    return ok;
}

struct job {
    struct config *c;
    const struct config_args *args;
    const char *file, *text, *base;
    struct err *err;
    bool ok;
};

static void override(lua_State *L, const char *name, const char *value) {
    if (value != NULL) {
        lua_pushstring(L, value);
        lua_setfield(L, -2, name);
    }
}

static void too_long(lua_State *L, lua_Debug *event) {
    (void)event;
    luaL_where(L, 0); /* a hook is no level of its own */
    lua_pushliteral(L, "it runs too long: settings are data");
    lua_concat(L, 2);
    lua_error(L);
}

static int run(lua_State *L) {
    struct job *j = lua_touserdata(L, 1);
    struct config_reader r = {L, j->file, j->text, j->err};
    struct buf *chunk = buf_push(L);
    buf_addf(chunk, "@%s", j->file);
    if (luaL_loadbufferx(L, j->text, strlen(j->text), chunk->data, "t") != LUA_OK) {
        return lua_error(L);
    }
    lua_sethook(L, too_long, LUA_MASKCOUNT, INSTRUCTIONS_MAX);
    lua_call(L, 0, 1);
    lua_sethook(L, NULL, 0, 0);
    if (lua_type(L, -1) != LUA_TTABLE) {
        return luaL_error(L, "%s:1: must return one table", j->file);
    }
    if (!config_check(&r)) {
        return 0;
    }
    lua_settop(L, 3);
    override(L, "listen", j->args->listen);
    override(L, "data", j->args->data);
    override(L, "scripts", j->args->scripts);
    override(L, "log_level", j->args->log_level);
    if (j->args->unsafe_no_isolation) {
        lua_pushboolean(L, 1);
        lua_setfield(L, -2, "unsafe_no_isolation");
    }
    j->ok = config_complete(&r, 3) && take(j->c, L, j->base, j->err);
    return 0;
}

static bool read_text(const char *file, bool must_exist, struct buf *text, struct err *err) {
    FILE *f = fopen(file, "re");
    if (f == NULL) {
        buf_adds(text, "return {}");
        return (!must_exist && errno == ENOENT) || err_errno(err, errno, "%s", file);
    }
    size_t n;
    while (text->len < 1024 * 1024 && (n = fread(buf_room(text, 4096), 1, 4096, f)) > 0) {
        text->len += n;
    }
    buf_add(text, "", 0);
    fclose(f);
    return true;
}

bool config_load(struct config *c, const char *home, const struct config_args *args,
                 struct err *err) {
    *c = (struct config){0};
    char *here = getcwd(NULL, 0);
    char *file = args->file != NULL ? absolute(here, args->file) : absolute(home, "config.lua");
    char *base = mem_dupn(file, (size_t)(strrchr(file, '/') - file));
    struct buf text = BUF_INIT;
    struct config_args fixed = *args;
    char *data = args->data == NULL ? NULL : absolute(here, args->data);
    char *scripts = args->scripts == NULL ? NULL : absolute(here, args->scripts);
    fixed.data = data;
    fixed.scripts = scripts;
    bool ok = read_text(file, args->file != NULL, &text, err);
    if (ok) {
        struct job job = {c, &fixed, file, text.data, base, err, false};
        struct side side = {0};
        lua_State *L = luaL_newstate();
        *(struct side **)lua_getextraspace(L) = &side;
        lua_pushcfunction(L, run);
        lua_pushlightuserdata(L, &job);
        if (lua_pcall(L, 1, 0, 0) != LUA_OK) {
            err_set(err, ERR_INVALID, "%s", lua_tostring(L, -1));
        }
        ok = job.ok;
        lua_close(L);
    }
    buf_clear(&text);
    free(data);
    free(scripts);
    free(base);
    free(file);
    free(here);
    return ok;
}

void config_clear(struct config *c) {
    for (size_t i = 0; i < c->host_count; i++) {
        free(c->hosts[i]);
    }
    free(c->listen_host);
    free(c->data);
    free(c->scripts);
    free(c->log_level);
    free(c->json);
    *c = (struct config){0};
}
