/* assets.h - the console's files, held in memory.
 *
 * The built page (www/dist) is read once at the start, each text compressed once.  Paths outside of
 * /assets/ that name no file get index.html: the page has its own addresses.  Read-only after the
 * start, so no locks.
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef GANDER_ASSETS_H
#define GANDER_ASSETS_H

#include <stdbool.h>

#include "buf.h"
#include "err.h"

struct assets;

struct asset {
    char *path; /* "/assets/index-1a2b.js" */
    const char *type;
    struct buf data, gzip; /* gzip: empty when it would not be smaller */
    char etag[20];
    bool immutable; /* its name carries a hash */
};

struct assets *assets_open(const char *dir); /* an absent directory is an empty set */
void assets_free(struct assets *a);
/* By raw request path; NULL: 404. */
const struct asset *assets_find(const struct assets *a, const char *path);
bool assets_empty(const struct assets *a);

#endif
