/* jobs.h - the door behind the house: durable jobs, taken from the store and run on VMs.
 *
 * The queue itself is Lua (lib/queue) over the store.  One thread asks it for what is due and gives
 * each job a thread of its own; it asks again when the next one is due, when a job ends, when
 * something was pushed (bus topic "jobs"), and each 5 s at the latest.
 * Threads: `lock` guards the counters; jobs run on threads that end with them.
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef GANDER_JOBS_H
#define GANDER_JOBS_H

#include "bus.h"
#include "workers.h"

struct jobs;

struct jobs *jobs_start(struct bus *bus, struct workers *workers, int running_max);
/* No new jobs; waits up to wait_ms for those that run (their leases end with this boot anyway).
 * False when some still run: the process is then to end without freeing what they use. */
bool jobs_stop(struct jobs *j, int64_t wait_ms);

struct jobs_count {
    int64_t running, done, failed;
};
struct jobs_count jobs_counts(struct jobs *j);

#endif
