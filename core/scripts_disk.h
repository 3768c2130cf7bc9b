/* scripts_disk.h - edits of the scripts directory, and the last good set on disk.
 *
 * An edit is what a client asks: {"files": {path: text or null}, "if_match": {path: etag}}; an etag
 * is a file's hash, or "none" when the file must not exist yet.  Files are written to a temporary
 * name in their directory, synced and renamed.  Called by scripts.c under its publishing lock.
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef GANDER_SCRIPTS_DISK_H
#define GANDER_SCRIPTS_DISK_H

#include "scriptset.h"

#define EDIT_FILES_MAX 100

struct script_edit {
    struct script_file_change *changes;
    size_t count;
    struct script_match {
        char *path, *etag;
    } * matches;
    size_t match_count;
};

bool script_edit_parse(struct script_edit *edit, const char *json, size_t len, struct err *err);
void script_edit_clear(struct script_edit *edit);
/* Conflict when a file is not what the client saw. */
bool script_edit_match(const struct script_edit *edit, const struct script_set *set,
                       struct err *err);
bool script_edit_write(const struct script_edit *edit, const char *dir, struct err *err);

/* <data>/last-good.json. A failure is logged: the host runs on, a restart then needs a good disk.
 */
void script_set_save(const char *data, const struct script_set *set);
struct script_set *script_set_load(const char *data); /* NULL when there is none */

#endif
