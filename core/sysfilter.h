/* sysfilter.h - the system call filter of every local sandbox.
 *
 * Everything is allowed but what reaches the kernel's rarely used or privileged surface: new
 * namespaces, mounts, ptrace, bpf, keyrings, io_uring, modules, terminal injection, sockets to the
 * hypervisor.  Refused calls fail with EPERM; clone3 with ENOSYS, so that the C library falls back
 * to clone, whose flags a filter can see.
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef GANDER_SYSFILTER_H
#define GANDER_SYSFILTER_H

#include <stdbool.h>

#include "buf.h"
#include "err.h"

/* Add the filter to `out` as BPF, for bwrap's --seccomp. */
bool sysfilter_make(struct buf *out, struct err *err);

#endif
