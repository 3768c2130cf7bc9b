/* config.c - see config.h.
 *
 * Runs config.lua in a bare state (no libraries: it is data) and checks the table against `rows`.
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
#include "log.h"
#include "value.h"

enum row_type { TEXT, INTEGER, NUMBER, BOOLEAN, LIST, ANY, TABLE };

/* A path part "*" stands for any name.  `choices` is a |-separated list for TEXT. */
static const struct row {
    const char *path;
    enum row_type type;
    const char *def; /* JSON, or NULL for none */
    double min, max;
    const char *choices;
    const char *env; /* variable that beats the file */
} rows[] = {
    {"listen", TEXT, "\"127.0.0.1:8700\"", 0, 0, NULL, NULL},
    {"trust_network", BOOLEAN, "false", 0, 0, NULL, NULL},
    {"hosts", LIST, "[]", 0, CONFIG_HOSTS_MAX, NULL, NULL},
    {"data", TEXT, "\"data\"", 0, 0, NULL, NULL},
    {"scripts", TEXT, "\"scripts\"", 0, 0, NULL, NULL},
    {"scripts_write", TEXT, "\"rules\"", 0, 0, "rules|all", NULL},
    {"log_level", TEXT, "\"info\"", 0, 0, "debug|info|warn|error", NULL},
    {"unsafe_no_isolation", BOOLEAN, "false", 0, 0, NULL, NULL},
    {"users", LIST, "[]", 0, 10000, NULL, NULL},
    {"default_provider", TEXT, "\"local\"", 0, 0, NULL, NULL},
    {"store", TABLE, "{}", 0, 0, NULL, NULL},
    {"store.mongodb_uri", TEXT, NULL, 0, 0, NULL, "MONGODB_URI"},
    {"store.database", TEXT, "\"gander\"", 0, 0, NULL, NULL},
    {"providers", TABLE, "{\"local\":{\"kind\":\"local\"}}", 0, 0, NULL, NULL},
    {"providers.*", TABLE, NULL, 0, 0, NULL, NULL},
    {"providers.*.kind", TEXT, NULL, 0, 0, "local|vercel", NULL},
    {"providers.*.slots", INTEGER, NULL, 1, 100000, NULL, NULL},
    {"providers.*.memory_mb", INTEGER, NULL, 64, 1048576, NULL, NULL},
    {"providers.*.cpus", NUMBER, NULL, 0.1, 1024, NULL, NULL},
    {"providers.*.processes", INTEGER, NULL, 16, 100000, NULL, NULL},
    {"providers.*.reach_private", BOOLEAN, NULL, 0, 0, NULL, NULL},
    {"providers.*.token_env", TEXT, NULL, 0, 0, NULL, NULL},
    {"providers.*.team_env", TEXT, NULL, 0, 0, NULL, NULL},
    {"providers.*.project_env", TEXT, NULL, 0, 0, NULL, NULL},
    {"providers.*.plan", TEXT, NULL, 0, 0, "hobby|pro|enterprise", NULL},
    {"sandbox", TABLE, "{}", 0, 0, NULL, NULL},
    {"sandbox.vcpus", INTEGER, "2", 1, 64, NULL, NULL},
    {"sandbox.timeout_s", INTEGER, "1800", 60, 86400, NULL, NULL},
    {"sandbox.max_lifetime_s", INTEGER, NULL, 60, 31536000, NULL, NULL},
    {"sandbox.workspace", TEXT, NULL, 0, 0, "keep|discard", NULL},
    {"sandbox.egress", TEXT, "\"auto\"", 0, 0, "auto|allow|deny", NULL},
    {"goose", TABLE, "{}", 0, 0, NULL, NULL},
    {"goose.engine", TEXT, "\"auto\"", 0, 0, "auto|goose|echo", NULL},
    {"goose.mode", TEXT, "\"approve\"", 0, 0, "approve|smart_approve|auto|chat", NULL},
    {"goose.source", ANY, NULL, 0, 0, NULL, NULL},
    {"goose.version", TEXT, NULL, 0, 0, NULL, NULL},
    {"goose.snapshot_id", TEXT, NULL, 0, 0, NULL, NULL},
    {"limits", TABLE, "{}", 0, 0, NULL, NULL},
    {"limits.body", INTEGER, "1048576", 1024, 268435456, NULL, NULL},
    {"limits.workers", INTEGER, "64", 2, 1000, NULL, NULL},
    {"limits.call_ms", INTEGER, "30000", 100, 600000, NULL, NULL},
    {"limits.call_memory_mb", INTEGER, "128", 8, 4096, NULL, NULL},
    {"model", TABLE, "{}", 0, 0, NULL, NULL},
    {"model.provider", TEXT, NULL, 0, 0, NULL, "GOOSE_PROVIDER"},
    {"model.name", TEXT, NULL, 0, 0, NULL, "GOOSE_MODEL"},
    {"model.openai_api_key", TEXT, NULL, 0, 0, NULL, "OPENAI_API_KEY"},
    {"model.openai_host", TEXT, NULL, 0, 0, NULL, "OPENAI_HOST"},
    {"model.anthropic_api_key", TEXT, NULL, 0, 0, NULL, "ANTHROPIC_API_KEY"},
    {"model.anthropic_host", TEXT, NULL, 0, 0, NULL, "ANTHROPIC_HOST"},
    {"policy", TABLE, "{}", 0, 0, NULL, NULL},
    {"policy.*", ANY, NULL, 0, 0, NULL, NULL},
};
#define ROW_COUNT (sizeof rows / sizeof rows[0])

struct reader {
    lua_State *L;
    const char *file;
    const char *text; /* of the file, to find a key's line */
    struct err *err;
};

/* Does "providers.local.kind" fit the row's "providers.*.kind"? */
static bool path_fits(const char *row, const char *path) {
    for (;;) {
        size_t a = strcspn(row, "."), b = strcspn(path, ".");
        bool same = (a == 1 && row[0] == '*') || (a == b && memcmp(row, path, a) == 0);
        if (!same) {
            return false;
        }
        if (row[a] == '\0' || path[b] == '\0') {
            return row[a] == path[b];
        }
        row += a + 1;
        path += b + 1;
    }
}

static const struct row *row_of(const char *path) {
    for (size_t i = 0; i < ROW_COUNT; i++) {
        if (path_fits(rows[i].path, path)) {
            return &rows[i];
        }
    }
    return NULL;
}

/* The line of the first `key =` in the file; 1 when it is written in another way. */
static int line_of(const struct reader *r, const char *path) {
    const char *dot = strrchr(path, '.');
    const char *key = dot == NULL ? path : dot + 1;
    size_t len = strlen(key);
    int line = 1;
    for (const char *at = r->text; *at != '\0'; at++) {
        if (*at == '\n') {
            line++;
        }
        const char *after = at + len;
        bool begins = at == r->text || strchr(" \t\n{,;\"'", at[-1]) != NULL;
        if (begins && strncmp(at, key, len) == 0) {
            after += strspn(after, "\"']");
            after += strspn(after, " \t");
            if (*after == '=') {
                return line;
            }
        }
    }
    return 1;
}

static bool refuse(const struct reader *r, const char *path, const char *rule) {
    return err_set(r->err, ERR_INVALID, "%s:%d: %s: %s", r->file, line_of(r, path), path, rule);
}

static bool in_choices(const char *choices, const char *text) {
    size_t len = strlen(text);
    for (const char *at = choices; *at != '\0'; at += strcspn(at, "|"), at += *at == '|') {
        if (strcspn(at, "|") == len && memcmp(at, text, len) == 0) {
            return true;
        }
    }
    return false;
}

/* Check the value on the top of the stack against its row. */
static bool check_value(const struct reader *r, const struct row *row, const char *path) {
    lua_State *L = r->L;
    char rule[200];
    switch (row->type) {
    case TEXT:
        if (lua_type(L, -1) != LUA_TSTRING) {
            return refuse(r, path, "must be a string");
        }
        if (row->choices != NULL && !in_choices(row->choices, lua_tostring(L, -1))) {
            snprintf(rule, sizeof rule, "must be one of %s, not '%.40s'", row->choices,
                     lua_tostring(L, -1));
            return refuse(r, path, rule);
        }
        return true;
    case INTEGER:
    case NUMBER:
        if ((row->type == INTEGER && !lua_isinteger(L, -1)) || lua_type(L, -1) != LUA_TNUMBER ||
            lua_tonumber(L, -1) < row->min || lua_tonumber(L, -1) > row->max) {
            snprintf(rule, sizeof rule, "must be %s from %.15g to %.15g",
                     row->type == INTEGER ? "an integer" : "a number", row->min, row->max);
            return refuse(r, path, rule);
        }
        return true;
    case BOOLEAN:
        return lua_isboolean(L, -1) || refuse(r, path, "must be true or false");
    case LIST:
        if (lua_type(L, -1) != LUA_TTABLE || (double)lua_rawlen(L, -1) > row->max) {
            snprintf(rule, sizeof rule, "must be a list of at most %.15g", row->max);
            return refuse(r, path, rule);
        }
        value_mark_array(L, -1);
        return true;
    case TABLE:
        return lua_type(L, -1) == LUA_TTABLE || refuse(r, path, "must be a table");
    default:
        return true;
    }
}

/* Check the table on the top of the stack, whose path is `prefix` ("" for the whole). */
static bool check_table(const struct reader *r, const char *prefix) {
    lua_State *L = r->L;
    for (lua_pushnil(L); lua_next(L, -2) != 0; lua_pop(L, 1)) {
        if (lua_type(L, -2) != LUA_TSTRING) {
            return refuse(r, prefix, "its keys must be names");
        }
        const char *name = lua_tostring(L, -2);
        char path[200];
        snprintf(path, sizeof path, "%s%s%s", prefix, prefix[0] == '\0' ? "" : ".", name);
        const struct row *row = strchr(name, '.') != NULL ? NULL : row_of(path);
        if (row == NULL) {
            return refuse(r, path, "there is no such setting");
        }
        if (!check_value(r, row, path) || (row->type == TABLE && !check_table(r, path))) {
            return false;
        }
    }
    return true;
}

/* Push the table that holds the last part of `path`, below the table at `top`; name it. */
static const char *push_holder(lua_State *L, int top, const char *path) {
    lua_pushvalue(L, top);
    const char *dot;
    while ((dot = strchr(path, '.')) != NULL) {
        lua_pushlstring(L, path, (size_t)(dot - path));
        lua_rawget(L, -2);
        lua_remove(L, -2);
        path = dot + 1;
    }
    return path;
}

/* Environment and defaults into the table at `top`. */
static bool complete(const struct reader *r, int top) {
    lua_State *L = r->L;
    for (size_t i = 0; i < ROW_COUNT; i++) {
        const struct row *row = &rows[i];
        const char *env = row->env == NULL ? NULL : getenv(row->env);
        bool from_env = env != NULL && env[0] != '\0';
        if (strchr(row->path, '*') != NULL || (row->def == NULL && !from_env)) {
            continue;
        }
        const char *name = push_holder(L, top, row->path);
        bool missing = lua_getfield(L, -1, name) == LUA_TNIL;
        lua_pop(L, 1);
        if (from_env) {
            lua_pushstring(L, env);
            lua_setfield(L, -2, name);
        } else if (missing) {
            if (!value_decode(L, row->def, strlen(row->def), 0, 8, r->err)) {
                return false;
            }
            lua_setfield(L, -2, name);
        }
        lua_pop(L, 1);
    }
    return true;
}

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
    struct in_addr v4;
    c->loopback =
        (strncmp(c->listen_host, "127.", 4) == 0 && inet_pton(AF_INET, c->listen_host, &v4) == 1) ||
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

static int run(lua_State *L) {
    struct job *j = lua_touserdata(L, 1);
    struct reader r = {L, j->file, j->text, j->err};
    struct buf *chunk = buf_push(L);
    buf_addf(chunk, "@%s", j->file);
    if (luaL_loadbufferx(L, j->text, strlen(j->text), chunk->data, "t") != LUA_OK) {
        return lua_error(L);
    }
    lua_call(L, 0, 1);
    if (lua_type(L, -1) != LUA_TTABLE) {
        return luaL_error(L, "%s:1: must return one table", j->file);
    }
    if (!check_table(&r, "")) {
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
    j->ok = complete(&r, 3) && take(j->c, L, j->base, j->err);
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
