/* door.h - the door between civetweb and the sockets.
 *
 * civetweb is compiled with `-include door.h`: its socket calls go through the functions of door.c,
 * so that an event stream's socket can be taken away from it (door_take) without a patch.  Threads:
 * each connection is served by one thread; what door.c remembers is per thread.
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef GANDER_DOOR_H
#define GANDER_DOOR_H

#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <unistd.h>

int door_poll(struct pollfd *fds, nfds_t count, int timeout_ms);
ssize_t door_recv(int fd, void *to, size_t len, int flags);
int door_shutdown(int fd, int how);
int door_close(int fd);

/* The socket of the request that this thread serves, as a new descriptor; -1 when it has none.
 * civetweb's own is deaf from then on: it reads as ended and its shutdown does nothing. */
int door_take(void);

/* Has the client of the request that this thread serves closed its connection? */
bool door_gone(void);

#ifndef DOOR_PLAIN
#define poll(fds, count, timeout) door_poll(fds, count, timeout)
#define recv(fd, to, len, flags)  door_recv(fd, to, len, flags)
#define shutdown(fd, how)         door_shutdown(fd, how)
#define close(fd)                 door_close(fd)
#endif

#endif
