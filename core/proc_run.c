/* proc_run.c - proc_run of proc.h: a child from start to end, its output collected.
 *
 * The child leads a session; whatever it left behind is killed when it ends or when time is up, so
 * a pipe kept open by a stray grandchild never holds the caller.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "proc.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "wait.h"

struct gather {
    int fd; /* -1 once at its end */
    struct buf *into;
};

static void gather_close(struct gather *g) {
    if (g->fd >= 0) {
        close(g->fd);
        g->fd = -1;
    }
}

/* Read what is there now: all of it would let a fast writer hold us past the deadline. */
static void gather_some(struct gather *g, size_t max, bool *cut) {
    char piece[16384];
    for (int round = 0; g->fd >= 0 && round < 8; round++) {
        ssize_t n = read(g->fd, piece, sizeof piece);
        if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
            return;
        }
        if (n <= 0) {
            gather_close(g);
            return;
        }
        size_t room = max - g->into->len;
        size_t keep = (size_t)n < room ? (size_t)n : room;
        buf_add(g->into, piece, keep);
        *cut = *cut || keep < (size_t)n;
    }
}

/* True when the child ended; false at the deadline. */
static bool gather_all(struct proc *p, struct gather *g, int64_t until, size_t max, bool *cut) {
    for (;;) {
        struct pollfd polls[3] = {
            {.fd = proc_pidfd(p), .events = POLLIN},
            {.fd = g[0].fd, .events = POLLIN},
            {.fd = g[1].fd, .events = POLLIN},
        };
        int64_t left = until - clock_ms();
        int n = left <= 0 ? 0 : poll(polls, 3, left > INT32_MAX ? INT32_MAX : (int)left);
        if (n == 0) {
            return false;
        }
        for (int i = 0; n > 0 && i < 2; i++) {
            if (polls[i + 1].revents != 0) {
                gather_some(&g[i], max, cut);
            }
        }
        if (n > 0 && polls[0].revents != 0) {
            return true;
        }
    }
}

/* The child's end of a new pipe as a descriptor of the spec; ours, not blocking, in *mine. */
static bool make_pipe(int number, struct proc_fd *theirs, int *mine, struct err *err) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) {
        return err_errno(err, errno, "pipe");
    }
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    *mine = ends[0];
    *theirs = (struct proc_fd){.number = number, .kind = PROC_FD_GIVEN, .given = ends[1]};
    return true;
}

static struct proc *spawn_piped(const struct proc_spec *spec, struct gather *g, struct err *err) {
    struct proc_fd *fds = mem_alloc((spec->fd_count + 2) * sizeof *fds);
    if (spec->fd_count > 0) {
        memcpy(fds, spec->fds, spec->fd_count * sizeof *fds);
    }
    struct proc_fd *out = &fds[spec->fd_count], *errout = out + 1;
    out->given = errout->given = -1;
    struct proc_spec piped = *spec;
    piped.fds = fds;
    piped.fd_count = spec->fd_count + 2;
    piped.setsid = true;
    struct proc *p = NULL;
    if (make_pipe(1, out, &g[0].fd, err) && make_pipe(2, errout, &g[1].fd, err)) {
        p = proc_spawn(&piped, err);
    }
    for (struct proc_fd *f = out; f <= errout; f++) {
        if (f->given >= 0) {
            close(f->given);
        }
    }
    free(fds);
    return p;
}

bool proc_run(const struct proc_spec *spec, int64_t timeout_ms, size_t max, struct buf *out,
              struct buf *errout, struct proc_exit *exit, bool *cut, struct err *err) {
    int64_t until = clock_ms() + timeout_ms;
    struct gather g[2] = {{-1, out}, {-1, errout}};
    *cut = false;
    struct proc *p = spawn_piped(spec, g, err);
    bool ok = p != NULL;
    if (ok) {
        bool ended = gather_all(p, g, until, max, cut);
        /* Not reaped yet, so the number still names the child's group. */
        proc_killpg(p, SIGKILL);
        struct err ignored;
        bool gone = proc_wait(p, 5000, exit, &ignored);
        for (int i = 0; i < 2; i++) {
            gather_some(&g[i], max, cut);
        }
        ok = ended && gone;
        if (!ok) {
            err_set(err, ERR_TIMEOUT, "%s did not end within %lld ms", spec->argv[0],
                    (long long)timeout_ms);
        }
    }
    gather_close(&g[0]);
    gather_close(&g[1]);
    proc_free(p);
    return ok;
}
