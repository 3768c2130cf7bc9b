/* scripts.h - the generation in force, and how another one takes its place.
 *
 * A candidate set is checked aside, in a trial VM under limits: lib/app's check() compiles each
 * file, looks at its contract and runs its tests.  Without faults it becomes the next generation by
 * one pointer swap; with faults the last good one stays and the error is kept for whoever asks.
 * The last good set is also written to <data>/last-good.json, so that a start on a broken directory
 * begins with it.  Generations grow for ever.
 *
 * Threads: `lock` guards the pointer and the error; `publishing` makes publishers take turns.  A
 * request retains the live set it began with.
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef GANDER_SCRIPTS_H
#define GANDER_SCRIPTS_H

#include "host.h"
#include "router.h"
#include "scriptset.h"

/* One generation at work. */
struct live {
    _Atomic int users;
    struct script_set *set;
    struct router *router;
};

struct scripts;

/* Load the directory (or the last good set when it is broken). NULL when there is neither. */
struct scripts *scripts_open(struct host *host, const char *dir, size_t vm_memory, struct err *err);
void scripts_free(struct scripts *s);

struct live *scripts_live(struct scripts *s); /* retained */
void live_release(struct live *live);

int64_t scripts_generation(struct scripts *s);
void scripts_reload(struct scripts *s); /* the directory changed (watch.c) */

/* Called after each change of generation or error, on the thread that caused it. */
void scripts_on_change(struct scripts *s, void (*f)(void *ctx), void *ctx);

/* The host's function table (host.h). JSON shapes: scripts/meta/sys.lua. */
bool scripts_list(struct scripts *s, struct buf *json, struct err *err);
/* The text on disk; false when there is no such file. */
bool scripts_text(struct scripts *s, const char *path, struct buf *text);
bool scripts_check(struct scripts *s, const char *json, size_t len, struct buf *out,
                   struct err *err);
bool scripts_publish(struct scripts *s, const char *json, size_t len, struct buf *out,
                     struct err *err);

/* Check a set in a trial VM (trial.c).  Faults and their number go to *faults; on no fault *router
 * is the table of its routes. */
struct fault {
    char *file;
    int line;
    char *message;
};
struct faults {
    struct fault *list;
    size_t count;
};
void faults_add(struct faults *f, const char *file, int line, const char *message);
void faults_clear(struct faults *f);
void faults_write(const struct faults *f, struct buf *json); /* [{file,line,severity,message}] */
struct router *trial_run(struct host *host, struct script_set *set, size_t memory_max,
                         struct faults *faults);

#endif
