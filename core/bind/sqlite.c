/* sqlite.c - gander.sqlite: an SQLite file.  Wraps libsqlite3 (sqlite_db.c), whose calls block.
 *
 * A statement is always reset before Lua runs again: the rows of a query are copied to a buf first
 * and pushed afterwards, so a raise leaves no read transaction behind.  tx() keeps its transaction
 * in a to-be-closed child handle: a raise in the function and the deadline end in ROLLBACK.
 * Values: null, boolean (0 or 1), integer, double, string (text), Date (its milliseconds).
 * Not here: documents (scripts/lib/store), schema, retries.
 * SPDX-License-Identifier: Apache-2.0
 */
#include <sqlite3.h>
#include <string.h>

#include "bind/bind.h"
#include "bind/sqlite_db.h"
#include "value.h"
#include "wait.h"

#define TYPE_DB "gander.Db"
#define TYPE_TX "gander.sqlite.tx"

/* sqlite.open(path [,{wal=true, sync="full"|"normal", busy_ms=5000}]) -> Db
 *                                                       -> nil, message, code */
static int f_open(lua_State *L) {
    static const char *const keys[] = {"busy_ms", "sync", "wal", NULL};
    size_t len;
    const char *path = luaL_checklstring(L, 1, &len);
    luaL_argcheck(L, len > 0 && strlen(path) == len, 1, "a path is wanted");
    opt_check(L, 2, keys);
    struct db_options options = {.wal = opt_boolean(L, 2, "wal", true)};
    options.busy_ms = opt_integer(L, 2, "busy_ms", 5000, 0, 60000);
    const char *sync = opt_string(L, 2, "sync", "full", NULL);
    options.full_sync = strcmp(sync, "full") == 0;
    if (!options.full_sync && strcmp(sync, "normal") != 0) {
        return luaL_error(L, "option 'sync' must be \"full\" or \"normal\", not \"%s\"", sync);
    }
    struct box *box = box_new(L, TYPE_DB, 0);
    struct err err;
    wait_begin(host_of(L)->wait);
    struct db *db = db_open(path, &options, side_of(L), &err);
    wait_end(host_of(L)->wait);
    if (db == NULL) {
        return fail(L, &err);
    }
    box_fill(box, db, db_close);
    return 1;
}

/* Raise unless the value on the top of the stack can be bound. */
static void check_value(lua_State *L) {
    int64_t ms;
    size_t len;
    switch (lua_type(L, -1)) {
    case LUA_TNIL:
    case LUA_TBOOLEAN:
        return;
    case LUA_TNUMBER:
        if (!lua_isinteger(L, -1) && lua_tonumber(L, -1) != lua_tonumber(L, -1)) {
            luaL_error(L, "a parameter is nan, which SQLite cannot hold");
        }
        return;
    case LUA_TSTRING: {
        const char *s = lua_tolstring(L, -1, &len);
        if (!value_utf8(s, len)) {
            luaL_error(L, "a parameter is a string that is not valid UTF-8");
        }
        return;
    }
    default:
        if (!value_is_null(L, -1) && !value_to_date(L, -1, &ms)) {
            luaL_error(L, "a parameter cannot be a %s", luaL_typename(L, -1));
        }
    }
}

static void check_params(lua_State *L, int index) {
    if (lua_isnoneornil(L, index)) {
        return;
    }
    luaL_checktype(L, index, LUA_TTABLE);
    for (lua_pushnil(L); lua_next(L, index) != 0; lua_pop(L, 1)) {
        check_value(L);
    }
}

/* Bind the value on the top of the stack and pop it.  Its bytes stay alive in the params table. */
static void bind_value(lua_State *L, sqlite3_stmt *stmt, int i) {
    int64_t ms;
    size_t len;
    switch (lua_type(L, -1)) {
    case LUA_TBOOLEAN:
        sqlite3_bind_int(stmt, i, lua_toboolean(L, -1));
        break;
    case LUA_TNUMBER:
        if (lua_isinteger(L, -1)) {
            sqlite3_bind_int64(stmt, i, lua_tointeger(L, -1));
        } else {
            sqlite3_bind_double(stmt, i, lua_tonumber(L, -1));
        }
        break;
    case LUA_TSTRING: {
        const char *s = lua_tolstring(L, -1, &len);
        sqlite3_bind_text64(stmt, i, s, len, SQLITE_STATIC, SQLITE_UTF8);
        break;
    }
    default:
        if (value_to_date(L, -1, &ms)) {
            sqlite3_bind_int64(stmt, i, ms);
        } else {
            sqlite3_bind_null(stmt, i);
        }
    }
    lua_pop(L, 1);
}

/* Bind all parameters; raises when the table has other ones than the statement.  A raise is
 * harmless: the statement is the cache's and was not started. */
static void bind_params(lua_State *L, int index, sqlite3_stmt *stmt) {
    int count = sqlite3_bind_parameter_count(stmt);
    bool given = !lua_isnoneornil(L, index);
    for (int i = 1; i <= count; i++) {
        const char *name = sqlite3_bind_parameter_name(stmt, i);
        if (!given) {
            luaL_error(L, "the statement wants %d parameters", count);
        }
        if (name == NULL || name[0] == '?') {
            lua_rawgeti(L, index, i);
        } else {
            lua_pushstring(L, name + 1);
            lua_rawget(L, index);
        }
        bind_value(L, stmt, i);
    }
    if (!given) {
        return;
    }
    for (lua_pushnil(L); lua_next(L, index) != 0; lua_pop(L, 1)) {
        bool known;
        if (lua_type(L, -2) == LUA_TSTRING) {
            const char *name = lua_pushfstring(L, ":%s", lua_tostring(L, -2));
            known = sqlite3_bind_parameter_index(stmt, name) != 0;
            lua_pop(L, 1);
        } else {
            known =
                lua_isinteger(L, -2) && lua_tointeger(L, -2) >= 1 && lua_tointeger(L, -2) <= count;
        }
        if (!known) {
            luaL_error(L, "the statement has no parameter '%s'", luaL_tolstring(L, -2, NULL));
        }
    }
}

/* The checked, prepared and bound statement of the arguments (sql, params) at 2 and 3; NULL fills
 * *err.  SQL that SQLite does not understand raises. */
static sqlite3_stmt *ready(lua_State *L, struct db *db, struct err *err) {
    size_t len;
    const char *sql = luaL_checklstring(L, 2, &len);
    luaL_argcheck(L, len < INT32_MAX, 2, "too long");
    lua_settop(L, 3);
    check_params(L, 3);
    wait_begin(host_of(L)->wait);
    sqlite3_stmt *stmt = db_prepare(db, sql, len, err);
    wait_end(host_of(L)->wait);
    if (stmt != NULL) {
        bind_params(L, 3, stmt);
    } else if (err->code == ERR_INVALID) {
        struct err misuse = *err;
        err_wrap(&misuse, "%.200s", sql);
        luaL_error(L, "%s", misuse.text);
    }
    return stmt;
}

/* db:exec(sql [,params]) -> rows changed
 *                        -> nil, message, code */
static int m_exec(lua_State *L) {
    struct db *db = box_check(L, 1, TYPE_DB);
    struct err err;
    sqlite3_stmt *stmt = ready(L, db, &err);
    if (stmt == NULL) {
        return fail(L, &err);
    }
    int64_t changes;
    wait_begin(host_of(L)->wait);
    bool ok = db_run(db, stmt, NULL, &changes, &err);
    wait_end(host_of(L)->wait);
    if (!ok) {
        return fail(L, &err);
    }
    lua_pushinteger(L, changes);
    return 1;
}

/* Push the cell at *at and step over it; NULL is nil. */
static void push_cell(lua_State *L, const char **at) {
    int type = *(*at)++;
    int64_t n = 0;
    double number;
    if (type == SQLITE_NULL) {
        lua_pushnil(L);
        return;
    }
    memcpy(&n, *at, sizeof n);
    memcpy(&number, *at, sizeof number);
    *at += sizeof n;
    if (type == SQLITE_INTEGER) {
        lua_pushinteger(L, n);
    } else if (type == SQLITE_FLOAT) {
        lua_pushnumber(L, number);
    } else {
        lua_pushlstring(L, *at, (size_t)n);
        *at += n;
    }
}

/* The statement was reset; it is asked only for the names of its columns. */
static void push_rows(lua_State *L, sqlite3_stmt *stmt, const struct buf *rows) {
    int columns = sqlite3_column_count(stmt);
    luaL_checkstack(L, columns + 4, "too many columns");
    int names = lua_gettop(L) + 1;
    for (int i = 0; i < columns; i++) {
        lua_pushstring(L, sqlite3_column_name(stmt, i));
    }
    lua_newtable(L);
    value_mark_array(L, -1);
    const char *at = rows->data;
    for (lua_Integer row = 1; rows->len > 0 && at < rows->data + rows->len; row++) {
        lua_createtable(L, 0, columns);
        for (int i = 0; i < columns; i++) {
            lua_pushvalue(L, names + i);
            push_cell(L, &at);
            lua_rawset(L, -3);
        }
        lua_rawseti(L, -2, row);
    }
}

/* db:query(sql [,params]) -> rows       each a table by column name, without its NULLs
 *                         -> nil, message, code */
static int m_query(lua_State *L) {
    struct db *db = box_check(L, 1, TYPE_DB);
    struct err err;
    sqlite3_stmt *stmt = ready(L, db, &err);
    if (stmt == NULL) {
        return fail(L, &err);
    }
    struct buf *rows = buf_push(L);
    int64_t changes;
    wait_begin(host_of(L)->wait);
    bool ok = db_run(db, stmt, rows, &changes, &err);
    wait_end(host_of(L)->wait);
    if (ok) {
        push_rows(L, stmt, rows);
    }
    buf_clear(rows);
    return ok ? 1 : fail(L, &err);
}

/* db:tx(fn) -> what fn returns, committed
 *           -> nil, message, code       returned by fn: rolled back; or the world failed
 *                                       a raise of fn rolls back and goes on */
static int m_tx(lua_State *L) {
    struct db *db = box_check(L, 1, TYPE_DB);
    luaL_checktype(L, 2, LUA_TFUNCTION);
    lua_settop(L, 2);
    if (db_in_tx(db)) {
        return luaL_error(L, "a transaction within a transaction");
    }
    struct box *box = box_new(L, TYPE_TX, 1);
    lua_toclose(L, 3); /* closed when this function is left, in whatever way */
    struct err err;
    wait_begin(host_of(L)->wait);
    bool ok = db_begin(db, &err);
    wait_end(host_of(L)->wait);
    if (!ok) {
        return fail(L, &err);
    }
    box_fill(box, db, db_end);
    lua_pushvalue(L, 2);
    lua_call(L, 0, LUA_MULTRET);
    int results = lua_gettop(L) - 3;
    if (results >= 2 && lua_isnil(L, 4) && !lua_isnil(L, 5)) {
        return results; /* nil, message, code */
    }
    wait_begin(host_of(L)->wait);
    ok = db_commit(db, &err);
    wait_end(host_of(L)->wait);
    return ok ? results : fail(L, &err);
}

static const luaL_Reg function_list[] = {
    {"open", f_open}, /* open or make a file */
    {NULL, NULL},
};

static const luaL_Reg method_list[] = {
    {"exec", m_exec},   /* one statement, its rows unread */
    {"query", m_query}, /* one statement, its rows */
    {"tx", m_tx},       /* a function as one transaction */
    {NULL, NULL},
};

int luaopen_gander_sqlite(lua_State *L) {
    static const luaL_Reg no_methods[] = {{NULL, NULL}};
    box_type(L, TYPE_DB, method_list);
    box_type(L, TYPE_TX, no_methods);
    luaL_newlib(L, function_list);
    return 1;
}
