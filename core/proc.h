/* proc.h - child processes, by pidfd.
 *
 * proc_spawn() forks and execs with nothing inherited but what the spec names; a failure of any
 * step in the child comes back as a sentence over a pipe, so a proc that is returned did exec.
 * proc_adopt() takes hold of a process that an earlier host started, checked by its start time.
 * No SIGCHLD is used: waiting is poll() on the pidfd, reaping waitid(P_PIDFD).
 *
 * Threads: a proc has one owner at a time.  A child that is freed while it runs goes on running;
 * it is reaped by a later call of any function here (proc_children.c, the only shared state).
 * Namespaces, limits and mounts inside a sandbox are bwrap's business, not ours.
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef GANDER_PROC_H
#define GANDER_PROC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "buf.h"
#include "err.h"

struct proc;

enum proc_fd_kind {
    PROC_FD_DATA,   /* a sealed memory file holding data[0..len), to be read from its start */
    PROC_FD_READ,   /* path, opened for reading */
    PROC_FD_APPEND, /* path, made if missing (0600), opened for appending */
    PROC_FD_OPEN,   /* path, opened for reading and writing: devices and FIFOs */
    PROC_FD_HOLD,   /* one end of a socket pair whose other end the proc keeps until proc_release */
    PROC_FD_GIVEN,  /* a copy of the caller's descriptor `given` */
};

struct proc_fd {
    int number; /* 0 … PROC_FD_MAX - 1, in the child */
    enum proc_fd_kind kind;
    const char *path;
    const char *data;
    size_t len;
    int given;
};

struct proc_stage {
    const char *from; /* a file or directory of the host */
    const char *to;   /* a path under PROC_STAGE where the child will see it */
};

#define PROC_FD_MAX 32
#define PROC_STAGE  "/run/stage"

struct proc_spec {
    const char *const *argv; /* NULL-ended; argv[0] is searched in the PATH of `env` or the usual */
    const char *const *env;  /* NULL-ended "NAME=value"; NULL: PATH, HOME, LANG of the host */
    const char *cwd;         /* NULL: "/" */
    const struct proc_fd *fds; /* 0, 1 and 2 are /dev/null where not named */
    size_t fd_count;
    const struct proc_stage *stage; /* bind-mounted in a private mount namespace, as root only */
    size_t stage_count;
    const char *const *cgroups; /* NULL-ended directories, joined before exec; may be NULL */
    long uid;                   /* user and group to become, without groups; -1: stay */
    bool setsid;                /* a session of its own */
};

struct proc_exit {
    bool known; /* false for an adopted process: it is gone, how is not known */
    int code;   /* exit code, or -1 */
    int signal; /* the signal that ended it, or 0 */
};

struct proc *proc_spawn(const struct proc_spec *spec, struct err *err);
/* A running process by pid and start time (field 22 of /proc/<pid>/stat; 0 = any).  NULL with
 * not_found when there is none or it is another one. */
struct proc *proc_adopt(pid_t pid, int64_t start_time, struct err *err);
void proc_free(struct proc *p); /* lets go; does not kill */

pid_t proc_pid(const struct proc *p);
int proc_pidfd(const struct proc *p); /* the pidfd: readable once the process ended */
int64_t proc_start_time(const struct proc *p);
bool proc_alive(const struct proc *p);

/* Wait at most `ms`; false with timeout when it still runs. */
bool proc_wait(struct proc *p, int64_t ms, struct proc_exit *exit, struct err *err);
bool proc_kill(struct proc *p, int sig, struct err *err); /* gone already: true */
bool proc_killpg(struct proc *p,
                 int sig); /* the whole session of a `setsid` child not yet reaped */

/* The held ends.  read waits at most `ms` for some bytes: true with *got = 0 at the end of file. */
bool proc_hold_write(struct proc *p, int number, const char *data, size_t len, struct err *err);
bool proc_hold_read(struct proc *p, int number, char *data, size_t size, int64_t ms, size_t *got,
                    struct err *err);
void proc_release(struct proc *p, int number); /* close one held end, or all for -1 */

/* Run to the end, collecting standard output and error (each at most `max` bytes, the rest is read
 * and dropped, *cut says so).  On timeout the whole session is killed. */
bool proc_run(const struct proc_spec *spec, int64_t timeout_ms, size_t max, struct buf *out,
              struct buf *errout, struct proc_exit *exit, bool *cut, struct err *err);

/* Start time of a process in clock ticks since boot, or -1. */
int64_t proc_start_time_of(pid_t pid);

#endif
