/* sqlite_db.h - one SQLite connection with a bounded cache of prepared statements.
 *
 * The floor under bind/sqlite.c: knows no Lua, so nothing here raises.  A struct db belongs to one
 * VM and so to one thread at a time; most functions block.  A wait for a lock
 * and a long statement end at the call's deadline (struct side).  Transactions are made by db_begin
 * alone: BEGIN, COMMIT, SAVEPOINT and ATTACH are refused in statements.
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef GANDER_SQLITE_DB_H
#define GANDER_SQLITE_DB_H

#include "bind/bind.h"

struct db;
struct sqlite3_stmt;

struct db_options {
    bool wal, full_sync;
    int64_t busy_ms; /* longest wait for another writer */
};

/* The file is made with mode 0600.  NULL fills *err. */
struct db *db_open(const char *path, const struct db_options *options, struct side *side,
                   struct err *err);
void db_close(void *db);

/* The prepared statement, owned by the cache until the next db_prepare; NULL fills *err
 * (ERR_INVALID: SQL that SQLite does not understand). */
struct sqlite3_stmt *db_prepare(struct db *db, const char *sql, size_t len, struct err *err);

/* Run to the end, then reset.  Rows are added to `rows` unless it is NULL: each a sequence of
 * cells, a cell its SQLite type in one byte, then 8 bytes of value or length, then the bytes. */
bool db_run(struct db *db, struct sqlite3_stmt *stmt, struct buf *rows, int64_t *changes,
            struct err *err);

bool db_in_tx(const struct db *db);
bool db_begin(struct db *db, struct err *err); /* takes the write lock at once */
bool db_commit(struct db *db, struct err *err);
void db_end(void *db); /* ends the transaction; rolls back what was not committed */

#endif
