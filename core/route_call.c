/* route_call.c - see route_call.h.
 *
 * Builds the req table of lib/app's dispatch and reads its answer.  The outcome belongs to the
 * caller of vm_run, so a raise in here loses nothing: it is cleared by its owner.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "route_call.h"

#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>

#include "bind/bind.h"
#include "value.h"

struct call {
    const struct request *request;
    const struct route_match *match;
    const char *id, *next, *data, *event;
    struct outcome *outcome;
};

static void set(lua_State *L, const char *name, const char *text) {
    if (text != NULL) {
        lua_pushstring(L, text);
        lua_setfield(L, -2, name);
    }
}

/* Push the decoded text of one part of a query ("a%20b", '+' is a space). */
static void push_decoded(lua_State *L, const char *s, size_t len) {
    luaL_Buffer b;
    luaL_buffinit(L, &b);
    for (size_t i = 0; i < len; i++) {
        int high = s[i] == '%' && i + 2 < len ? hex_digit(s[i + 1]) : -1;
        int low = high >= 0 ? hex_digit(s[i + 2]) : -1;
        if (low >= 0) {
            luaL_addchar(&b, (char)(high * 16 + low));
            i += 2;
        } else {
            luaL_addchar(&b, s[i] == '+' ? ' ' : s[i]);
        }
    }
    luaL_pushresult(&b);
}

/* A name given twice keeps its last value; a name without '=' has "". */
static void push_query(lua_State *L, const char *query) {
    lua_newtable(L);
    while (query != NULL && *query != '\0') {
        size_t len = strcspn(query, "&");
        size_t name = strcspn(query, "=&");
        if (name > 0) {
            push_decoded(L, query, name < len ? name : len);
            if (name < len) {
                push_decoded(L, query + name + 1, len - name - 1);
            } else {
                lua_pushliteral(L, "");
            }
            lua_rawset(L, -3);
        }
        query += len + (query[len] == '&');
    }
}

static void push_headers(lua_State *L, const struct request *r) {
    lua_newtable(L);
    for (int i = 0; i < r->header_count; i++) {
        char name[128];
        size_t n = 0;
        for (; r->headers[i].name[n] != '\0' && n < sizeof name - 1; n++) {
            char c = r->headers[i].name[n];
            name[n] = c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
        }
        name[n] = '\0';
        set(L, name, r->headers[i].value);
    }
}

static void push_request(lua_State *L, const struct request *r, const struct route_match *m) {
    lua_createtable(L, 0, 12);
    set(L, "id", r->id);
    set(L, "method", r->method);
    set(L, "path", r->path);
    set(L, "file", m->route->file);
    set(L, "via", r->from_model ? "model" : "http");
    lua_pushfstring(L, "%s %s", m->route->method, m->route->pattern);
    lua_setfield(L, -2, "route");
    lua_createtable(L, 0, m->count);
    for (int i = 0; i < m->count; i++) {
        set(L, m->names[i], m->values[i]);
    }
    lua_setfield(L, -2, "params");
    push_query(L, r->query);
    lua_setfield(L, -2, "query");
    push_headers(L, r);
    lua_setfield(L, -2, "headers");
    lua_pushlstring(L, r->body.data == NULL ? "" : r->body.data, r->body.len);
    lua_setfield(L, -2, "body");
}

/* Copies of a member of the table on the top. */
static char *take_text(lua_State *L, const char *name) {
    lua_getfield(L, -1, name);
    char *copy = lua_isnoneornil(L, -1) ? NULL : mem_dup(lua_tostring(L, -1));
    lua_pop(L, 1);
    return copy;
}

static void take_names(lua_State *L, const char *name, struct outcome *o) {
    lua_getfield(L, -1, name);
    size_t n = lua_type(L, -1) == LUA_TTABLE ? lua_rawlen(L, -1) : 0;
    for (size_t i = 1; i <= n && o->name_count < TOPICS_MAX; i++) {
        lua_rawgeti(L, -1, (lua_Integer)i);
        o->names[o->name_count++] = mem_dup(luaL_checkstring(L, -1));
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
}

static void take_headers(lua_State *L, int index, struct outcome *o) {
    if (lua_type(L, index) != LUA_TTABLE) {
        return;
    }
    index = lua_absindex(L, index);
    for (lua_pushnil(L); lua_next(L, index) != 0; lua_pop(L, 1)) {
        const char *name = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : NULL;
        const char *value = luaL_tolstring(L, -1, NULL);
        if (name == NULL || strpbrk(name, "\r\n:") != NULL || strpbrk(value, "\r\n") != NULL) {
            luaL_error(L, "a header '%s' that cannot be sent", name == NULL ? "?" : name);
        }
        buf_addf(&o->headers, "%s: %s\r\n", name, value);
        lua_pop(L, 1);
    }
}

static void take_data(lua_State *L, struct outcome *o) {
    struct buf json = BUF_INIT;
    struct err err;
    lua_getfield(L, -1, "data");
    bool ok = value_encode(&json, L, -1, VALUE_TYPED, &err);
    o->data = buf_take(&json);
    lua_pop(L, 1);
    if (!ok) {
        luaL_error(L, "data: %s", err.text);
    }
}

/* stream, await, relay, chunks: the table on the top says what. */
static void take_special(lua_State *L, struct outcome *o) {
    static const struct {
        const char *name;
        enum outcome_kind kind;
    } kinds[] = {
        {"stream", OUT_STREAM}, {"await", OUT_AWAIT}, {"relay", OUT_RELAY}, {"chunks", OUT_CHUNKS}};
    lua_getfield(L, -1, "kind");
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (strcmp(luaL_optstring(L, -1, ""), kinds[i].name) == 0) {
            o->kind = kinds[i].kind;
        }
    }
    lua_pop(L, 1);
    take_names(L, o->kind == OUT_STREAM ? "topics" : "until", o);
    o->topic = take_text(L, "topic");
    o->after = take_text(L, "after");
    o->replay = take_text(L, "replay");
    o->until_event = take_text(L, "until_event");
    o->next = take_text(L, o->kind == OUT_RELAY ? "done" : "next");
    o->type = take_text(L, "type");
    o->filename = take_text(L, "filename");
    o->method = take_text(L, "method");
    o->url = take_text(L, "url");
    lua_getfield(L, -1, "timeout_ms");
    o->timeout_ms = luaL_optinteger(L, -1, 60000);
    lua_pop(L, 1);
    lua_getfield(L, -1, "headers");
    take_headers(L, -1, o);
    lua_pop(L, 1);
    lua_getfield(L, -1, "body");
    size_t len;
    const char *body = lua_tolstring(L, -1, &len);
    buf_add(&o->body, body == NULL ? "" : body, body == NULL ? 0 : len);
    lua_pop(L, 1);
    take_data(L, o);
}

/* dispatch and resume return: kind, then (status, body, headers) or one table. */
static void take_outcome(lua_State *L, int first, struct outcome *o) {
    if (strcmp(luaL_checkstring(L, first), "answer") != 0) {
        lua_settop(L, first + 1);
        luaL_checktype(L, first + 1, LUA_TTABLE);
        take_special(L, o);
        return;
    }
    size_t len;
    o->status = (int)luaL_checkinteger(L, first + 1);
    const char *body = luaL_checklstring(L, first + 2, &len);
    luaL_argcheck(L, o->status >= 200 && o->status <= 599, first + 1, "a status from 200 to 599");
    buf_add(&o->body, body, len);
    take_headers(L, first + 3, o);
}

static int run_dispatch(lua_State *L) {
    struct call *c = lua_touserdata(L, 1);
    vm_push_module(L, "lib/app");
    lua_getfield(L, -1, "dispatch");
    push_request(L, c->request, c->match);
    int first = lua_gettop(L) - 1;
    lua_call(L, 1, 4);
    take_outcome(L, first, c->outcome);
    return 0;
}

static void push_json(lua_State *L, const char *text) {
    struct err err;
    if (text == NULL) {
        lua_pushnil(L);
    } else if (!value_decode(L, text, strlen(text), VALUE_TYPED, VALUE_DEPTH, &err)) {
        luaL_error(L, "%s", err.text);
    }
}

static int run_resume(lua_State *L) {
    struct call *c = lua_touserdata(L, 1);
    vm_push_module(L, "lib/app");
    lua_getfield(L, -1, "resume");
    lua_createtable(L, 0, 4);
    set(L, "id", c->id);
    set(L, "next", c->next);
    push_json(L, c->data);
    lua_setfield(L, -2, "data");
    push_json(L, c->event);
    lua_setfield(L, -2, "event");
    int first = lua_gettop(L) - 1;
    lua_call(L, 1, 4);
    take_outcome(L, first, c->outcome);
    return 0;
}

bool route_call(struct vm *vm, const struct request *request, const struct route_match *match,
                int64_t deadline_ms, struct outcome *outcome, struct err *err) {
    struct call call = {.request = request, .match = match, .outcome = outcome};
    return vm_run(vm, run_dispatch, &call, deadline_ms, err);
}

bool route_resume(struct vm *vm, const char *request_id, const char *next, const char *data,
                  const char *event, int64_t deadline_ms, struct outcome *outcome,
                  struct err *err) {
    struct call call = {
        .id = request_id, .next = next, .data = data, .event = event, .outcome = outcome};
    return vm_run(vm, run_resume, &call, deadline_ms, err);
}

void request_clear(struct request *r) {
    buf_clear(&r->body);
}

const char *request_header(const struct request *r, const char *name) {
    for (int i = 0; i < r->header_count; i++) {
        if (strcasecmp(r->headers[i].name, name) == 0) {
            return r->headers[i].value;
        }
    }
    return NULL;
}

void outcome_clear(struct outcome *o) {
    for (int i = 0; i < o->name_count; i++) {
        free(o->names[i]);
    }
    char *owned[] = {o->topic, o->after, o->replay,   o->until_event, o->next,
                     o->data,  o->type,  o->filename, o->method,      o->url};
    for (size_t i = 0; i < sizeof owned / sizeof owned[0]; i++) {
        free(owned[i]);
    }
    buf_clear(&o->headers);
    buf_clear(&o->body);
    *o = (struct outcome){0};
}
