/* door.c - see door.h.
 * SPDX-License-Identifier: Apache-2.0
 */
#define DOOR_PLAIN
#include "door.h"

static _Thread_local int current = -1; /* the socket this thread last read from */
static _Thread_local int taken = -1;   /* civetweb's descriptor after door_take */

int door_poll(struct pollfd *fds, nfds_t count, int timeout_ms) {
    if (taken >= 0 && count > 0 && fds[0].fd == taken) {
        fds[0].revents = POLLIN | POLLHUP;
        return 1;
    }
    return poll(fds, count, timeout_ms);
}

ssize_t door_recv(int fd, void *to, size_t len, int flags) {
    if (fd == taken) {
        return 0;
    }
    current = fd;
    return recv(fd, to, len, flags);
}

int door_shutdown(int fd, int how) {
    return fd == taken ? 0 : shutdown(fd, how);
}

int door_close(int fd) {
    if (fd == taken) {
        taken = -1;
    }
    if (fd == current) {
        current = -1;
    }
    return close(fd);
}

int door_take(void) {
    if (current < 0) {
        return -1;
    }
    int fd = fcntl(current, F_DUPFD_CLOEXEC, 3);
    if (fd >= 0) {
        taken = current;
    }
    return fd;
}

bool door_gone(void) {
    struct pollfd p = {.fd = current, .events = POLLRDHUP};
    return current >= 0 && poll(&p, 1, 0) > 0 && (p.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
}
