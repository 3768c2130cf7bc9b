/* test_proc.c - children, their descriptors, their ends.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "check.h"

#include "proc.h"

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "wait.h"

static bool run_sh(const char *script, int64_t timeout_ms, struct buf *out, struct proc_exit *end,
                   struct err *err) {
    const char *const argv[] = {"/bin/sh", "-c", script, NULL};
    struct proc_spec spec = {.argv = argv, .uid = -1};
    struct buf errout = BUF_INIT;
    bool cut;
    bool ok = proc_run(&spec, timeout_ms, 1 << 16, out, &errout, end, &cut, err);
    buf_clear(&errout);
    return ok;
}

static int open_fds(void) {
    DIR *dir = opendir("/proc/self/fd");
    int count = 0;
    while (readdir(dir) != NULL) {
        count++;
    }
    closedir(dir);
    return count;
}

void test_proc_run_gives_output_and_code(void) {
    struct buf out = BUF_INIT;
    struct proc_exit end;
    struct err err;
    bool ok = run_sh("echo text; exit 3", 20000, &out, &end, &err);
    bool same = ok && strcmp(out.data, "text\n") == 0;
    buf_clear(&out);
    CHECK(ok && same && end.known && end.code == 3 && end.signal == 0);
}

void test_proc_run_ends_at_its_deadline(void) {
    struct buf out = BUF_INIT;
    struct proc_exit end;
    struct err err;
    int64_t before = clock_ms();
    bool ok = run_sh("sleep 60 & sleep 60", 200, &out, &end, &err);
    buf_clear(&out);
    CHECK(!ok && err.code == ERR_TIMEOUT);
    CHECK(clock_ms() - before < 30000);
}

void test_proc_leaves_no_descriptor_and_no_zombie(void) {
    struct buf out = BUF_INIT;
    struct proc_exit end;
    struct err err;
    int before = open_fds();
    bool ok = true;
    for (int i = 0; i < 20 && ok; i++) {
        ok = run_sh("echo x", 20000, &out, &end, &err);
    }
    const char *const missing[] = {"/no/such/program", NULL};
    struct proc_fd hold = {.number = 5, .kind = PROC_FD_HOLD};
    struct proc_spec spec = {.argv = missing, .uid = -1, .fds = &hold, .fd_count = 1};
    struct proc *p = proc_spawn(&spec, &err);
    buf_clear(&out);
    CHECK(ok && p == NULL && err.code == ERR_NOT_FOUND);
    CHECK(open_fds() == before);
    CHECK(waitpid(-1, NULL, WNOHANG) < 0);
}

void test_proc_freed_while_running_is_reaped_later(void) {
    const char *const argv[] = {"/bin/sh", "-c", "read line <&5", NULL};
    struct proc_fd hold = {.number = 5, .kind = PROC_FD_HOLD};
    struct proc_spec spec = {.argv = argv, .uid = -1, .fds = &hold, .fd_count = 1};
    struct err err;
    struct proc *p = proc_spawn(&spec, &err);
    CHECK(p != NULL);
    struct proc *other = proc_adopt(proc_pid(p), proc_start_time(p), &err);
    pid_t pid = proc_pid(p);
    proc_free(p); /* closes the held end: the child ends */
    CHECK(other != NULL);
    struct proc_exit end;
    while (!proc_wait(other, 20000, &end, &err) && kill(pid, 0) == 0) {
    }
    proc_free(other); /* any call reaps */
    CHECK(waitpid(pid, NULL, WNOHANG) < 0);
}

void test_proc_adopt_refuses_another_start_time(void) {
    struct err err;
    struct proc *p = proc_adopt(getpid(), 1, &err);
    CHECK(p == NULL && err.code == ERR_NOT_FOUND);
    p = proc_adopt(getpid(), proc_start_time_of(getpid()), &err);
    bool alive = p != NULL && proc_alive(p);
    proc_free(p);
    CHECK(alive);
}

static void *spawn_many(void *failures) {
    for (int i = 0; i < 10; i++) {
        struct buf out = BUF_INIT;
        struct proc_exit end;
        struct err err;
        if (!run_sh("echo x", 20000, &out, &end, &err) || end.code != 0) {
            (*(int *)failures)++;
        }
        buf_clear(&out);
    }
    return NULL;
}

void test_proc_spawns_from_many_threads(void) {
    pthread_t threads[4];
    int failures[4] = {0};
    for (int i = 0; i < 4; i++) {
        pthread_create(&threads[i], NULL, spawn_many, &failures[i]);
    }
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
    }
    CHECK(failures[0] + failures[1] + failures[2] + failures[3] == 0);
}

void test_proc_reaps_orphans_that_came_to_it(void) {
    struct buf out = BUF_INIT;
    struct proc_exit end;
    struct err err;
    /* A session of its own keeps the grandchild from being killed with its parent. */
    bool ok =
        run_sh("setsid sh -c 'exec sleep 0.1' >/dev/null 2>&1 & echo $!", 20000, &out, &end, &err);
    pid_t pid = ok ? (pid_t)strtol(out.data, NULL, 10) : 0;
    int64_t until = clock_ms() + 20000;
    while (ok && kill(pid, 0) == 0 && clock_ms() < until) {
        ok = run_sh("exit 0", 20000, &out, &end, &err);
    }
    buf_clear(&out);
    CHECK(ok && kill(pid, 0) != 0);
}
