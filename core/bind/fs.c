/* fs.c - gander.fs: files of the host, and trees that a sandbox controls.
 *
 * Wraps core/files.h and core/targz.h.  Paths of the host are taken as they are; what a sandbox can
 * write to is read by the *_beneath functions only.  Calls that may take long (remove, usage) are
 * counted as waiting.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "bind/bind.h"
#include "files.h"
#include "targz.h"
#include "wait.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TYPE_FILE "gander.File"
#define READ_MAX  (64 << 20)
#define LIST_MAX  100000
#define UID_MAX   INT32_MAX

/* A path: a string without NUL, not empty. */
static const char *check_path(lua_State *L, int index) {
    size_t len;
    const char *path = luaL_checklstring(L, index, &len);
    luaL_argcheck(L, len > 0 && strlen(path) == len, index, "not a path");
    return path;
}

static int done(lua_State *L, bool ok, const struct err *err) {
    if (!ok) {
        return fail(L, err);
    }
    lua_pushboolean(L, 1);
    return 1;
}

static int push_text(lua_State *L, struct buf *text, bool ok, const struct err *err) {
    if (!ok) {
        return fail(L, err);
    }
    lua_pushlstring(L, text->data != NULL ? text->data : "", text->len);
    buf_clear(text);
    return 1;
}

/* fs.read(path [,{max=1 MiB, offset=0, part=false}]) -> text
 *                                                    -> nil, message, code
 * More than max bytes are "invalid"; with `part` the first max are the answer. */
static int f_read(lua_State *L) {
    static const char *const keys[] = {"max", "offset", "part", NULL};
    const char *path = check_path(L, 1);
    opt_check(L, 2, keys);
    size_t max = (size_t)opt_integer(L, 2, "max", 1 << 20, 0, READ_MAX);
    int64_t offset = opt_integer(L, 2, "offset", 0, 0, INT64_MAX / 2);
    bool part = opt_boolean(L, 2, "part", false);
    struct buf *text = buf_push(L);
    struct err err;
    bool ok = files_read(path, offset, max, part, text, &err);
    return push_text(L, text, ok, &err);
}

static struct files_make check_make(lua_State *L, int index, mode_t mode) {
    static const char *const keys[] = {"mode", "sync", "uid", NULL};
    opt_check(L, index, keys);
    return (struct files_make){
        .mode = (mode_t)opt_integer(L, index, "mode", mode, 0, 07777),
        .uid = (long)opt_integer(L, index, "uid", -1, -1, UID_MAX),
        .sync = opt_boolean(L, index, "sync", true),
    };
}

/* fs.write_atomic(path, text [,{mode=0600, uid=, sync=true}]) -> true
 *                                                             -> nil, message, code */
static int f_write_atomic(lua_State *L) {
    size_t len;
    const char *path = check_path(L, 1);
    const char *text = luaL_checklstring(L, 2, &len);
    struct files_make how = check_make(L, 3, 0600);
    struct err err;
    wait_begin(host_of(L)->wait);
    bool ok = files_write(path, text, len, how, &err);
    wait_end(host_of(L)->wait);
    return done(L, ok, &err);
}

/* fs.claim(path, text) -> true    made now, by nobody else
 *                      -> nil, message, "conflict" | … */
static int f_claim(lua_State *L) {
    size_t len;
    const char *path = check_path(L, 1);
    const char *text = luaL_checklstring(L, 2, &len);
    struct err err;
    bool ok = files_claim(path, text, len, &err);
    return done(L, ok, &err);
}

/* fs.poke(path, text) -> true    one write to a file of /proc or /sys
 *                     -> nil, message, code */
static int f_poke(lua_State *L) {
    size_t len;
    const char *path = check_path(L, 1);
    const char *text = luaL_checklstring(L, 2, &len);
    struct err err;
    bool ok = files_poke(path, text, len, &err);
    return done(L, ok, &err);
}

/* fs.rmdir(path) -> true    an empty directory, or none
 *                -> nil, message, code */
static int f_rmdir(lua_State *L) {
    const char *path = check_path(L, 1);
    struct err err;
    bool ok = rmdir(path) == 0 || errno == ENOENT || err_errno(&err, errno, "remove %s", path);
    return done(L, ok, &err);
}

/* The entries of files_list as {{name=, kind=}, …}, in byte order of names left to the caller. */
static int push_list(lua_State *L, struct buf *list, bool ok, const struct err *err) {
    if (!ok) {
        return fail(L, err);
    }
    static const char *const kinds[] = {"file", "directory", "link", "other"};
    lua_newtable(L);
    lua_Integer n = 0;
    for (size_t at = 0; at < list->len;) {
        const char *name = list->data + at + 1;
        const char *kind = list->data[at] == 'f'   ? kinds[0]
                           : list->data[at] == 'd' ? kinds[1]
                           : list->data[at] == 'l' ? kinds[2]
                                                   : kinds[3];
        lua_createtable(L, 0, 2);
        lua_pushstring(L, name);
        lua_setfield(L, -2, "name");
        lua_pushstring(L, kind);
        lua_setfield(L, -2, "kind");
        lua_rawseti(L, -2, ++n);
        at += strlen(name) + 2;
    }
    value_mark_array(L, lua_gettop(L));
    buf_clear(list);
    return 1;
}

/* fs.list(path) -> {{name=, kind="file"|"directory"|"link"|"other"}, …}    in no order
 *               -> nil, message, code */
static int f_list(lua_State *L) {
    const char *path = check_path(L, 1);
    struct buf *list = buf_push(L);
    struct err err;
    bool ok = files_list(path, LIST_MAX, list, &err);
    return push_list(L, list, ok, &err);
}

/* fs.list_beneath(root, path) -> as list, below root whatever links lie there */
static int f_list_beneath(lua_State *L) {
    const char *root = check_path(L, 1);
    const char *path = luaL_checkstring(L, 2);
    struct buf *list = buf_push(L);
    struct err err;
    bool ok = files_list_beneath(root, path, LIST_MAX, list, &err);
    return push_list(L, list, ok, &err);
}

/* fs.mkdir(path [,{mode=0700, uid=}]) -> true    parents too; one that is there is left as it is
 *                                     -> nil, message, code */
static int f_mkdir(lua_State *L) {
    static const char *const keys[] = {"mode", "uid", NULL};
    const char *path = check_path(L, 1);
    opt_check(L, 2, keys);
    mode_t mode = (mode_t)opt_integer(L, 2, "mode", 0700, 0, 07777);
    long uid = (long)opt_integer(L, 2, "uid", -1, -1, UID_MAX);
    struct err err;
    bool ok = files_mkdir(path, mode, uid, &err);
    return done(L, ok, &err);
}

/* fs.mkfifo(path) -> true    also when it is there
 *                 -> nil, message, code */
static int f_mkfifo(lua_State *L) {
    const char *path = check_path(L, 1);
    struct err err;
    bool ok = mkfifo(path, 0600) == 0 || errno == EEXIST || err_errno(&err, errno, "FIFO %s", path);
    return done(L, ok, &err);
}

/* fs.remove(path) -> true    a whole tree; also when nothing is there
 *                 -> nil, message, code */
static int f_remove(lua_State *L) {
    const char *path = check_path(L, 1);
    struct err err;
    wait_begin(host_of(L)->wait);
    bool ok = files_remove(path, &err);
    wait_end(host_of(L)->wait);
    return done(L, ok, &err);
}

/* fs.rename(from, to) -> true
 *                     -> nil, message, code */
static int f_rename(lua_State *L) {
    const char *from = check_path(L, 1), *to = check_path(L, 2);
    struct err err;
    bool ok = rename(from, to) == 0 || err_errno(&err, errno, "rename %s to %s", from, to);
    return done(L, ok, &err);
}

/* fs.size(path) -> bytes
 *               -> nil    nothing there
 *               -> nil, message, code */
static int f_size(lua_State *L) {
    const char *path = check_path(L, 1);
    struct stat st;
    struct err err;
    if (stat(path, &st) == 0) {
        lua_pushinteger(L, st.st_size);
        return 1;
    }
    if (errno == ENOENT) {
        lua_pushnil(L);
        return 1;
    }
    err_errno(&err, errno, "%s", path);
    return fail(L, &err);
}

/* fs.link_target(path) -> text
 *                      -> nil, message, code */
static int f_link_target(lua_State *L) {
    const char *path = check_path(L, 1);
    char target[4096];
    ssize_t n = readlink(path, target, sizeof target);
    if (n < 0) {
        struct err err;
        err_errno(&err, errno, "%s", path);
        return fail(L, &err);
    }
    lua_pushlstring(L, target, (size_t)n);
    return 1;
}

/* fs.disk_free(path) -> bytes
 *                    -> nil, message, code */
static int f_disk_free(lua_State *L) {
    const char *path = check_path(L, 1);
    int64_t bytes;
    struct err err;
    if (!files_free(path, &bytes, &err)) {
        return fail(L, &err);
    }
    lua_pushinteger(L, bytes);
    return 1;
}

/* fs.usage(path [,{max=200000}]) -> bytes, whole    false: it has more than max entries
 *                                -> nil, message, code */
static int f_usage(lua_State *L) {
    static const char *const keys[] = {"max", NULL};
    const char *path = check_path(L, 1);
    opt_check(L, 2, keys);
    size_t max = (size_t)opt_integer(L, 2, "max", 200000, 1, 10000000);
    int64_t bytes;
    bool whole;
    struct err err;
    wait_begin(host_of(L)->wait);
    bool ok = files_usage(path, max, &bytes, &whole, &err);
    wait_end(host_of(L)->wait);
    if (!ok) {
        return fail(L, &err);
    }
    lua_pushinteger(L, bytes);
    lua_pushboolean(L, whole);
    return 2;
}

/* fs.lock_holder(path) -> pid
 *                      -> nil    nobody holds a lock on it
 *                      -> nil, message, code */
static int f_lock_holder(lua_State *L) {
    const char *path = check_path(L, 1);
    pid_t pid;
    struct err err;
    if (!files_lock_holder(path, &pid, &err)) {
        return fail(L, &err);
    }
    if (pid == 0) {
        lua_pushnil(L);
    } else {
        lua_pushinteger(L, pid);
    }
    return 1;
}

/* fs.punch(path, offset) -> true    the bytes before offset are given back to the disk
 *                        -> nil, message, code */
static int f_punch(lua_State *L) {
    const char *path = check_path(L, 1);
    lua_Integer offset = luaL_checkinteger(L, 2);
    luaL_argcheck(L, offset >= 0, 2, "negative offset");
    struct err err;
    bool ok = files_punch(path, offset, &err);
    return done(L, ok, &err);
}

static void close_file(void *thing) {
    int *fd = thing;
    close(*fd);
    free(fd);
}

/* fs.open_beneath(root, path) -> File    a regular file below root, whatever links lie there
 *                             -> nil, message, code */
static int f_open_beneath(lua_State *L) {
    const char *root = check_path(L, 1), *path = check_path(L, 2);
    struct box *box = box_new(L, TYPE_FILE, 0);
    struct err err;
    int fd = files_open_beneath(root, path, &err);
    if (fd < 0) {
        return fail(L, &err);
    }
    int *thing = mem_alloc(sizeof *thing);
    *thing = fd;
    box_fill(box, thing, close_file);
    return 1;
}

/* file:read(n) -> text    at most n bytes from where the last read ended
 *              -> nil     the end
 *              -> nil, message, code */
static int m_read(lua_State *L) {
    const int *fd = box_check(L, 1, TYPE_FILE);
    lua_Integer want = luaL_optinteger(L, 2, 65536);
    luaL_argcheck(L, want > 0 && want <= READ_MAX, 2, "bytes out of range");
    struct buf *text = buf_push(L);
    ssize_t n;
    do {
        n = read(*fd, buf_room(text, (size_t)want), (size_t)want);
    } while (n < 0 && errno == EINTR);
    if (n < 0) {
        struct err err;
        err_errno(&err, errno, "read");
        return fail(L, &err);
    }
    if (n == 0) {
        lua_pushnil(L);
    } else {
        lua_pushlstring(L, text->data, (size_t)n);
    }
    buf_clear(text);
    return 1;
}

/* file:size() -> bytes */
static int m_size(lua_State *L) {
    const int *fd = box_check(L, 1, TYPE_FILE);
    struct stat st;
    lua_pushinteger(L, fstat(*fd, &st) == 0 ? st.st_size : 0);
    return 1;
}

/* fs.read_beneath(root, path [,{max=1 MiB, part=false}]) -> text
 *                                                        -> nil, message, code */
static int f_read_beneath(lua_State *L) {
    static const char *const keys[] = {"max", "part", NULL};
    const char *root = check_path(L, 1), *path = check_path(L, 2);
    opt_check(L, 3, keys);
    size_t max = (size_t)opt_integer(L, 3, "max", 1 << 20, 0, READ_MAX);
    bool part = opt_boolean(L, 3, "part", false);
    struct buf *text = buf_push(L);
    struct err err;
    int fd = files_open_beneath(root, path, &err);
    bool ok = fd >= 0 && files_read_fd(fd, path, max, part, text, &err);
    if (fd >= 0) {
        close(fd);
    }
    return push_text(L, text, ok, &err);
}

/* fs.write_beneath(root, path, text [,{mode=0644, uid=, sync=true}]) -> true    directories are
 * made
 *                                                                    -> nil, message, code */
static int f_write_beneath(lua_State *L) {
    size_t len;
    const char *root = check_path(L, 1), *path = check_path(L, 2);
    const char *text = luaL_checklstring(L, 3, &len);
    struct files_make how = check_make(L, 4, 0644);
    struct err err;
    bool ok = files_write_beneath(root, path, text, len, how, &err);
    return done(L, ok, &err);
}

static int archive_gc(lua_State *L) {
    struct targz **t = lua_touserdata(L, 1);
    targz_free(*t);
    *t = NULL;
    return 0;
}

/* fs.targz{{path=, mode=0644, text=}, …} -> bytes
 *                                        -> nil, message, code */
static int f_targz(lua_State *L) {
    static const char *const keys[] = {"mode", "path", "text", NULL};
    luaL_checktype(L, 1, LUA_TTABLE);
    struct buf *out = buf_push(L);
    struct targz **t = lua_newuserdatauv(L, sizeof(struct targz *), 0);
    *t = NULL;
    if (luaL_newmetatable(L, "gander.fs.archive")) {
        lua_pushcfunction(L, archive_gc);
        lua_setfield(L, -2, "__gc");
    }
    lua_setmetatable(L, -2);
    *t = targz_new(out);
    struct err err;
    bool ok = *t != NULL || err_set(&err, ERR_INTERNAL, "zlib has no memory");
    lua_Integer n = luaL_len(L, 1);
    for (lua_Integer i = 1; ok && i <= n; i++) {
        lua_rawgeti(L, 1, i);
        luaL_checktype(L, -1, LUA_TTABLE);
        int entry = lua_gettop(L);
        opt_check(L, entry, keys);
        size_t len;
        const char *path = opt_string(L, entry, "path", "", NULL);
        const char *text = opt_string(L, entry, "text", "", &len);
        unsigned mode = (unsigned)opt_integer(L, entry, "mode", 0644, 0, 07777);
        ok = targz_add(*t, path, mode, text, len, &err);
        lua_pop(L, 1);
    }
    if (ok) {
        ok = targz_end(*t, &err);
        *t = NULL;
    }
    return push_text(L, out, ok, &err);
}

static const luaL_Reg function_list[] = {
    {"claim", f_claim},                 /* make a file, first come first served */
    {"disk_free", f_disk_free},         /* bytes free on the disk of a path */
    {"link_target", f_link_target},     /* what a symbolic link says */
    {"list", f_list},                   /* entries of a directory */
    {"list_beneath", f_list_beneath},   /* … of one in a sandbox's tree */
    {"lock_holder", f_lock_holder},     /* who holds a POSIX lock */
    {"mkdir", f_mkdir},                 /* make a directory and its parents */
    {"mkfifo", f_mkfifo},               /* make a named pipe */
    {"open_beneath", f_open_beneath},   /* a file in a sandbox's tree, to be read in pieces */
    {"poke", f_poke},                   /* write to /proc or /sys */
    {"punch", f_punch},                 /* free the start of a file */
    {"read", f_read},                   /* a whole file */
    {"read_beneath", f_read_beneath},   /* … in a sandbox's tree */
    {"remove", f_remove},               /* a file or a tree */
    {"rename", f_rename},               /* within one disk */
    {"rmdir", f_rmdir},                 /* an empty directory */
    {"size", f_size},                   /* of a file */
    {"targz", f_targz},                 /* an archive in memory */
    {"usage", f_usage},                 /* disk space of a tree */
    {"write_atomic", f_write_atomic},   /* old or new, never half */
    {"write_beneath", f_write_beneath}, /* … in a sandbox's tree */
    {NULL, NULL},
};

static const luaL_Reg method_list[] = {
    {"read", m_read}, /* the next bytes */
    {"size", m_size}, /* of the whole file */
    {NULL, NULL},
};

int luaopen_gander_fs(lua_State *L) {
    box_type(L, TYPE_FILE, method_list);
    luaL_newlib(L, function_list);
    return 1;
}
