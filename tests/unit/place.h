/* place.h - a directory of a test's own, with files in it.
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef GANDER_TESTS_PLACE_H
#define GANDER_TESTS_PLACE_H

#include <stddef.h>

struct place {
    char dir[64];
};

void place_open(struct place *p);
void place_close(struct place *p); /* removes it with all that is in it */
/* Write a file at a path below it; its directories are made. */
void place_write(const struct place *p, const char *path, const char *text);
void place_write_n(const struct place *p, const char *path, const void *text, size_t len);
void place_remove(const struct place *p, const char *path);
/* The full path, valid until the fourth call after this one. */
const char *place_path(const struct place *p, const char *path);

#endif
