/* targz.h - a gzip'd tar archive made in memory.
 *
 * ustar, times 0, owner 0: the same files give the same bytes.  Paths are relative, at most 255
 * bytes.  One owner, no locks.
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef GANDER_TARGZ_H
#define GANDER_TARGZ_H

#include <stdbool.h>
#include <stddef.h>

#include "buf.h"
#include "err.h"

struct targz;

struct targz *targz_new(struct buf *out);
/* mode: permission bits. */
bool targz_add(struct targz *t, const char *path, unsigned mode, const char *data, size_t len,
               struct err *err);
bool targz_end(struct targz *t, struct err *err); /* frees t, also when it fails */
void targz_free(struct targz *t);                 /* gives up; NULL does nothing */

#endif
