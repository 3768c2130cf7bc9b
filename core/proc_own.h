/* proc_own.h - what proc.c and proc_spawn.c share, and nobody else.
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef GANDER_PROC_OWN_H
#define GANDER_PROC_OWN_H

#include "proc.h"

struct proc_hold {
    int number; /* the descriptor in the child */
    int fd;     /* our end */
};

struct proc {
    pid_t pid;
    int pidfd;
    int64_t start_time;
    bool child;   /* ours to reap */
    bool session; /* leads a session, so that -pid names its group */
    bool reaped;
    struct proc_exit exit; /* once reaped */
    struct proc_hold hold[PROC_FD_MAX];
    size_t hold_count;
};

/* proc_children.c: who is ours to reap.  Fork through it, so that no child is ever unknown. */
pid_t proc_fork(void);                  /* as fork(); the child is on the list */
void proc_forget(pid_t pid);            /* it was reaped */
void proc_let_go(pid_t pid, int pidfd); /* nobody waits for it any more; takes the pidfd */
bool proc_reap(int pidfd, struct proc_exit *result); /* false: it still runs */
void proc_sweep(void); /* reap what ended of those that were let go, and orphans that came to us */
/* A copy of fd above the numbers a child may ask for, close on exec; closes fd.  -1 on failure. */
int proc_raise_fd(int fd);

#endif
