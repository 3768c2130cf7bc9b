/* targz.c - see targz.h.  zlib compresses; the format is POSIX.1-1988 ustar.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "targz.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#define BLOCK 512

struct targz {
    z_stream z;
    struct buf *out;
};

struct header {
    char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], checksum[8], type, link[100];
    char magic[6], version[2], user[32], group[32], major[8], minor[8], prefix[155], rest[12];
};
_Static_assert(sizeof(struct header) == BLOCK, "a tar header is one block");

struct targz *targz_new(struct buf *out) {
    struct targz *t = mem_alloc(sizeof *t);
    t->out = out;
    if (deflateInit2(&t->z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) !=
        Z_OK) {
        free(t);
        return NULL;
    }
    return t;
}

static bool put(struct targz *t, const void *data, size_t len, int flush) {
    int result = Z_OK;
    t->z.next_in = (z_const Bytef *)(size_t)data;
    t->z.avail_in = (uInt)len;
    do {
        size_t room = 16384;
        t->z.next_out = (Bytef *)buf_room(t->out, room);
        t->z.avail_out = (uInt)room;
        result = deflate(&t->z, flush);
        t->out->len += room - t->z.avail_out;
    } while (result == Z_OK && (t->z.avail_in > 0 || t->z.avail_out == 0 || flush == Z_FINISH));
    return result == Z_OK || result == Z_STREAM_END || result == Z_BUF_ERROR;
}

static bool good_path(const char *path) {
    size_t len = strlen(path);
    if (len == 0 || len > 255 || path[0] == '/') {
        return false;
    }
    for (const char *at = path; *at != '\0';) {
        size_t n = strcspn(at, "/");
        if (n == 2 && at[0] == '.' && at[1] == '.') {
            return false;
        }
        at += n + (at[n] == '/');
    }
    return true;
}

/* A path over 100 bytes is cut at a slash into prefix and name. */
static bool set_name(struct header *h, const char *path) {
    size_t len = strlen(path);
    const char *name = path;
    if (len > sizeof h->name) {
        name = strchr(path + len - sizeof h->name - 1, '/');
        if (name == NULL || (size_t)(name - path) > sizeof h->prefix) {
            return false;
        }
        memcpy(h->prefix, path, (size_t)(name - path));
        name++;
    }
    memcpy(h->name, name, strlen(name));
    return true;
}

bool targz_add(struct targz *t, const char *path, unsigned mode, const char *data, size_t len,
               struct err *err) {
    struct header h = {0};
    if (len > INT32_MAX) {
        return err_set(err, ERR_INVALID, "%s is too long for an archive", path);
    }
    if (!good_path(path) || !set_name(&h, path)) {
        return err_set(err, ERR_INVALID, "'%s' cannot be a path in an archive", path);
    }
    snprintf(h.mode, sizeof h.mode, "%07o", mode & 07777);
    snprintf(h.uid, sizeof h.uid, "%07o", 0u);
    snprintf(h.gid, sizeof h.gid, "%07o", 0u);
    snprintf(h.size, sizeof h.size, "%011zo", len);
    snprintf(h.mtime, sizeof h.mtime, "%011o", 0u);
    h.type = '0';
    memcpy(h.magic, "ustar", 6);
    memcpy(h.version, "00", 2);
    memset(h.checksum, ' ', sizeof h.checksum);
    unsigned sum = 0;
    const unsigned char *bytes = (const unsigned char *)&h;
    for (size_t i = 0; i < BLOCK; i++) {
        sum += bytes[i];
    }
    snprintf(h.checksum, sizeof h.checksum, "%06o", sum);
    static const char zeros[BLOCK];
    size_t rest = (BLOCK - len % BLOCK) % BLOCK;
    return (put(t, &h, BLOCK, Z_NO_FLUSH) && put(t, data, len, Z_NO_FLUSH) &&
            put(t, zeros, rest, Z_NO_FLUSH)) ||
           err_set(err, ERR_INTERNAL, "the archive could not be compressed");
}

bool targz_end(struct targz *t, struct err *err) {
    static const char zeros[2 * BLOCK];
    bool ok = put(t, zeros, sizeof zeros, Z_NO_FLUSH) && put(t, zeros, 0, Z_FINISH);
    targz_free(t);
    return ok || err_set(err, ERR_INTERNAL, "the archive could not be compressed");
}

void targz_free(struct targz *t) {
    if (t != NULL) {
        deflateEnd(&t->z);
        free(t);
    }
}
