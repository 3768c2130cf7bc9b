/* httpd_gateway.h - the Unix socket on which sandboxes reach their model:
 * <data>/gateway/model.sock.
 *
 * Sandboxes have the directory bound, not the socket: the socket of the next start is then theirs
 * too.  civetweb is given the path as /proc/self/fd/<n>/model.sock: its list of ports breaks at
 * commas and takes a digit before an 's' for TLS, and a socket's path may have 107 bytes.
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef GANDER_HTTPD_GATEWAY_H
#define GANDER_HTTPD_GATEWAY_H

#include "buf.h"
#include "err.h"

/* The directory, made and without the socket of an earlier start; -1 on failure.  It stays open as
 * long as the socket is in use. */
int gateway_open(const char *data, struct err *err);
void gateway_path(int dir, struct buf *path); /* append the socket's path */
void gateway_ready(int dir);                  /* sandboxes connect under other uids */

#endif
