/* config_check.c - see config_own.h.
 * SPDX-License-Identifier: Apache-2.0
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>

#include "bind/bind.h"
#include "config.h"
#include "config_own.h"
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
    {"users.*.id", TEXT, NULL, 0, 0, NULL, NULL},
    {"users.*.name", TEXT, NULL, 0, 0, NULL, NULL},
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
    {"goose.repo_url", TEXT, NULL, 0, 0, NULL, "GOOSE_API_REPO_URL"},
    {"goose.repo_revision", TEXT, NULL, 0, 0, NULL, "GOOSE_API_REPO_REVISION"},
    {"goose.image", TEXT, NULL, 0, 0, NULL, "GOOSE_API_IMAGE"},
    {"goose.registry", TEXT, NULL, 0, 0, NULL, "AZURE_CONTAINER_REGISTRY_URL"},
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
static int line_of(const struct config_reader *r, const char *path) {
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

static bool refuse(const struct config_reader *r, const char *path, const char *rule) {
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
static bool check_value(const struct config_reader *r, const struct row *row, const char *path) {
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
static bool check_table(const struct config_reader *r, const char *prefix) {
    lua_State *L = r->L;
    for (lua_pushnil(L); lua_next(L, -2) != 0; lua_pop(L, 1)) {
        if (lua_type(L, -2) != LUA_TSTRING) {
            return refuse(r, prefix, "its keys must be names");
        }
        const char *name = lua_tostring(L, -2);
        char path[200];
        snprintf(path, sizeof path, "%s%s%s", prefix, prefix[0] == '\0' ? "" : ".", name);
        const struct row *row = strchr(name, '.') == NULL ? row_of(path) : NULL;
        if (row == NULL) {
            return refuse(r, path, "there is no such setting");
        }
        if (!check_value(r, row, path) || (row->type == TABLE && !check_table(r, path))) {
            return false;
        }
    }
    return true;
}

/* Users are {id, name}; an id is a word that may stand in a path, and no two have the same. */
static bool check_users(const struct config_reader *r, int top) {
    static const char word[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
    lua_State *L = r->L;
    lua_getfield(L, top, "users");
    lua_newtable(L); /* the ids so far */
    lua_Integer count = (lua_Integer)lua_rawlen(L, -2);
    for (lua_Integer i = 1; i <= count; i++) {
        char path[40], rule[120];
        snprintf(path, sizeof path, "users.%lld", (long long)i);
        if (lua_rawgeti(L, -2, i) != LUA_TTABLE) {
            return refuse(r, "users", "each must be { id = \"...\", name = \"...\" }");
        }
        if (!check_table(r, path)) {
            return false;
        }
        lua_getfield(L, -1, "id");
        const char *id = lua_tostring(L, -1);
        if (id == NULL || id[0] == '\0' || id[strspn(id, word)] != '\0' || strlen(id) > 64) {
            return refuse(r, "users", "each needs an id of letters, digits, '.', '_' and '-'");
        }
        snprintf(rule, sizeof rule, "the id '%s' is there twice", id);
        if (lua_getfield(L, -3, id) != LUA_TNIL) {
            return refuse(r, "users", rule);
        }
        lua_pushboolean(L, 1);
        lua_setfield(L, -5, id);
        lua_pop(L, 3);
    }
    lua_pop(L, 2);
    return true;
}

static bool check_provider(const struct config_reader *r, int top) {
    lua_State *L = r->L;
    char rule[120];
    lua_getfield(L, top, "providers");
    lua_getfield(L, top, "default_provider");
    const char *name = lua_tostring(L, -1);
    snprintf(rule, sizeof rule, "there is no '%.40s' among the providers", name);
    bool known = lua_getfield(L, -2, name) == LUA_TTABLE;
    lua_pop(L, 3);
    return known || refuse(r, "default_provider", rule);
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

bool config_check(const struct config_reader *r) {
    return check_table(r, "");
}

bool config_complete(const struct config_reader *r, int top) {
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
    return check_users(r, top) && check_provider(r, top);
}
