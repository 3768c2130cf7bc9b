/* place.c - see place.h.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "place.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void place_open(struct place *p) {
    strcpy(p->dir, "/tmp/gander-unit-XXXXXX");
    if (mkdtemp(p->dir) == NULL) {
        abort();
    }
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw) {
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

void place_close(struct place *p) {
    nftw(p->dir, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

const char *place_path(const struct place *p, const char *path) {
    static char paths[4][512];
    static size_t next;
    char *full = paths[next++ % 4];
    snprintf(full, sizeof paths[0], "%s/%s", p->dir, path);
    return full;
}

void place_write_n(const struct place *p, const char *path, const void *text, size_t len) {
    char full[512];
    snprintf(full, sizeof full, "%s/%s", p->dir, path);
    for (char *at = strchr(full + strlen(p->dir) + 1, '/'); at != NULL; at = strchr(at + 1, '/')) {
        *at = '\0';
        mkdir(full, 0755);
        *at = '/';
    }
    FILE *f = fopen(full, "we");
    if (f == NULL || fwrite(text, 1, len, f) != len || fclose(f) != 0) {
        abort();
    }
}

void place_write(const struct place *p, const char *path, const char *text) {
    place_write_n(p, path, text, strlen(text));
}

void place_remove(const struct place *p, const char *path) {
    unlink(place_path(p, path));
}
