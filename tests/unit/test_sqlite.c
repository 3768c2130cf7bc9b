/* test_sqlite.c - one SQLite file under several connections, threads, deadlines and a kill.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "check.h"

#include "bind/sqlite_db.h"
#include "wait.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define THREADS 6
#define ROUNDS  25

struct place {
    char dir[64], path[96];
};

static struct place place_new(void) {
    struct place p = {.dir = "/tmp/gander-unit-XXXXXX"};
    if (mkdtemp(p.dir) == NULL) {
        abort();
    }
    snprintf(p.path, sizeof p.path, "%s/x.db", p.dir);
    return p;
}

static void place_clear(const struct place *p) {
    static const char *const endings[] = {"", "-wal", "-shm"};
    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
        char path[128];
        snprintf(path, sizeof path, "%s%s", p->path, endings[i]);
        unlink(path);
    }
    rmdir(p->dir);
}

static struct db *open_at(const char *path, struct side *side, struct err *err) {
    const struct db_options options = {.wal = true, .full_sync = true, .busy_ms = 60000};
    return db_open(path, &options, side, err);
}

static bool run(struct db *db, const char *sql, struct err *err) {
    int64_t changes;
    struct sqlite3_stmt *stmt = db_prepare(db, sql, strlen(sql), err);
    return stmt != NULL && db_run(db, stmt, NULL, &changes, err);
}

/* The integer that the first cell of the result holds; -1 when it failed. */
static int64_t ask(struct db *db, const char *sql) {
    struct buf rows = BUF_INIT;
    int64_t changes, n = -1;
    struct err err;
    struct sqlite3_stmt *stmt = db_prepare(db, sql, strlen(sql), &err);
    if (stmt != NULL && db_run(db, stmt, &rows, &changes, &err) && rows.len > sizeof n) {
        memcpy(&n, rows.data + 1, sizeof n);
    }
    buf_clear(&rows);
    return n;
}

void test_sqlite_file_is_private(void) {
    struct place p = place_new();
    struct side side = {0};
    struct err err;
    struct db *db = open_at(p.path, &side, &err);
    struct stat st = {0};
    bool there = db != NULL && run(db, "CREATE TABLE t(n)", &err) && stat(p.path, &st) == 0;
    mode_t mode = st.st_mode & 0777;
    char wal[128];
    snprintf(wal, sizeof wal, "%s-wal", p.path);
    there = there && stat(wal, &st) == 0;
    db_close(db);
    place_clear(&p);
    CHECK(there);
    CHECK(mode == 0600);
    CHECK((st.st_mode & 0777) == 0600);
}

void test_sqlite_refuses_what_is_no_database(void) {
    struct place p = place_new();
    FILE *f = fopen(p.path, "w");
    for (int i = 0; i < 1000; i++) {
        fputs("no database", f);
    }
    fclose(f);
    struct side side = {0};
    struct err err = {0};
    struct db *db = open_at(p.path, &side, &err);
    place_clear(&p);
    CHECK(db == NULL);
    CHECK(err.code == ERR_INTERNAL);
    CHECK(strstr(err.text, p.path) != NULL);
}

void test_sqlite_ends_a_long_statement_at_the_deadline(void) {
    struct side side = {.deadline_ms = clock_ms() + 60000};
    struct err err = {0};
    struct db *db = open_at(":memory:", &side, &err);
    CHECK(db != NULL);
    side.deadline_ms = clock_ms() + 50;
    bool ended = run(db,
                     "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n) "
                     "SELECT count(*) FROM n",
                     &err);
    side.deadline_ms = 0;
    bool usable = run(db, "SELECT 1", &(struct err){0});
    db_close(db);
    CHECK(!ended);
    CHECK(err.code == ERR_TIMEOUT);
    CHECK(usable);
}

void test_sqlite_waits_for_a_lock_no_longer_than_the_deadline(void) {
    struct place p = place_new();
    struct side side = {0}, late = {0};
    struct err err = {0};
    struct db *db = open_at(p.path, &side, &err), *other = open_at(p.path, &late, &err);
    bool ready = db != NULL && other != NULL && db_begin(db, &err);
    late.deadline_ms = clock_ms() + 50;
    bool begun = ready && db_begin(other, &err);
    enum err_code code = err.code;
    late.deadline_ms = 0;
    db_end(db);
    bool later = ready && db_begin(other, &err);
    db_end(other);
    db_close(db);
    db_close(other);
    place_clear(&p);
    CHECK(ready);
    CHECK(!begun);
    CHECK(code == ERR_TIMEOUT);
    CHECK(later);
}

struct writer {
    const char *path;
    bool ok;
    struct err err;
};

/* Open the file, make its table if nobody did, then add 1 in transactions of read and write. */
static void *write_many(void *arg) {
    struct writer *w = arg;
    struct side side = {0};
    struct db *db = open_at(w->path, &side, &w->err);
    w->ok = db != NULL &&
            run(db, "CREATE TABLE IF NOT EXISTS t(id INTEGER PRIMARY KEY, n INTEGER)", &w->err) &&
            run(db, "INSERT OR IGNORE INTO t VALUES(1,0)", &w->err);
    for (int i = 0; w->ok && i < ROUNDS; i++) {
        char sql[64];
        w->ok = db_begin(db, &w->err);
        snprintf(sql, sizeof sql, "UPDATE t SET n=%lld", (long long)ask(db, "SELECT n FROM t") + 1);
        w->ok = w->ok && run(db, sql, &w->err) && db_commit(db, &w->err);
        db_end(db);
    }
    if (db != NULL) {
        db_close(db);
    }
    return NULL;
}

void test_sqlite_writers_of_a_new_file_take_turns(void) {
    struct place p = place_new();
    struct writer writers[THREADS];
    pthread_t threads[THREADS];
    bool ok = true;
    for (int i = 0; i < THREADS; i++) {
        writers[i] = (struct writer){.path = p.path};
        pthread_create(&threads[i], NULL, write_many, &writers[i]);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        ok = ok && writers[i].ok;
        if (!writers[i].ok) {
            printf("# %s\n", writers[i].err.text);
        }
    }
    struct side side = {0};
    struct err err;
    struct db *db = open_at(p.path, &side, &err);
    int64_t n = db == NULL ? -1 : ask(db, "SELECT n FROM t");
    db_close(db);
    place_clear(&p);
    CHECK(ok);
    CHECK(n == THREADS * ROUNDS);
}

/* In a child: insert for ever, telling each acknowledged number. */
static void insert_for_ever(const char *path, int told) {
    struct side side = {0};
    struct err err;
    struct db *db = open_at(path, &side, &err);
    if (db != NULL && run(db, "CREATE TABLE t(n INTEGER PRIMARY KEY)", &err)) {
        for (int n = 1;; n++) {
            char sql[64];
            snprintf(sql, sizeof sql, "INSERT INTO t VALUES(%d)", n);
            if (!run(db, sql, &err) || write(told, &n, sizeof n) != sizeof n) {
                break;
            }
        }
    }
    _exit(1);
}

void test_sqlite_keeps_what_was_acknowledged_before_a_kill(void) {
    struct place p = place_new();
    int ends[2];
    CHECK(pipe(ends) == 0);
    fflush(stdout);
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        close(ends[0]);
        insert_for_ever(p.path, ends[1]);
    }
    close(ends[1]);
    int last = 0, n;
    while (read(ends[0], &n, sizeof n) == sizeof n) {
        last = n;
        if (n == 40) {
            kill(pid, SIGKILL); /* what is in the pipe was acknowledged, too */
        }
    }
    close(ends[0]);
    int status;
    waitpid(pid, &status, 0);
    struct side side = {0};
    struct err err;
    struct db *db = open_at(p.path, &side, &err);
    int64_t count = db == NULL ? -1 : ask(db, "SELECT count(*) FROM t");
    int64_t greatest = db == NULL ? -1 : ask(db, "SELECT max(n) FROM t");
    db_close(db);
    place_clear(&p);
    CHECK(WIFSIGNALED(status));
    CHECK(last >= 40);
    CHECK(count >= last);
    CHECK(greatest == count);
}
