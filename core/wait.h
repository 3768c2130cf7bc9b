/* wait.h - how many calls run, and how many of those only wait.
 *
 * A binding that blocks (HTTP, a process, the database) brackets the wait with wait_begin and
 * wait_end.  workers.c counts a waiting call as not running and lets another in: slow upstreams
 * never stop the rest.  Both functions are cheap and may be called from any thread; a NULL wait
 * (a tool without workers) does nothing.
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef GANDER_WAIT_H
#define GANDER_WAIT_H

#include <stdbool.h>
#include <stdint.h>

struct wait;

struct wait *wait_new(int running_max, int total_max); /* calls that may run; calls in all */
void wait_free(struct wait *w);

/* Enter as a running call; waits until there is room or `deadline_ms` (of clock_ms) has passed. */
bool wait_enter(struct wait *w, int64_t deadline_ms);
void wait_leave(struct wait *w);

void wait_begin(struct wait *w); /* this call now waits in I/O */
void wait_end(struct wait *w);   /* and goes on (even when others took its place meanwhile) */

struct wait_count {
    int total, waiting;
};
struct wait_count wait_counts(struct wait *w);

int64_t clock_ms(void);     /* monotonic milliseconds */
int64_t clock_now_ms(void); /* wall clock, milliseconds since 1970 */

#endif
