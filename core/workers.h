/* workers.h - the pool of VMs.
 *
 * A call takes a VM, uses it and puts it back.  How many calls run at once is counted by wait.c: a
 * call that waits in I/O lets another in.  A VM of an older generation, and one that ran out of
 * time or memory, is closed when it comes back or is taken.  Threads: any may call; `lock` guards
 * the list of idle VMs and the figures.
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef GANDER_WORKERS_H
#define GANDER_WORKERS_H

#include "scripts.h"
#include "vm.h"

struct workers;

struct workers *workers_new(struct host *host, struct scripts *scripts, size_t vm_memory);
void workers_free(struct workers *w); /* no call may be in progress */

/* A VM of the set `live`, or busy when none became free before the deadline. */
struct vm *workers_take(struct workers *w, struct live *live, int64_t deadline_ms, struct err *err);
void workers_put(struct workers *w, struct vm *vm);

/* vm_call on a VM of the live generation. */
bool workers_call(struct workers *w, const char *name, const char *arg, size_t len,
                  int64_t timeout_ms, struct buf *result, struct err *err);

#endif
