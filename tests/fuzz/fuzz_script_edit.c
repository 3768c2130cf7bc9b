/* fuzz_script_edit.c - edits of scripts and the last good set: every path stays in the directory.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "scripts_disk.h"

int FUZZ_TARGET(script_edit)(const uint8_t *data, size_t size) {
    struct script_edit edit;
    struct err err;
    if (script_edit_parse(&edit, (const char *)data, size, &err)) {
        for (size_t i = 0; i < edit.count; i++) {
            const char *path = edit.changes[i].path;
            if (!script_path_ok(path) || strstr(path, "..") != NULL || path[0] == '/') {
                abort();
            }
        }
        script_edit_clear(&edit);
    }
    struct script_set *set = script_set_parse((const char *)data, size, &err);
    for (size_t i = 0; set != NULL && i < set->count; i++) {
        if (!script_path_ok(set->files[i].path)) {
            abort();
        }
    }
    script_set_release(set);
    return 0;
}
