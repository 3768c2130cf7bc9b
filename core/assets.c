/* assets.c - see assets.h.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "assets.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#define FILE_MAX  (16 * 1024 * 1024)
#define FILES_MAX 2000

struct assets {
    struct asset *list;
    size_t count;
};

static const struct {
    const char *suffix, *type;
    bool text;
} types[] = {
    {".html", "text/html; charset=utf-8", true},
    {".js", "text/javascript; charset=utf-8", true},
    {".css", "text/css; charset=utf-8", true},
    {".svg", "image/svg+xml", true},
    {".json", "application/json", true},
    {".webmanifest", "application/manifest+json", true},
    {".map", "application/json", true},
    {".txt", "text/plain; charset=utf-8", true},
    {".png", "image/png", false},
    {".ico", "image/x-icon", false},
    {".woff2", "font/woff2", false},
};

static void compress_asset(struct asset *asset) {
    z_stream z = {0};
    if (deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 9, Z_DEFAULT_STRATEGY) != Z_OK) {
        return;
    }
    uLong bound = deflateBound(&z, asset->data.len);
    z.next_in = (Bytef *)asset->data.data;
    z.avail_in = (uInt)asset->data.len;
    z.next_out = (Bytef *)buf_room(&asset->gzip, bound);
    z.avail_out = (uInt)bound;
    if (deflate(&z, Z_FINISH) == Z_STREAM_END && z.total_out < asset->data.len) {
        asset->gzip.len = z.total_out;
    }
    deflateEnd(&z);
}

static void finish_asset(struct asset *asset) {
    asset->type = "application/octet-stream";
    size_t len = strlen(asset->path);
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        size_t n = strlen(types[i].suffix);
        if (len > n && strcmp(asset->path + len - n, types[i].suffix) == 0) {
            asset->type = types[i].type;
            if (types[i].text && asset->data.len > 512) {
                compress_asset(asset);
            }
        }
    }
    uLong sum = crc32(0, (const Bytef *)asset->data.data, (uInt)asset->data.len);
    snprintf(asset->etag, sizeof asset->etag, "\"%08lx\"", sum);
    asset->immutable = strncmp(asset->path, "/assets/", 8) == 0;
}

static bool read_asset(const char *file, struct buf *data) {
    FILE *f = fopen(file, "re");
    if (f == NULL) {
        return false;
    }
    size_t n;
    while (data->len <= FILE_MAX && (n = fread(buf_room(data, 65536), 1, 65536, f)) > 0) {
        data->len += n;
    }
    fclose(f);
    return data->len <= FILE_MAX;
}

/* nftw has no context: the set being read, during assets_open alone. */
static _Thread_local struct assets *reading;
static _Thread_local size_t prefix;

static int visit(const char *file, const struct stat *st, int type, struct FTW *ftw) {
    (void)st;
    (void)ftw;
    struct asset asset = {0};
    if (type == FTW_F && reading->count < FILES_MAX && read_asset(file, &asset.data)) {
        buf_add(&asset.data, "", 0);
        asset.path = mem_dup(file + prefix);
        finish_asset(&asset);
        reading->list = mem_grow(reading->list, (reading->count + 1) * sizeof asset);
        reading->list[reading->count++] = asset;
    } else {
        buf_clear(&asset.data);
    }
    return 0;
}

struct assets *assets_open(const char *dir) {
    struct assets *a = mem_alloc(sizeof *a);
    char *real = realpath(dir, NULL); /* nftw would not walk through a link */
    if (real != NULL) {
        reading = a;
        prefix = strlen(real);
        nftw(real, visit, 16, FTW_PHYS);
        reading = NULL;
        free(real);
    }
    return a;
}

void assets_free(struct assets *a) {
    if (a == NULL) {
        return;
    }
    for (size_t i = 0; i < a->count; i++) {
        free(a->list[i].path);
        buf_clear(&a->list[i].data);
        buf_clear(&a->list[i].gzip);
    }
    free(a->list);
    free(a);
}

bool assets_empty(const struct assets *a) {
    return a->count == 0;
}

static const struct asset *find_exact(const struct assets *a, const char *path) {
    for (size_t i = 0; i < a->count; i++) {
        if (strcmp(a->list[i].path, path) == 0) {
            return &a->list[i];
        }
    }
    return NULL;
}

/* "..", an encoded slash or NUL never reach the page's own addresses. */
static bool odd(const char *path) {
    return strstr(path, "..") != NULL || strcasestr(path, "%2f") != NULL ||
           strcasestr(path, "%5c") != NULL || strstr(path, "%00") != NULL ||
           strcasestr(path, "%2e") != NULL;
}

const struct asset *assets_find(const struct assets *a, const char *path) {
    if (odd(path)) {
        return NULL;
    }
    const struct asset *asset = find_exact(a, path);
    if (asset == NULL && strncmp(path, "/assets/", 8) != 0) {
        asset = find_exact(a, "/index.html");
    }
    return asset;
}
