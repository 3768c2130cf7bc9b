/* netns.c - see netns.h.
 *
 * A threaded process may not join a user namespace, so a forked child does; it makes system calls
 * only.  Root joins the network namespace alone: entering the owner's would drop it to no rights
 * at all outside.  A struct netns is read-only after netns_open: no locks.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "netns.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "buf.h"
#include "proc.h"

#define DIAL_MS 5000

struct netns {
    int net;
    int owner; /* the user namespace that owns net */
    pid_t pid; /* for messages */
};

struct netns *netns_open(const struct proc *p, struct err *err) {
    char path[64];
    pid_t pid = proc_pid(p);
    snprintf(path, sizeof path, "/proc/%d/ns/net", (int)pid);
    int net = open(path, O_RDONLY | O_CLOEXEC);
    if (net < 0) {
        err_errno(err, errno, "network of process %d", (int)pid);
        return NULL;
    }
    int owner = ioctl(net, NS_GET_USERNS);
    if (owner < 0) {
        err_errno(err, errno, "owner of the network of process %d", (int)pid);
        close(net);
        return NULL;
    }
    /* Alive still, so that the path above led to this process and not to one that got its pid. */
    if (!proc_alive(p)) {
        close(owner);
        close(net);
        err_set(err, ERR_NOT_FOUND, "process %d has ended", (int)pid);
        return NULL;
    }
    struct netns *n = mem_alloc(sizeof *n);
    *n = (struct netns){.net = net, .owner = owner, .pid = pid};
    return n;
}

void netns_free(struct netns *n) {
    if (n != NULL) {
        close(n->net);
        close(n->owner);
        free(n);
    }
}

int netns_fd(const struct netns *n) {
    return n->net;
}

int netns_owner(const struct netns *n) {
    return n->owner;
}

struct ask {
    int family, type, protocol;
};

/* One int of payload, and the descriptor when it is >= 0. */
static bool send_fd(int via, int errnum, int fd) {
    union {
        struct cmsghdr head;
        char space[CMSG_SPACE(sizeof(int))];
    } control = {.space = {0}};
    struct iovec io = {.iov_base = &errnum, .iov_len = sizeof errnum};
    struct msghdr m = {.msg_iov = &io, .msg_iovlen = 1};
    if (fd >= 0) {
        m.msg_control = control.space;
        m.msg_controllen = sizeof control.space;
        struct cmsghdr *c = CMSG_FIRSTHDR(&m);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(c), &fd, sizeof fd);
    }
    return sendmsg(via, &m, MSG_NOSIGNAL) == sizeof errnum;
}

static int receive_fd(int via, int *errnum) {
    union {
        struct cmsghdr head;
        char space[CMSG_SPACE(sizeof(int))];
    } control;
    struct iovec io = {.iov_base = errnum, .iov_len = sizeof *errnum};
    struct msghdr m = {.msg_iov = &io,
                       .msg_iovlen = 1,
                       .msg_control = control.space,
                       .msg_controllen = sizeof control.space};
    *errnum = EIO;
    if (recvmsg(via, &m, MSG_CMSG_CLOEXEC) != sizeof *errnum) {
        *errnum = EIO;
        return -1;
    }
    struct cmsghdr *c = CMSG_FIRSTHDR(&m);
    int fd = -1;
    if (c != NULL && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS) {
        memcpy(&fd, CMSG_DATA(c), sizeof fd);
    }
    return fd;
}

/* The child: system calls only. */
__attribute__((noreturn)) static void child_dial(const struct netns *n, const struct ask *ask,
                                                 int via) {
    int fd = -1;
    if ((geteuid() == 0 || setns(n->owner, CLONE_NEWUSER) == 0) &&
        setns(n->net, CLONE_NEWNET) == 0) {
        fd = socket(ask->family, ask->type | SOCK_CLOEXEC, ask->protocol);
    }
    _exit(send_fd(via, fd < 0 ? errno : 0, fd) ? 0 : 1);
}

/* Wait for the answer; a child that does not give one in time is killed. */
static int await_fd(int via, pid_t pid, int *errnum) {
    struct pollfd p = {.fd = via, .events = POLLIN};
    int n;
    do {
        n = poll(&p, 1, DIAL_MS);
    } while (n < 0 && errno == EINTR);
    int fd = -1;
    if (n > 0) {
        fd = receive_fd(via, errnum);
    } else {
        *errnum = ETIMEDOUT;
        kill(pid, SIGKILL);
    }
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) {
    }
    return fd;
}

int netns_socket(struct netns *n, int family, int type, int protocol, struct err *err) {
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) {
        err_errno(err, errno, "socket pair");
        return -1;
    }
    struct ask ask = {.family = family, .type = type, .protocol = protocol};
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pid_t pid = fork();
    if (pid == 0) {
        child_dial(n, &ask, pair[1]);
    }
    int errnum = errno;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    close(pair[1]);
    int fd = pid < 0 ? -1 : await_fd(pair[0], pid, &errnum);
    close(pair[0]);
    if (fd < 0) {
        err_errno(err, errnum, "socket in the network of process %d", (int)n->pid);
    }
    return fd;
}

int netns_listen(struct netns *n, int port, struct err *err) {
    int fd = netns_socket(n, AF_INET, SOCK_STREAM, 0, err);
    if (fd < 0) {
        return -1;
    }
    struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_port = htons((uint16_t)port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    int on = 1;
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
        bind(fd, (struct sockaddr *)&address, sizeof address) != 0 || listen(fd, 128) != 0) {
        err_errno(err, errno, "listen on port %d in the network of process %d", port, (int)n->pid);
        close(fd);
        return -1;
    }
    return fd;
}
