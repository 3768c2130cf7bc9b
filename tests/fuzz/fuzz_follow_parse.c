/* fuzz_follow_parse.c - streams of an upstream: the first byte chooses the format, the second where
 * the rest is cut into pieces.  Every item is JSON, and pieces change nothing.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "fuzz.h"

#include <stdlib.h>

#include "follow_parse.h"
#include "json.h"

struct sum {
    size_t items;
};

static void take(void *ctx, const struct follow_item *item) {
    struct sum *sum = ctx;
    struct buf copy = BUF_INIT;
    if (!json_line(item->json, item->len, &copy)) {
        abort();
    }
    buf_clear(&copy);
    sum->items++;
}

static size_t feed(enum follow_format format, const char *data, size_t size, size_t piece) {
    struct sum sum = {0};
    struct follow_parse *p = follow_parse_new(format, NULL, true, take, &sum, NULL);
    bool ok = true;
    for (size_t at = 0; ok && at < size; at += piece) {
        ok = follow_parse_feed(p, data + at, size - at < piece ? size - at : piece, NULL);
    }
    if (ok) {
        follow_parse_flush(p, false);
    }
    struct buf cursor = BUF_INIT;
    follow_parse_cursor(p, &cursor);
    follow_parse_free(p);
    if (cursor.len > 0) { /* what it gave it takes back */
        p = follow_parse_new(format, cursor.data, true, take, &sum, NULL);
        if (p == NULL) {
            abort();
        }
        follow_parse_free(p);
    }
    buf_clear(&cursor);
    return sum.items;
}

int FUZZ_TARGET(follow_parse)(const uint8_t *data, size_t size) {
    if (size < 2) {
        return 0;
    }
    enum follow_format format = data[0] % 5;
    size_t piece = (size_t)data[1] % 16 + 1;
    const char *text = (const char *)data + 2;
    if (feed(format, text, size - 2, size) != feed(format, text, size - 2, piece)) {
        abort();
    }
    return 0;
}
