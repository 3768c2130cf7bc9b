/* netns.h - the dial: sockets made inside a sandbox's network namespace.
 *
 * A sandbox has no port on the host.  netns_open() takes hold of the network namespace (and of the
 * user namespace that owns it) of a live process; netns_socket() has a forked child enter both,
 * make a socket there and pass it back (SCM_RIGHTS).  The socket comes back unconnected, close on
 * exec: connect it to 127.0.0.1:3001 and it reaches the sandbox's loopback (for libcurl: return it
 * from CURLOPT_OPENSOCKETFUNCTION; CURL_SOCKOPT_ALREADY_CONNECTED fails in libcurl 7.88).
 *
 * The process is checked by its pidfd after the namespace was opened, so that a reused pid never
 * leads into a stranger's network.  A struct netns stays valid after the process ended (the
 * namespace lives on, empty: connecting then fails); it may be used by many threads at once.
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef GANDER_NETNS_H
#define GANDER_NETNS_H

#include "err.h"

struct proc;
struct netns;

/* NULL after filling *err: not_found when the process has ended, denied when it is not ours. */
struct netns *netns_open(const struct proc *p, struct err *err);

/* A socket, or -1 after filling *err.  Takes about a millisecond (one fork), at most 5 s. */
int netns_socket(struct netns *n, int family, int type, int protocol, struct err *err);

/* A TCP socket that listens on 127.0.0.1:port inside; whoever accepts on it may live outside. */
int netns_listen(struct netns *n, int port, struct err *err);

/* The namespaces themselves, owned by n: for programs that take them as descriptors.
 * netns_owner gives the user namespace that owns the network. */
int netns_fd(const struct netns *n);
int netns_owner(const struct netns *n);

void netns_free(struct netns *n); /* NULL does nothing */

#endif
