/* test_door.c - taking a connection's socket away from the server.
 * SPDX-License-Identifier: Apache-2.0
 */
#define DOOR_PLAIN
#include "check.h"

#include <string.h>

#include "door.h"

void test_door_gives_the_socket_last_read(void) {
    int pair[2];
    char text[8] = "";
    bool none = door_take() < 0;
    bool made = socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0;
    ssize_t sent = send(pair[1], "hello", 5, 0);
    ssize_t got = door_recv(pair[0], text, sizeof text, 0);
    int fd = door_take();
    bool inherits = fd >= 0 && (fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0;
    /* The server's own is deaf: at its end, and shutting it down does nothing to ours. */
    struct pollfd poll_fd = {.fd = pair[0], .events = POLLIN};
    bool at_end = door_poll(&poll_fd, 1, 0) == 1 && door_recv(pair[0], text, sizeof text, 0) == 0;
    door_shutdown(pair[0], SHUT_RDWR);
    door_close(pair[0]);
    bool lives = send(fd, "event", 5, MSG_NOSIGNAL) == 5 && recv(pair[1], text, 5, 0) == 5 &&
                 memcmp(text, "event", 5) == 0;
    bool closed = door_take() < 0; /* the next connection has to be read first */
    close(fd);
    close(pair[1]);
    CHECK(none);
    CHECK(made && sent == 5 && got == 5);
    CHECK(inherits);
    CHECK(at_end);
    CHECK(lives);
    CHECK(closed);
}

void test_door_leaves_other_sockets_alone(void) {
    int taken[2], other[2];
    char text[8];
    bool made = socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, taken) == 0 &&
                socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, other) == 0;
    bool sent = send(taken[1], "a", 1, 0) == 1 && send(other[1], "b", 1, 0) == 1;
    door_recv(taken[0], text, sizeof text, 0);
    int fd = door_take();
    struct pollfd poll_fd = {.fd = other[0], .events = POLLIN};
    bool reads = door_poll(&poll_fd, 1, 1000) == 1 && (poll_fd.revents & POLLHUP) == 0 &&
                 door_recv(other[0], text, sizeof text, 0) == 1 && text[0] == 'b';
    door_close(taken[0]);
    door_close(other[0]);
    close(taken[1]);
    close(other[1]);
    close(fd);
    CHECK(made && sent && fd >= 0);
    CHECK(reads);
}
