/* follow_parse_inner.h - what follow_parse.c and follow_events.c share.
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef GANDER_FOLLOW_PARSE_INNER_H
#define GANDER_FOLLOW_PARSE_INNER_H

#include "follow_parse.h"

struct line {
    struct buf part; /* of a line whose end has not come */
    int64_t taken;   /* bytes of all items so far, line ends included */
    int64_t skip;    /* bytes of a replayed upstream to pass over */
};

struct follow_parse {
    enum follow_format format;
    bool bytes; /* cursors of ndjson count bytes */
    follow_emit *emit;
    void *ctx;
    struct line text[2]; /* stdout (or the only stream), stderr */
    struct line json;    /* lines of sse, ndjson and chunks */
    bool too_long;       /* the line in `json` is dropped */
    bool after_cr;       /* a LF that comes next belongs to the CR before */
    struct buf last_id;  /* of sse and ndjson; a JSON integer when not last_is_text */
    bool last_is_text;
    struct buf event, event_data, event_id; /* of the sse event that is being read */
    bool has_data, has_id;
    unsigned char head[8]; /* of a frame */
    int head_len;
    uint32_t frame_left;
    struct buf item, data; /* of the item that is being emitted */
};

void parse_text(struct follow_parse *p, struct line *line, const char *name, const char *data,
                size_t len);
/* A line of sse, ndjson or chunks, without its end; `bytes` counts that too. */
void parse_line(struct follow_parse *p, const char *line, size_t len, int64_t bytes);

#endif
