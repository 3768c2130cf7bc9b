/* proc_children.c - who is ours to reap, and reaping.
 *
 * bwrap's monitor ends before its init does; an orphan like that belongs to process 1, which in a
 * container is often a program that never reaps (this one, say), and a zombie counts against its
 * sandbox's process limit.  So this process is a subreaper: orphans come to it, and a sweep reaps
 * them.  Only children that were forked here and are still waited for are left alone.
 *
 * `lock` guards `children`, also over a fork: a child is on the list before anybody sweeps.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "proc_own.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef P_PIDFD
#define P_PIDFD 3
#endif

struct child {
    pid_t pid;
    int pidfd; /* once it was let go; -1 while somebody waits for it */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct child *children;
static size_t child_count;

pid_t proc_fork(void) {
    pthread_mutex_lock(&lock);
    prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
    children = mem_grow(children, (child_count + 1) * sizeof *children);
    pid_t pid = fork();
    int saved = errno;
    if (pid == 0) {
        return 0; /* the lock stays locked in this copy: the child never asks for it */
    }
    if (pid > 0) {
        children[child_count++] = (struct child){.pid = pid, .pidfd = -1};
    }
    pthread_mutex_unlock(&lock);
    errno = saved;
    return pid;
}

static struct child *find_locked(pid_t pid) {
    for (size_t i = 0; i < child_count; i++) {
        if (children[i].pid == pid) {
            return &children[i];
        }
    }
    return NULL;
}

static void remove_locked(struct child *c) {
    *c = children[--child_count];
    if (child_count == 0) {
        free(children);
        children = NULL;
    }
}

void proc_forget(pid_t pid) {
    pthread_mutex_lock(&lock);
    struct child *c = find_locked(pid);
    if (c != NULL) {
        remove_locked(c);
    }
    pthread_mutex_unlock(&lock);
}

void proc_let_go(pid_t pid, int pidfd) {
    pthread_mutex_lock(&lock);
    struct child *c = find_locked(pid);
    if (c != NULL) {
        c->pidfd = pidfd;
    } else {
        close(pidfd);
    }
    pthread_mutex_unlock(&lock);
}

bool proc_reap(int pidfd, struct proc_exit *result) {
    siginfo_t info = {0};
    if (waitid(P_PIDFD, (id_t)pidfd, &info, WEXITED | WNOHANG) != 0) {
        *result = (struct proc_exit){.known = false, .code = -1};
        return errno == ECHILD;
    }
    if (info.si_pid == 0) {
        return false;
    }
    bool exited = info.si_code == CLD_EXITED;
    *result = (struct proc_exit){
        .known = true,
        .code = exited ? info.si_status : -1,
        .signal = exited ? 0 : info.si_status,
    };
    return true;
}

/* Orphans come to the main thread; /proc lists its children. */
static void reap_orphans_locked(void) {
    char path[64], text[8192];
    snprintf(path, sizeof path, "/proc/self/task/%d/children", (int)getpid());
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
    if (fd >= 0) {
        close(fd);
    }
    text[n > 0 ? n : 0] = '\0';
    /* A number cut at the end of a long list is left for the next sweep. */
    for (char *at = text, *end; (end = strchr(at, ' ')) != NULL; at = end + 1) {
        pid_t pid = (pid_t)strtol(at, NULL, 10);
        siginfo_t info = {0};
        if (pid > 0 && find_locked(pid) == NULL) {
            waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG);
        }
    }
}

void proc_sweep(void) {
    pthread_mutex_lock(&lock);
    for (size_t i = 0; i < child_count;) {
        struct proc_exit ignored;
        if (children[i].pidfd >= 0 && proc_reap(children[i].pidfd, &ignored)) {
            close(children[i].pidfd);
            remove_locked(&children[i]);
        } else {
            i++;
        }
    }
    reap_orphans_locked();
    pthread_mutex_unlock(&lock);
}
