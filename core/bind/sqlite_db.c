/* sqlite_db.c - see sqlite_db.h.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "bind/sqlite_db.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "wait.h"

#define CACHE_MAX    64
#define STEPS        4096 /* virtual machine steps between two looks at the deadline */
#define RESULT_BYTES ((size_t)24 << 20)

struct statement {
    sqlite3_stmt *stmt; /* NULL: a free place */
    char *sql;
    size_t len;
    uint64_t used; /* when it was last used, in uses of the Db */
};

struct db {
    sqlite3 *handle;
    struct side *side; /* of the VM that owns it: the deadline */
    bool in_tx;
    bool own; /* a statement of this file runs: it may begin and end transactions */
    int64_t busy_ms, busy_until;
    sqlite3_stmt *begin, *commit, *rollback;
    struct statement cache[CACHE_MAX];
    uint64_t uses;
};

static bool is_late(const struct db *db) {
    return db->side->deadline_ms != 0 && clock_ms() >= db->side->deadline_ms;
}

static int on_progress(void *arg) {
    return is_late(arg);
}

/* Another connection holds the lock: sleep a little, or give up by returning 0. */
static int on_busy(void *arg, int count) {
    struct db *db = arg;
    if (count == 0) {
        db->busy_until = clock_ms() + db->busy_ms;
    }
    if (is_late(db) || clock_ms() >= db->busy_until) {
        return 0;
    }
    long ms = count < 4 ? 1 : count < 12 ? 4 : 12;
    nanosleep(&(struct timespec){.tv_nsec = ms * 1000000}, NULL);
    return 1;
}

static int on_authorize(void *arg, int action, const char *a, const char *b, const char *c,
                        const char *d) {
    (void)a, (void)b, (void)c, (void)d;
    const struct db *db = arg;
    bool own_word = action == SQLITE_TRANSACTION || action == SQLITE_SAVEPOINT ||
                    action == SQLITE_ATTACH || action == SQLITE_DETACH;
    return own_word && !db->own ? SQLITE_DENY : SQLITE_OK;
}

/* Fill *err from the connection's last error; returns false. */
static bool db_fail(const struct db *db, int rc, struct err *err) {
    const char *text = sqlite3_errmsg(db->handle);
    int cause = sqlite3_system_errno(db->handle);
    if (rc == SQLITE_CONSTRAINT_UNIQUE || rc == SQLITE_CONSTRAINT_PRIMARYKEY ||
        rc == SQLITE_CONSTRAINT_ROWID) {
        return err_set(err, ERR_CONFLICT, "%s", text);
    }
    switch (rc & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        if (is_late(db)) {
            return err_set(err, ERR_TIMEOUT, "the call's time ended in a wait for the database");
        }
        return err_set(err, ERR_BUSY, "the database is busy: %s", text);
    case SQLITE_INTERRUPT:
        return err_set(err, ERR_TIMEOUT, "the call's time ended in a statement");
    case SQLITE_FULL:
        return err_set(err, ERR_UNAVAILABLE, "the disk is full");
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
        return cause != 0 ? err_errno(err, cause, "%s", text)
                          : err_set(err, ERR_UNAVAILABLE, "%s", text);
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH:
        return err_set(err, ERR_DENIED, "%s", text);
    case SQLITE_CONSTRAINT:
    case SQLITE_MISMATCH:
    case SQLITE_TOOBIG:
    case SQLITE_ERROR:
        return err_set(err, ERR_INVALID, "%s", text);
    default: /* CORRUPT and NOTADB above all */
        return err_set(err, ERR_INTERNAL, "%s", text);
    }
}

static void statement_clear(struct statement *s) {
    sqlite3_finalize(s->stmt);
    free(s->sql);
    *s = (struct statement){0};
}

void db_close(void *thing) {
    struct db *db = thing;
    if (db == NULL) {
        return;
    }
    for (int i = 0; i < CACHE_MAX; i++) {
        statement_clear(&db->cache[i]);
    }
    sqlite3_finalize(db->begin);
    sqlite3_finalize(db->commit);
    sqlite3_finalize(db->rollback);
    sqlite3_close(db->handle);
    free(db);
}

/* Run a statement to its end, its rows unread, and reset it. */
static bool run_plain(struct db *db, sqlite3_stmt *stmt, struct err *err) {
    int rc;
    db->own = true; /* a changed schema makes SQLite prepare, and so authorize, again */
    do {
        rc = sqlite3_step(stmt);
    } while (rc == SQLITE_ROW);
    db->own = false;
    bool ok = rc == SQLITE_DONE || db_fail(db, rc, err);
    sqlite3_reset(stmt);
    return ok;
}

static bool run_text(struct db *db, const char *sql, struct err *err) {
    sqlite3_stmt *stmt;
    int rc = sqlite3_prepare_v2(db->handle, sql, -1, &stmt, NULL);
    bool ok = rc == SQLITE_OK ? run_plain(db, stmt, err) : db_fail(db, rc, err);
    sqlite3_finalize(stmt);
    return ok;
}

static bool prepare_own(struct db *db, const char *sql, sqlite3_stmt **stmt, struct err *err) {
    int rc = sqlite3_prepare_v3(db->handle, sql, -1, SQLITE_PREPARE_PERSISTENT, stmt, NULL);
    return rc == SQLITE_OK || db_fail(db, rc, err);
}

/* Make the file with mode 0600, or give it that mode.  No descriptor is opened: closing one would
 * drop the locks that other connections of this process hold on the file. */
static bool private_file(const char *path, struct err *err) {
    if (strcmp(path, ":memory:") == 0) {
        return true;
    }
    if (mknod(path, S_IFREG | 0600, 0) != 0 && errno != EEXIST) {
        return err_errno(err, errno, "cannot make %s", path);
    }
    struct stat st;
    if (stat(path, &st) != 0) {
        return err_errno(err, errno, "cannot open %s", path);
    }
    if (!S_ISREG(st.st_mode)) {
        return err_set(err, ERR_INVALID, "%s is not a file", path);
    }
    if ((st.st_mode & 0077) != 0 && chmod(path, 0600) != 0) {
        return err_errno(err, errno, "cannot make %s private", path);
    }
    return true;
}

/* Several connections may switch a new file to WAL at once; SQLite does not wait here by itself. */
static bool set_wal(struct db *db, struct err *err) {
    for (int count = 0;; count++) {
        if (run_text(db, "PRAGMA journal_mode=WAL", err)) {
            return true;
        }
        if (err->code != ERR_BUSY || !on_busy(db, count)) {
            return false;
        }
    }
}

static bool db_setup(struct db *db, const struct db_options *o, struct err *err) {
    sqlite3_extended_result_codes(db->handle, 1);
    sqlite3_busy_handler(db->handle, on_busy, db);
    sqlite3_progress_handler(db->handle, STEPS, on_progress, db);
    sqlite3_db_config(db->handle, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    bool ok =
        (!o->wal || set_wal(db, err)) &&
        run_text(db, o->full_sync ? "PRAGMA synchronous=FULL" : "PRAGMA synchronous=NORMAL", err) &&
        run_text(db, "PRAGMA journal_size_limit=67108864", err) &&
        prepare_own(db, "BEGIN IMMEDIATE", &db->begin, err) &&
        prepare_own(db, "COMMIT", &db->commit, err) &&
        prepare_own(db, "ROLLBACK", &db->rollback, err);
    sqlite3_set_authorizer(db->handle, on_authorize, db);
    return ok;
}

struct db *db_open(const char *path, const struct db_options *options, struct side *side,
                   struct err *err) {
    if (!private_file(path, err)) {
        return NULL;
    }
    struct db *db = mem_alloc(sizeof *db);
    db->side = side;
    db->busy_ms = options->busy_ms;
    int rc = sqlite3_open_v2(
        path, &db->handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL);
    bool ok = rc == SQLITE_OK ? db_setup(db, options, err) : db_fail(db, rc, err);
    if (!ok) {
        err_wrap(err, "%s", path);
        db_close(db);
        return NULL;
    }
    return db;
}

/* The place of this SQL in the cache, or the one to be used for it: free, else the oldest. */
static struct statement *cache_place(struct db *db, const char *sql, size_t len) {
    struct statement *oldest = &db->cache[0];
    for (int i = 0; i < CACHE_MAX; i++) {
        struct statement *s = &db->cache[i];
        if (s->stmt != NULL && s->len == len && memcmp(s->sql, sql, len) == 0) {
            return s;
        }
        if (s->used < oldest->used) {
            oldest = s;
        }
    }
    statement_clear(oldest);
    return oldest;
}

sqlite3_stmt *db_prepare(struct db *db, const char *sql, size_t len, struct err *err) {
    struct statement *s = cache_place(db, sql, len);
    if (s->stmt == NULL) {
        const char *tail;
        int rc = sqlite3_prepare_v3(db->handle, sql, (int)len, SQLITE_PREPARE_PERSISTENT, &s->stmt,
                                    &tail);
        if (rc != SQLITE_OK) {
            db_fail(db, rc, err);
            return NULL;
        }
        while (tail < sql + len && strchr(" \t\r\n;", *tail) != NULL) {
            tail++;
        }
        if (s->stmt == NULL || tail < sql + len) {
            err_set(err, ERR_INVALID, "one statement is wanted, not %s",
                    s->stmt == NULL ? "none" : "several");
            statement_clear(s);
            return NULL;
        }
        s->sql = mem_dupn(sql, len);
        s->len = len;
    }
    s->used = ++db->uses;
    return s->stmt;
}

static void add_row(struct buf *rows, sqlite3_stmt *stmt) {
    int count = sqlite3_column_count(stmt);
    for (int i = 0; i < count; i++) {
        int type = sqlite3_column_type(stmt, i);
        buf_addc(rows, (char)type);
        if (type == SQLITE_INTEGER) {
            int64_t n = sqlite3_column_int64(stmt, i);
            buf_add(rows, &n, sizeof n);
        } else if (type == SQLITE_FLOAT) {
            double n = sqlite3_column_double(stmt, i);
            buf_add(rows, &n, sizeof n);
        } else if (type != SQLITE_NULL) {
            const void *bytes = type == SQLITE_TEXT ? (const void *)sqlite3_column_text(stmt, i)
                                                    : sqlite3_column_blob(stmt, i);
            int64_t len = sqlite3_column_bytes(stmt, i);
            buf_add(rows, &len, sizeof len);
            buf_add(rows, len == 0 ? "" : bytes, (size_t)len);
        }
    }
}

bool db_run(struct db *db, sqlite3_stmt *stmt, struct buf *rows, int64_t *changes,
            struct err *err) {
    if (db->in_tx && sqlite3_get_autocommit(db->handle)) {
        return err_set(err, ERR_INTERNAL, "an earlier error has ended this transaction");
    }
    int64_t before = sqlite3_total_changes64(db->handle);
    int rc;
    bool ok = true;
    while (ok && (rc = sqlite3_step(stmt)) != SQLITE_DONE) {
        if (rc != SQLITE_ROW) {
            ok = db_fail(db, rc, err);
        } else if (rows != NULL) {
            add_row(rows, stmt);
            ok = rows->len <= RESULT_BYTES ||
                 err_set(err, ERR_INVALID, "a result larger than %zu MiB", RESULT_BYTES >> 20);
        }
    }
    sqlite3_reset(stmt);
    sqlite3_clear_bindings(stmt);
    *changes = sqlite3_total_changes64(db->handle) - before;
    return ok;
}

bool db_in_tx(const struct db *db) {
    return db->in_tx;
}

bool db_begin(struct db *db, struct err *err) {
    db->in_tx = run_plain(db, db->begin, err);
    return db->in_tx;
}

bool db_commit(struct db *db, struct err *err) {
    if (sqlite3_get_autocommit(db->handle)) {
        return err_set(err, ERR_INTERNAL, "an earlier error has ended this transaction");
    }
    return run_plain(db, db->commit, err);
}

void db_end(void *thing) {
    struct db *db = thing;
    if (!sqlite3_get_autocommit(db->handle)) {
        run_plain(db, db->rollback, NULL);
    }
    db->in_tx = false;
}
