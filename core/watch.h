/* watch.h - tell when something below a directory changed.
 *
 * inotify on the directory and all below it; changes within a short time are told once.  The
 * callback runs on the watcher's own thread.
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef GANDER_WATCH_H
#define GANDER_WATCH_H

#include "err.h"

struct watch;

struct watch *watch_start(const char *dir, void (*changed)(void *ctx), void *ctx, struct err *err);
void watch_stop(struct watch *w); /* waits for a callback in progress */

#endif
