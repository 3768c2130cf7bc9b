/* vm.h - one Lua state of one generation, used for one call at a time.
 *
 * A vm is made from a script set and keeps it.  Calls are by name ("jobs/reconcile#run") with JSON
 * text in and out, or a C function run in protected mode with the same limits (vm_run).  Each call
 * has a deadline, the whole state a memory limit; what scripts must not reach (os, io, debug,
 * bytecode, finalizers) is not there.  Files under policies/ and cleanup/ get the pure environment
 * (vm_env.c).  Threads: one at a time may use a vm; workers.c sees to that.
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef GANDER_VM_H
#define GANDER_VM_H

#include <lua.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "err.h"
#include "host.h"
#include "scriptset.h"

struct vm;

struct vm *vm_new(struct host *host, struct script_set *set, size_t memory_max, struct err *err);
void vm_free(struct vm *vm);
int64_t vm_generation(const struct vm *vm);
/* A call ran out of time or memory: its state may be half-changed, so the vm is to be freed. */
bool vm_is_spent(const struct vm *vm);

/* Run f(L) with `data` as light userdata at index 1, until `deadline_ms` (clock_ms).  On an error
 * *err has its text ("file:line: …") and the traceback went to the log. */
bool vm_run(struct vm *vm, lua_CFunction f, void *data, int64_t deadline_ms, struct err *err);

/* Call "file#function" with the value of `arg` (typed JSON; NULL: no argument); its first result
 * is written to `result` as typed JSON ("null" for nil).  A second and third result (message,
 * code) after nil make the call fail with them. */
bool vm_call(struct vm *vm, const char *name, const char *arg, size_t len, int64_t deadline_ms,
             struct buf *result, struct err *err);

/* For C functions that run inside vm_run: push the module of a file ("lib/app"); may raise. */
void vm_push_module(lua_State *L, const char *file);

#endif
