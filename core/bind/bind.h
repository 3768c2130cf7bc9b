/* bind.h - the toolbox of the bindings: handles, options, results.
 *
 * A handle is a `box`: a userdata that starts closed, is filled once its resource exists, and whose
 * close, __gc and __close are the same idempotent function.  A child keeps its parent alive (user
 * value 1) and a parent's real close waits for its last child.
 *
 * Order in every binding: check arguments (may raise), box_new (may raise), call the library with a
 * struct err (cannot raise), box_fill or fail.
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef GANDER_BIND_H
#define GANDER_BIND_H

#include <lauxlib.h>
#include <lua.h>
#include <stdbool.h>
#include <stdint.h>

#include "buf.h"
#include "err.h"
#include "host.h"

/* What each VM carries beside its state; lua_getextraspace(L) points to it. */
struct side {
    struct host *host;
    int64_t generation;  /* of the scripts this VM runs */
    long open_boxes;     /* filled handles that were not closed: the spec runner's leak check */
    int64_t deadline_ms; /* clock_ms() at which the call in progress is stopped; 0 = none */
};
struct side *side_of(lua_State *L);
struct host *host_of(lua_State *L);

struct box {
    void *thing; /* NULL while closed */
    void (*close)(void *thing);
    struct box *parent;
    struct side *side;
    int children; /* filled handles that have this one as parent */
    bool closing; /* closed by the script; `thing` lives on until its last child is closed */
};

/* Make the metatable of a type: methods under __index; close, __gc, __close are added. */
void box_type(lua_State *L, const char *type, const luaL_Reg *methods);
/* Push a closed handle; `parent` is the stack index of the parent's handle or 0. */
struct box *box_new(lua_State *L, const char *type, int parent);
void box_fill(struct box *b, void *thing, void (*close)(void *thing));
/* The thing of the handle at `index`; raises on another type or a closed handle. */
void *box_check(lua_State *L, int index, const char *type);
int box_close(lua_State *L); /* the Lua function */

/* Push an empty buf that Lua collects: for bytes that must survive a call that may raise. */
struct buf *buf_push(lua_State *L);

/* nil, message, code */
int fail(lua_State *L, const struct err *err);

/* Options: `index` is a table or none/nil.  opt_check refuses keys that are not in the
 * NULL-ended list, by name.  The getters raise on a wrong type or range, naming the key. */
void opt_check(lua_State *L, int index, const char *const *keys);
lua_Integer opt_integer(lua_State *L, int index, const char *key, lua_Integer def, lua_Integer min,
                        lua_Integer max);
bool opt_boolean(lua_State *L, int index, const char *key, bool def);
/* The string stays owned by the table. NULL (or def) when absent. */
const char *opt_string(lua_State *L, int index, const char *key, const char *def, size_t *len);
/* Push the table under key and return true; push nothing and return false when absent. */
bool opt_table(lua_State *L, int index, const char *key);

/* Values (bind/json.c).  null is light userdata NULL; arrays and objects may carry a mark. */
void value_push_null(lua_State *L);
bool value_is_null(lua_State *L, int index);
void value_push_date(lua_State *L, int64_t ms);
bool value_to_date(lua_State *L, int index, int64_t *ms); /* false when it is no Date */
void value_mark_array(lua_State *L, int index);           /* the table is an array, even empty */
void value_mark_object(lua_State *L, int index);
enum value_kind { KIND_TABLE_ARRAY, KIND_TABLE_OBJECT };
/* Array or object?  A mark decides; else an array is what has a [1]. */
enum value_kind value_table_kind(lua_State *L, int index);
/* Write the value at `index` as JSON (flags: VALUE_TYPED, VALUE_PRETTY).  Never raises. */
bool value_encode(struct buf *out, lua_State *L, int index, int flags, struct err *err);
/* Push the value of JSON text; on bad text pushes nothing, fills *err, returns false.  May raise
 * when the VM is out of memory. */
bool value_decode(lua_State *L, const char *text, size_t len, int flags, int max_depth,
                  struct err *err);

/* One opener a binding; `bind_openers` lists them all for vm.c (bind.c). */
struct opener {
    const char *name; /* "gander.json" */
    lua_CFunction open;
};
extern const struct opener bind_openers[];

#endif
