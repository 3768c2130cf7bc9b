/* proc_spawn.c - proc_spawn of proc.h: fork, arrange, exec.
 *
 * The parent opens everything first, on numbers above those a child may ask for; between fork and
 * exec the child makes system calls only (other threads' locks may be held for ever in its copy)
 * and reports a failure as {step, item, errno} over a close-on-exec pipe.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "proc_own.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define CGROUP_MAX 8
#define STAGE_MAX  16

enum step {
    STEP_CGROUP,
    STEP_NAMESPACE,
    STEP_STAGE,
    STEP_SESSION,
    STEP_USER,
    STEP_CWD,
    STEP_FD,
    STEP_EXEC,
};

struct report {
    enum step step;
    int item;
    int errnum;
};

struct plan {
    const struct proc_spec *spec;
    char *path; /* the program, found */
    char *const *env;
    char *own_env[4]; /* PATH, HOME, LANG when the spec names no environment */
    int source[PROC_FD_MAX];
    int cgroup[CGROUP_MAX];
    size_t cgroup_count;
    int report; /* the writing end */
};

static const char *variable(char *const *env, const char *name) {
    size_t n = strlen(name);
    for (; env != NULL && *env != NULL; env++) {
        if (strncmp(*env, name, n) == 0 && (*env)[n] == '=') {
            return *env + n + 1;
        }
    }
    return NULL;
}

static void plan_env(struct plan *plan) {
    if (plan->spec->env != NULL) {
        plan->env = (char *const *)plan->spec->env;
        return;
    }
    static const char *const names[] = {"PATH", "HOME", "LANG"};
    size_t n = 0;
    for (size_t i = 0; i < 3; i++) {
        const char *value = getenv(names[i]);
        if (value != NULL) {
            struct buf text = BUF_INIT;
            buf_addf(&text, "%s=%s", names[i], value);
            plan->own_env[n++] = buf_take(&text);
        }
    }
    plan->env = plan->own_env;
}

static bool plan_program(struct plan *plan, struct err *err) {
    const char *name = plan->spec->argv[0];
    if (strchr(name, '/') != NULL) {
        plan->path = mem_dup(name);
        return true;
    }
    const char *dirs = variable(plan->env, "PATH");
    for (const char *at = dirs != NULL ? dirs : "/usr/sbin:/usr/bin:/sbin:/bin"; *at != '\0';) {
        size_t n = strcspn(at, ":");
        struct buf path = BUF_INIT;
        buf_addf(&path, "%.*s/%s", (int)n, at, name);
        if (n > 0 && access(path.data, X_OK) == 0) {
            plan->path = buf_take(&path);
            return true;
        }
        buf_clear(&path);
        at += n + (at[n] == ':');
    }
    return err_set(err, ERR_NOT_FOUND, "no program '%s' in PATH", name);
}

static int data_file(const struct proc_fd *f) {
    int fd = memfd_create("gander", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    for (size_t done = 0; fd >= 0 && done < f->len;) {
        ssize_t n = write(fd, f->data + done, f->len - done);
        if (n <= 0) {
            close(fd);
            return -1;
        }
        done += (size_t)n;
    }
    if (fd >= 0) {
        lseek(fd, 0, SEEK_SET);
        fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE);
    }
    return fd;
}

static int held_end(struct proc *p, int number) {
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) {
        return -1;
    }
    p->hold[p->hold_count++] = (struct proc_hold){.number = number, .fd = pair[0]};
    return pair[1];
}

static int open_source(struct proc *p, const struct proc_fd *f) {
    switch (f->kind) {
    case PROC_FD_DATA:
        return data_file(f);
    case PROC_FD_READ:
        return open(f->path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    case PROC_FD_APPEND:
        return open(f->path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0600);
    case PROC_FD_OPEN:
        return open(f->path, O_RDWR | O_CLOEXEC | O_NOCTTY);
    case PROC_FD_HOLD:
        return held_end(p, f->number);
    case PROC_FD_GIVEN:
        return fcntl(f->given, F_DUPFD_CLOEXEC, 0);
    }
    errno = EINVAL;
    return -1;
}

static bool plan_fds(struct plan *plan, struct proc *p, struct err *err) {
    for (size_t i = 0; i < plan->spec->fd_count; i++) {
        const struct proc_fd *f = &plan->spec->fds[i];
        int fd = open_source(p, f);
        fd = fd < 0 ? -1 : proc_raise_fd(fd);
        if (fd < 0) {
            return err_errno(err, errno, "descriptor %d%s%s", f->number,
                             f->path != NULL ? ", " : "", f->path != NULL ? f->path : "");
        }
        plan->source[f->number] = fd;
    }
    for (int number = 0; number < 3; number++) {
        if (plan->source[number] < 0) {
            int fd = open("/dev/null", O_RDWR | O_CLOEXEC);
            plan->source[number] = fd < 0 ? -1 : proc_raise_fd(fd);
            if (plan->source[number] < 0) {
                return err_errno(err, errno, "/dev/null");
            }
        }
    }
    return true;
}

static bool plan_cgroups(struct plan *plan, struct err *err) {
    for (const char *const *dir = plan->spec->cgroups; dir != NULL && *dir != NULL; dir++) {
        if (plan->cgroup_count == CGROUP_MAX) {
            return err_set(err, ERR_INVALID, "more than %d cgroups", CGROUP_MAX);
        }
        struct buf path = BUF_INIT;
        buf_addf(&path, "%s/cgroup.procs", *dir);
        int fd = open(path.data, O_WRONLY | O_CLOEXEC);
        fd = fd < 0 ? -1 : proc_raise_fd(fd);
        if (fd < 0) {
            err_errno(err, errno, "cgroup %s", *dir);
        }
        buf_clear(&path);
        if (fd < 0) {
            return false;
        }
        plan->cgroup[plan->cgroup_count++] = fd;
    }
    return true;
}

static void plan_clear(struct plan *plan) {
    for (int i = 0; i < PROC_FD_MAX; i++) {
        if (plan->source[i] >= 0) {
            close(plan->source[i]);
        }
    }
    for (size_t i = 0; i < plan->cgroup_count; i++) {
        close(plan->cgroup[i]);
    }
    for (size_t i = 0; i < 4; i++) {
        free(plan->own_env[i]);
    }
    free(plan->path);
}

/* From here to child_run: the child, system calls only. */

__attribute__((noreturn)) static void child_fail(const struct plan *plan, enum step step,
                                                 size_t item) {
    struct report r = {.step = step, .item = (int)item, .errnum = errno};
    ssize_t n = write(plan->report, &r, sizeof r);
    _exit(n == sizeof r ? 127 : 126);
}

/* Make the missing directories of `path`, and at its end a directory or an empty file. */
static bool child_make(const char *path, bool directory) {
    char part[512];
    size_t len = strlen(path);
    if (len >= sizeof part) {
        errno = ENAMETOOLONG;
        return false;
    }
    for (size_t i = 1; i <= len; i++) {
        if (path[i] != '/' && path[i] != '\0') {
            continue;
        }
        memcpy(part, path, i);
        part[i] = '\0';
        if (path[i] == '\0' && !directory) {
            int fd = open(part, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
            return fd >= 0 && close(fd) == 0;
        }
        if (mkdir(part, 0755) != 0 && errno != EEXIST) {
            return false;
        }
    }
    return true;
}

static void child_stage(const struct plan *plan) {
    if (plan->spec->stage_count == 0) {
        return;
    }
    if (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0) {
        child_fail(plan, STEP_NAMESPACE, 0);
    }
    /* Taken before the tmpfs hides /run: a source may lie there. */
    int tree[STAGE_MAX];
    for (size_t i = 0; i < plan->spec->stage_count; i++) {
        tree[i] = open_tree(AT_FDCWD, plan->spec->stage[i].from,
                            OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);
        if (tree[i] < 0) {
            child_fail(plan, STEP_STAGE, i);
        }
    }
    if (mount("stage", "/run", "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755,size=64k") != 0) {
        child_fail(plan, STEP_NAMESPACE, 0);
    }
    for (size_t i = 0; i < plan->spec->stage_count; i++) {
        struct stat st;
        const char *to = plan->spec->stage[i].to;
        if (fstat(tree[i], &st) != 0 || !child_make(to, S_ISDIR(st.st_mode)) ||
            move_mount(tree[i], "", AT_FDCWD, to, MOVE_MOUNT_F_EMPTY_PATH) != 0) {
            child_fail(plan, STEP_STAGE, i);
        }
    }
}

/* Raw calls: the C library's versions would signal threads that are not here. */
static void child_user(const struct plan *plan) {
    long id = plan->spec->uid;
    if (id >= 0 &&
        (syscall(SYS_setgroups, 0, NULL) != 0 || syscall(SYS_setresgid, id, id, id) != 0 ||
         syscall(SYS_setresuid, id, id, id) != 0)) {
        child_fail(plan, STEP_USER, 0);
    }
}

static void child_fds(const struct plan *plan) {
    if (close_range(3, ~0U, CLOSE_RANGE_CLOEXEC) != 0) {
        child_fail(plan, STEP_FD, 3);
    }
    for (int number = 0; number < PROC_FD_MAX; number++) {
        if (plan->source[number] >= 0 && dup2(plan->source[number], number) < 0) {
            child_fail(plan, STEP_FD, (size_t)number);
        }
    }
}

static void child_signals(void) {
    struct sigaction standard = {.sa_handler = SIG_DFL};
    for (int sig = 1; sig < NSIG; sig++) {
        sigaction(sig, &standard, NULL);
    }
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

__attribute__((noreturn)) static void child_run(const struct plan *plan) {
    const struct proc_spec *spec = plan->spec;
    child_signals();
    umask(022); /* the host's own is tight: the stage must be readable under another uid */
    for (size_t i = 0; i < plan->cgroup_count; i++) {
        if (write(plan->cgroup[i], "0", 1) != 1) {
            child_fail(plan, STEP_CGROUP, i);
        }
    }
    child_stage(plan);
    if (spec->setsid && setsid() < 0) {
        child_fail(plan, STEP_SESSION, 0);
    }
    child_user(plan);
    if (chdir(spec->cwd != NULL ? spec->cwd : "/") != 0) {
        child_fail(plan, STEP_CWD, 0);
    }
    child_fds(plan);
    execve(plan->path, (char *const *)spec->argv, plan->env);
    child_fail(plan, STEP_EXEC, 0);
}

static bool explain(const struct plan *plan, const struct report *r, struct err *err) {
    const struct proc_spec *spec = plan->spec;
    switch (r->step) {
    case STEP_CGROUP:
        return err_errno(err, r->errnum, "join cgroup %s", spec->cgroups[r->item]);
    case STEP_NAMESPACE:
        return err_errno(err, r->errnum, "a private mount namespace");
    case STEP_STAGE:
        return err_errno(err, r->errnum, "stage %s at %s", spec->stage[r->item].from,
                         spec->stage[r->item].to);
    case STEP_SESSION:
        return err_errno(err, r->errnum, "setsid");
    case STEP_USER:
        return err_errno(err, r->errnum, "become user %ld", spec->uid);
    case STEP_CWD:
        return err_errno(err, r->errnum, "working directory %s", spec->cwd ? spec->cwd : "/");
    case STEP_FD:
        return err_errno(err, r->errnum, "descriptor %d", r->item);
    case STEP_EXEC:
        return err_errno(err, r->errnum, "start %s", plan->path);
    }
    return err_set(err, ERR_INTERNAL, "start %s failed", plan->path);
}

static bool check_spec(const struct proc_spec *spec, struct err *err) {
    if (spec->stage_count > STAGE_MAX) {
        return err_set(err, ERR_INVALID, "more than %d staged paths", STAGE_MAX);
    }
    for (size_t i = 0; i < spec->stage_count; i++) {
        if (strncmp(spec->stage[i].to, PROC_STAGE "/", sizeof PROC_STAGE) != 0 ||
            strstr(spec->stage[i].to, "/..") != NULL) {
            return err_set(err, ERR_INVALID, "'%s' is not below %s", spec->stage[i].to, PROC_STAGE);
        }
    }
    for (size_t i = 0; i < spec->fd_count; i++) {
        if (spec->fds[i].number < 0 || spec->fds[i].number >= PROC_FD_MAX) {
            return err_set(err, ERR_INVALID, "descriptor %d is not from 0 to %d",
                           spec->fds[i].number, PROC_FD_MAX - 1);
        }
    }
    return true;
}

/* Fork with all signals blocked, so that no handler of ours runs in the child. */
static bool fork_child(struct plan *plan, struct proc *p, struct err *err) {
    int pipe_fd[2];
    if (pipe2(pipe_fd, O_CLOEXEC) != 0) {
        return err_errno(err, errno, "pipe");
    }
    plan->report = proc_raise_fd(pipe_fd[1]);
    if (plan->report < 0) {
        err_errno(err, errno, "pipe");
        close(pipe_fd[0]);
        return false;
    }
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pid_t pid = proc_fork();
    if (pid == 0) {
        child_run(plan);
    }
    int fork_errno = errno;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    close(plan->report);
    if (pid < 0) {
        close(pipe_fd[0]);
        return err_errno(err, fork_errno, "fork");
    }
    /* Our child, not reaped: the pid cannot be another's. */
    p->pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
    int pidfd_errno = errno;
    struct report r;
    ssize_t n;
    do {
        n = read(pipe_fd[0], &r, sizeof r);
    } while (n < 0 && errno == EINTR);
    close(pipe_fd[0]);
    if (n == 0 && p->pidfd >= 0) {
        p->pid = pid;
        p->start_time = proc_start_time_of(pid);
        p->child = true;
        p->session = plan->spec->setsid;
        return true;
    }
    if (n == 0) {
        kill(pid, SIGKILL);
        err_errno(err, pidfd_errno, "pidfd");
    } else {
        explain(plan, &r, err);
    }
    waitpid(pid, NULL, 0);
    proc_forget(pid);
    if (p->pidfd >= 0) {
        close(p->pidfd);
    }
    return false;
}

struct proc *proc_spawn(const struct proc_spec *spec, struct err *err) {
    proc_sweep();
    if (!check_spec(spec, err)) {
        return NULL;
    }
    struct plan plan = {.spec = spec};
    for (int i = 0; i < PROC_FD_MAX; i++) {
        plan.source[i] = -1;
    }
    struct proc *p = mem_alloc(sizeof *p);
    plan_env(&plan);
    bool ok = plan_program(&plan, err) && plan_fds(&plan, p, err) && plan_cgroups(&plan, err) &&
              fork_child(&plan, p, err);
    plan_clear(&plan);
    if (!ok) {
        proc_release(p, -1);
        free(p);
        return NULL;
    }
    return p;
}
