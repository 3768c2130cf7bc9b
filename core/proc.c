/* proc.c - see proc.h: the handle.  How a child is made is in proc_spawn.c, how it is reaped in
 * proc_children.c.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "proc_own.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "wait.h"

int proc_raise_fd(int fd) {
    int high = fcntl(fd, F_DUPFD_CLOEXEC, 2 * PROC_FD_MAX);
    int saved = errno;
    close(fd);
    errno = saved;
    return high;
}

int64_t proc_start_time_of(pid_t pid) {
    char path[64], text[1024];
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return -1;
    }
    ssize_t n = read(fd, text, sizeof text - 1);
    close(fd);
    if (n <= 0) {
        return -1;
    }
    text[n] = '\0';
    /* The name in parentheses may hold anything: count the fields from the last ')'. */
    const char *at = strrchr(text, ')');
    for (int field = 2; at != NULL && field < 22; field++) {
        at = strchr(at + 1, ' ');
    }
    int64_t ticks;
    return at != NULL && sscanf(at, "%" SCNd64, &ticks) == 1 ? ticks : -1;
}

static bool readable(int fd, int64_t ms) {
    int64_t until = clock_ms() + ms;
    for (;;) {
        int64_t left = until - clock_ms();
        struct pollfd p = {.fd = fd, .events = POLLIN};
        int n = poll(&p, 1, left < 0 ? 0 : left > INT32_MAX ? INT32_MAX : (int)left);
        if (n > 0) {
            return true;
        }
        if (left <= 0 || (n < 0 && errno != EINTR)) {
            return false;
        }
    }
}

struct proc *proc_adopt(pid_t pid, int64_t start_time, struct err *err) {
    proc_sweep();
    if (pid <= 0) {
        err_set(err, ERR_NOT_FOUND, "%d is no process id", (int)pid);
        return NULL;
    }
    int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
    if (pidfd < 0) {
        err_errno(err, errno, "process %d", (int)pid);
        return NULL;
    }
    /* Read after the pidfd is held: while that lives, the pid cannot become another's. */
    int64_t started = proc_start_time_of(pid);
    if (readable(pidfd, 0) || started < 0 || (start_time != 0 && started != start_time)) {
        close(pidfd);
        err_set(err, ERR_NOT_FOUND, "process %d has ended", (int)pid);
        return NULL;
    }
    struct proc *p = mem_alloc(sizeof *p);
    p->pid = pid;
    p->pidfd = pidfd;
    p->start_time = started;
    return p;
}

void proc_free(struct proc *p) {
    if (p == NULL) {
        return;
    }
    proc_release(p, -1);
    if (p->child && !p->reaped) {
        proc_let_go(p->pid, p->pidfd);
    } else {
        close(p->pidfd);
    }
    free(p);
    proc_sweep();
}

pid_t proc_pid(const struct proc *p) {
    return p->pid;
}

int proc_pidfd(const struct proc *p) {
    return p->pidfd;
}

int64_t proc_start_time(const struct proc *p) {
    return p->start_time;
}

bool proc_alive(const struct proc *p) {
    return !p->reaped && !readable(p->pidfd, 0);
}

bool proc_wait(struct proc *p, int64_t ms, struct proc_exit *result, struct err *err) {
    if (!p->reaped) {
        if (!readable(p->pidfd, ms)) {
            return err_set(err, ERR_TIMEOUT, "process %d still runs", (int)p->pid);
        }
        /* A readable pidfd is a dead process; as somebody else's child it stays a zombie. */
        p->reaped = proc_reap(p->pidfd, &p->exit);
        if (!p->reaped) {
            return err_set(err, ERR_TIMEOUT, "process %d is not quite gone", (int)p->pid);
        }
        if (p->child) {
            proc_forget(p->pid);
        }
    }
    *result = p->exit;
    return true;
}

bool proc_kill(struct proc *p, int sig, struct err *err) {
    if (p->reaped || syscall(SYS_pidfd_send_signal, p->pidfd, sig, NULL, 0) == 0 ||
        errno == ESRCH) {
        return true;
    }
    return err_errno(err, errno, "signal %d to process %d", sig, (int)p->pid);
}

bool proc_killpg(struct proc *p, int sig) {
    /* Not yet reaped, so the number still names this group. */
    return p->child && p->session && !p->reaped && kill(-p->pid, sig) == 0;
}

static struct proc_hold *hold_of(struct proc *p, int number, struct err *err) {
    for (size_t i = 0; i < p->hold_count; i++) {
        if (p->hold[i].number == number) {
            return &p->hold[i];
        }
    }
    err_set(err, ERR_NOT_FOUND, "descriptor %d of process %d is not held", number, (int)p->pid);
    return NULL;
}

bool proc_hold_write(struct proc *p, int number, const char *data, size_t len, struct err *err) {
    struct proc_hold *h = hold_of(p, number, err);
    if (h == NULL) {
        return false;
    }
    ssize_t n = send(h->fd, data, len, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n < 0) {
        return err_errno(err, errno, "write to descriptor %d of process %d", number, (int)p->pid);
    }
    return (size_t)n == len || err_set(err, ERR_BUSY, "process %d does not read", (int)p->pid);
}

bool proc_hold_read(struct proc *p, int number, char *data, size_t size, int64_t ms, size_t *got,
                    struct err *err) {
    struct proc_hold *h = hold_of(p, number, err);
    if (h == NULL) {
        return false;
    }
    if (!readable(h->fd, ms)) {
        return err_set(err, ERR_TIMEOUT,
                       "process %d wrote nothing to descriptor %d in %" PRId64 " ms", (int)p->pid,
                       number, ms);
    }
    ssize_t n = recv(h->fd, data, size, MSG_DONTWAIT);
    if (n < 0 && errno != ECONNRESET) {
        return err_errno(err, errno, "read from descriptor %d of process %d", number, (int)p->pid);
    }
    *got = n < 0 ? 0 : (size_t)n;
    return true;
}

void proc_release(struct proc *p, int number) {
    size_t kept = 0;
    for (size_t i = 0; i < p->hold_count; i++) {
        if (number == -1 || p->hold[i].number == number) {
            close(p->hold[i].fd);
        } else {
            p->hold[kept++] = p->hold[i];
        }
    }
    p->hold_count = kept;
}
