/* follow.h - read many upstream streams, hand what they say to jobs in batches.
 *
 * A follow has a key, a source (a growing file, or an HTTP answer that goes on), a format
 * (follow_parse.h) and a job.  Items are gathered for batch_ms or batch_max of them; each batch
 * goes to `deliver` as
 *   {"key", "data", "items": […], "cursor"?, "ended": bool, "error"?}
 * with the cursor after its last item: whoever stores items and cursor in one write and starts the
 * follow there again loses and doubles nothing.  With `topic` each item is published at once, too.
 *
 * Order and bounds: one batch of a key is delivered at a time; one that fails is delivered again,
 * with backoff, before anything newer.  What is read ahead of delivery is bounded; then the source
 * is not read on.  The job may answer {"stop": true}.
 *
 * Files: never read before the offset; an offset beyond the end waits; a replaced file is read from
 * its start once the old one is at its end; holes are passed over.  `punch` frees what was
 * delivered, and leaves out (a line says so) what lies more than 16 MiB behind.  A line without its
 * end is given out as cut after two seconds. HTTP: a lost connection is made again with backoff and
 * resumed; after three failures in a row (then each tenth) an empty batch carries the `error`, so
 * that the job may stop it.  Without `resume`, on a clean end of an upstream that replays, or on a
 * refusal (4xx) the follow ends.
 *
 * Threads: one reads all sources (libcurl multi, inotify), four deliver.  All functions may be
 * called from any thread.  Knows no Lua.
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef GANDER_FOLLOW_H
#define GANDER_FOLLOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "bus.h"
#include "err.h"
#include "fetch.h"
#include "follow_parse.h"

struct follow;

#define FOLLOW_MAX     4096 /* follows at once */
#define FOLLOW_KEY_MAX 200  /* bytes of a key */

struct follow_hooks {
    void *ctx;
    /* Call jobs/<job>#batch; false: it failed and is to be tried again.  On a thread of follow's.
     */
    bool (*deliver)(void *ctx, const char *job, const char *json, size_t len, struct buf *result,
                    struct err *err);
};

enum follow_resume {
    FOLLOW_NO_RESUME,
    FOLLOW_LAST_EVENT_ID, /* the header */
    FOLLOW_AFTER,         /* ?after=<cursor> */
    FOLLOW_REPLAY,        /* it begins at its start again: what was seen is passed over */
};
bool follow_resume_of(const char *name, enum follow_resume *resume);

struct follow_spec { /* copied by follow_start, but for netns */
    const char *key, *job;
    const char *data;  /* JSON text for the job */
    const char *topic; /* NULL: none */
    enum follow_format format;
    const char *cursor; /* where to start, JSON text; NULL: at the beginning (a file's too) */
    int batch_ms, batch_max;
    const char *file; /* either this … */
    bool punch;
    const struct fetch_spec *http; /* … or this; its netns belongs to the follow if it starts */
    enum follow_resume resume;
};

struct follow *follow_new(struct bus *bus, const struct follow_hooks *hooks, struct err *err);
/* conflict: the key is in use; busy: it is still ending, or there are too many. */
bool follow_start(struct follow *f, const struct follow_spec *spec, struct err *err);
/* Read what a file has by now, deliver it with ended = true, forget the key.  false: not there. */
bool follow_end(struct follow *f, const char *key);
bool follow_wait(struct follow *f, const char *key, int64_t deadline_ms); /* until it is gone */
/* [{"key", "source", "format", "job", "state", "cursor"?, "pending", "tries", "error"?}] */
void follow_list(struct follow *f, struct buf *out);
/* Stop reading; batches that are being delivered are waited for, others are dropped: they are read
 * again from their cursors. */
void follow_stop(struct follow *f);
void follow_free(struct follow *f); /* after follow_stop, before bus_free */

#endif
