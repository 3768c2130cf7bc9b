/* follow_parse.h - from the bytes of an upstream to items, in any of five formats.
 *
 * Bytes may come in any pieces.  Each item is JSON text for the batch; `cursor` is where to go on
 * after it, as a JSON value that is handed back at the next start:
 *   lines    {"at", "text", "cut"?}                     bytes taken (a file: the offset)
 *   ndjson   each line's value (or {"text"})            its "offset", "seq" or "id", else bytes
 *   sse      {"event", "id"?, "data"}                   the last id, a string
 *   frames   {"at", "stream", "text", "cut"?}           {"stdout": bytes, "stderr": bytes}
 *   chunks   the same, from {"stream", "data"} lines    {"stdout": bytes, "stderr": bytes}
 * A line longer than 16 KiB is cut into items; all but the last have cut = true.  Bytes that are
 * not UTF-8 become U+FFFD.  Bounded: a line or an event of over 1 MiB is dropped, and logged.
 *
 * No threads, no I/O: the caller owns it.
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef GANDER_FOLLOW_PARSE_H
#define GANDER_FOLLOW_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "err.h"

#define FOLLOW_LINE_MAX  ((size_t)16 << 10)
#define FOLLOW_EVENT_MAX ((size_t)1 << 20)

enum follow_format {
    FOLLOW_LINES,
    FOLLOW_NDJSON,
    FOLLOW_SSE,
    FOLLOW_FRAMES,
    FOLLOW_CHUNKS,
};
bool follow_format_of(const char *name, enum follow_format *format);
const char *follow_format_name(enum follow_format format);

struct follow_item {
    const char *json; /* for the batch */
    size_t len;
    const char *event; /* for a topic: name, value, and id (0 = none) */
    const char *data;
    size_t data_len;
    int64_t id;
};
typedef void follow_emit(void *ctx, const struct follow_item *item);

struct follow_parse;

/* `cursor` is one that follow_parse_cursor gave, or NULL; `bytes`: cursors of ndjson count bytes,
 * as an upstream needs that replays.  NULL: it is no cursor of this format. */
struct follow_parse *follow_parse_new(enum follow_format format, const char *cursor, bool bytes,
                                      follow_emit *emit, void *ctx, struct err *err);
void follow_parse_free(struct follow_parse *p);

/* false: the bytes are not of this format; start again at the cursor. */
bool follow_parse_feed(struct follow_parse *p, const char *data, size_t len, struct err *err);
/* Emit what waits for its line's end: as cut (more may come) or as the last line. */
void follow_parse_flush(struct follow_parse *p, bool cut);
/* The upstream begins anew: at the cursor, or (replayed) from its first byte: what was taken is
 * passed over. */
void follow_parse_restart(struct follow_parse *p, bool replayed);
void follow_parse_pass(struct follow_parse *p,
                       int64_t n);                /* n bytes of lines are not there: a hole */
void follow_parse_rewind(struct follow_parse *p); /* lines go on in another file, at its start */
bool follow_parse_waits(const struct follow_parse *p); /* for a line's end */
/* After the last item emitted; inside `emit`, after that item.  Writes nothing when there is none.
 */
void follow_parse_cursor(const struct follow_parse *p, struct buf *out);

#endif
