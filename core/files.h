/* files.h - files and trees, also those that a sandbox controls.
 *
 * A sandbox may put symbolic links, FIFOs and ten thousand nested directories into its tree at any
 * moment: nothing here follows a link out of a tree, opens what is no regular file for reading, or
 * recurses without bound.  No state, no locks; every function may block on the disk.
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef GANDER_FILES_H
#define GANDER_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "buf.h"
#include "err.h"

/* Add at most `max` bytes from `offset` to `out`; more than that: invalid, unless `part`. */
bool files_read(const char *path, int64_t offset, size_t max, bool part, struct buf *out,
                struct err *err);

/* The same of an open file, from its start; `path` is for messages. */
bool files_read_fd(int fd, const char *path, size_t max, bool part, struct buf *out,
                   struct err *err);

/* How a file is made: permission bits, owner (-1: stay ours), and whether it is on disk when the
 * call returns.  Without `sync` readers see the old or the new text, but a power cut may lose it.
 */
struct files_make {
    mode_t mode;
    long uid;
    bool sync;
};

bool files_write(const char *path, const char *data, size_t len, struct files_make how,
                 struct err *err);

/* One write to a file that is there: for the files of /proc and /sys. */
bool files_poke(const char *path, const char *data, size_t len, struct err *err);

/* Make a file that must not be there yet, synced: of several who try, one succeeds. */
bool files_claim(const char *path, const char *data, size_t len, struct err *err);

/* Each entry is added as a letter (f file, d directory, l link, o other), the name, and a NUL. */
bool files_list(const char *path, size_t max, struct buf *out, struct err *err);

bool files_mkdir(const char *path, mode_t mode, long uid, struct err *err); /* parents too (0700) */
bool files_remove(const char *path, struct err *err);                       /* gone already: true */

/* Disk space of a tree, links not followed.  Counts at most `max` entries; *whole is false when
 * there were more. */
bool files_usage(const char *path, size_t max, int64_t *bytes, bool *whole, struct err *err);
bool files_free(const char *path, int64_t *bytes, struct err *err);

/* Within `root`, whatever links lie there: a regular file's descriptor, or -1. */
int files_open_beneath(const char *root, const char *path, struct err *err);
bool files_list_beneath(const char *root, const char *path, size_t max, struct buf *out,
                        struct err *err);
/* Replace or make a file; missing directories are made.  New directories get its owner. */
bool files_write_beneath(const char *root, const char *path, const char *data, size_t len,
                         struct files_make how, struct err *err);

/* Which process holds a POSIX lock on the file; 0: none. */
bool files_lock_holder(const char *path, pid_t *pid, struct err *err);

/* Give the blocks before `offset` back to the disk; the size and later offsets stay. */
bool files_punch(const char *path, int64_t offset, struct err *err);

#endif
