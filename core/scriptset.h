/* scriptset.h - one immutable set of scripts: what a generation is made of.
 *
 * A set is the text of every *.lua below the scripts directory, sorted by path ("lib/app.lua").
 * It is read from the directory, from another set with changes, or from the JSON text that keeps
 * the last good one.  Sets are counted: whoever keeps one retains it.  Threads: a finished set is
 * never written again; the count is atomic.
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef GANDER_SCRIPTSET_H
#define GANDER_SCRIPTSET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "err.h"

#define SCRIPT_FILE_MAX  (1024 * 1024) /* bytes of one file */
#define SCRIPT_FILES_MAX 2000

struct script_file {
    char *path; /* relative to the scripts directory, with .lua */
    char *text;
    size_t len;
    int64_t modified_ms; /* wall clock; 0 when not from disk */
    char hash[65];       /* SHA-256 of the text, hex */
};

struct script_set {
    _Atomic int users;
    int64_t generation; /* 0 until it is published */
    int64_t loaded_ms;
    struct script_file *files;
    size_t count;
    char hash[65]; /* of all paths and texts: equal sets have equal hashes */
};

struct script_set *script_set_read(const char *dir, struct err *err);
/* A copy of `base` with the files of `changes` replaced (text NULL: removed). */
struct script_file_change {
    const char *path;
    const char *text; /* NULL removes */
    size_t len;
};
struct script_set *script_set_change(const struct script_set *base,
                                     const struct script_file_change *changes, size_t count);
struct script_set *script_set_parse(const char *json, size_t len, struct err *err);
void script_set_write(const struct script_set *set, struct buf *json);

struct script_set *script_set_retain(struct script_set *set);
void script_set_release(struct script_set *set); /* NULL is fine */

const struct script_file *script_set_find(const struct script_set *set, const char *path);
/* A path a script may have: dir/name.lua, parts of [a-z0-9_-], at most 6 of them. */
bool script_path_ok(const char *path);

#endif
