/* follow_parse.c - see follow_parse.h.  Lines are split here for all formats; follow_events.c has
 * what is made of a whole line of sse, ndjson and chunks.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "follow_parse_inner.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "value.h"
#include "wait.h"

static const char *const format_names[] = {"lines", "ndjson", "sse", "frames", "chunks"};

bool follow_format_of(const char *name, enum follow_format *format) {
    for (size_t i = 0; i < sizeof format_names / sizeof format_names[0]; i++) {
        if (strcmp(format_names[i], name) == 0) {
            *format = (enum follow_format)i;
            return true;
        }
    }
    return false;
}

const char *follow_format_name(enum follow_format format) {
    return format_names[format];
}

static bool by_stream(const struct follow_parse *p) {
    return p->format == FOLLOW_FRAMES || p->format == FOLLOW_CHUNKS;
}

/* The cursor: an integer, a string, or {"stdout": n, "stderr": n}. */
static bool read_cursor(struct follow_parse *p, const char *cursor) {
    struct value_scan s;
    bool good = true;
    value_scan_init(&s, cursor, strlen(cursor), 2, NULL);
    enum value_token token = value_next(&s);
    if (token == VALUE_INTEGER && !by_stream(p)) {
        p->text[0].taken = s.integer;
        buf_adds(&p->last_id, cursor);
        p->last_is_text = p->format == FOLLOW_SSE;
    } else if (token == VALUE_STRING && !by_stream(p) && p->format != FOLLOW_LINES) {
        buf_add(&p->last_id, s.text.data, s.text.len);
        p->last_is_text = true;
    } else if (token == VALUE_OBJECT && by_stream(p)) {
        while (good && (token = value_next(&s)) == VALUE_KEY) {
            struct line *line = &p->text[strcmp(s.text.data, "stderr") == 0];
            good = value_next(&s) == VALUE_INTEGER && s.integer >= 0;
            line->taken = s.integer;
        }
    } else {
        good = false;
    }
    good = good && p->text[0].taken >= 0 && value_next(&s) == VALUE_END;
    value_scan_clear(&s);
    return good;
}

struct follow_parse *follow_parse_new(enum follow_format format, const char *cursor, bool bytes,
                                      follow_emit *emit, void *ctx, struct err *err) {
    struct follow_parse *p = mem_alloc(sizeof *p);
    p->format = format;
    p->bytes = bytes;
    p->emit = emit;
    p->ctx = ctx;
    if (cursor != NULL && !read_cursor(p, cursor)) {
        err_set(err, ERR_INVALID, "%.80s is no cursor of the format '%s'", cursor,
                format_names[format]);
        follow_parse_free(p);
        return NULL;
    }
    return p;
}

void follow_parse_free(struct follow_parse *p) {
    if (p != NULL) {
        struct buf *bufs[] = {&p->text[0].part, &p->text[1].part, &p->json.part,
                              &p->last_id,      &p->item,         &p->data,
                              &p->event,        &p->event_data,   &p->event_id};
        for (size_t i = 0; i < sizeof bufs / sizeof bufs[0]; i++) {
            buf_clear(bufs[i]);
        }
        free(p);
    }
}

void follow_parse_cursor(const struct follow_parse *p, struct buf *out) {
    if (by_stream(p)) {
        buf_addf(out, "{\"stdout\":%" PRId64 ",\"stderr\":%" PRId64 "}", p->text[0].taken,
                 p->text[1].taken);
    } else if (p->last_id.len > 0 && p->format != FOLLOW_LINES && !p->bytes) {
        if (p->last_is_text) {
            value_string(out, p->last_id.data, p->last_id.len);
        } else {
            buf_add(out, p->last_id.data, p->last_id.len);
        }
    } else if (p->format != FOLLOW_SSE) {
        value_integer(out, p->text[0].taken);
    }
}

/* One piece of text as an item; `name` is its stream, NULL in the format lines. */
static void emit_text(struct follow_parse *p, const char *name, const char *text, size_t len,
                      bool cut) {
    buf_reset(&p->data);
    buf_reset(&p->item);
    buf_adds(&p->data, "{\"text\":");
    value_string(&p->data, text, len);
    if (name != NULL) {
        buf_addf(&p->data, ",\"stream\":\"%s\"", name);
    }
    buf_adds(&p->data, cut ? ",\"cut\":true}" : "}");
    buf_addf(&p->item, "{\"at\":{\"$date\":%" PRId64 "},", clock_now_ms());
    buf_add(&p->item, p->data.data + 1, p->data.len - 1);
    struct follow_item item = {p->item.data, p->item.len, "line", p->data.data, p->data.len, 0};
    p->emit(p->ctx, &item);
}

/* Length of a prefix of at most `max` bytes that ends between two characters. */
static size_t whole_characters(const char *text, size_t len, size_t max) {
    size_t n = len < max ? len : max;
    size_t back = n;
    while (back > 0 && n - back < 4 && ((unsigned char)text[back - 1] & 0xc0) == 0x80) {
        back--;
    }
    if (back == 0 || n - back >= 4) {
        return n; /* no UTF-8 anyway */
    }
    unsigned char lead = (unsigned char)text[back - 1];
    size_t wanted = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc0 ? 2 : 1;
    return n - (back - 1) >= wanted || back == 1 ? n : back - 1;
}

static void take_line(struct follow_parse *p, struct line *line, const char *name, size_t ending) {
    size_t len = line->part.len;
    line->taken += (int64_t)(len + ending);
    if (len > 0 && ending > 0 && line->part.data[len - 1] == '\r') {
        len--;
    }
    emit_text(p, name, len > 0 ? line->part.data : "", len, false);
    buf_reset(&line->part);
}

static void take_piece(struct follow_parse *p, struct line *line, const char *name) {
    size_t n = whole_characters(line->part.data, line->part.len, FOLLOW_LINE_MAX);
    line->taken += (int64_t)n;
    emit_text(p, name, line->part.data, n, true);
    buf_drop(&line->part, n);
}

/* Text of one stream, in any pieces. */
void parse_text(struct follow_parse *p, struct line *line, const char *name, const char *data,
                size_t len) {
    size_t skip = line->skip < (int64_t)len ? (size_t)line->skip : len;
    line->skip -= (int64_t)skip;
    data += skip;
    len -= skip;
    while (len > 0) {
        if (line->part.len == 0 && *data == '\0') { /* a hole that somebody punched */
            line->taken++;
            data++;
            len--;
            continue;
        }
        const char *newline = memchr(data, '\n', len);
        size_t n = newline == NULL ? len : (size_t)(newline - data), room;
        for (; (room = FOLLOW_LINE_MAX - line->part.len) < n;
             n -= room, data += room, len -= room) {
            buf_add(&line->part, data, room);
            take_piece(p, line, name);
        }
        buf_add(&line->part, data, n);
        data += n;
        len -= n;
        if (newline != NULL) {
            take_line(p, line, name, 1);
            data++;
            len--;
        }
    }
}

/* Docker's frames: stream (1 byte), three zeros, length (4 bytes, big-endian), then the text. */
static bool feed_frames(struct follow_parse *p, const char *data, size_t len, struct err *err) {
    while (len > 0) {
        if (p->head_len < 8) {
            p->head[p->head_len++] = (unsigned char)*data++;
            len--;
            const unsigned char *h = p->head;
            if (p->head_len == 8 && (h[0] > 2 || h[1] != 0 || h[2] != 0 || h[3] != 0)) {
                return err_set(err, ERR_INVALID, "not a frame: its first byte is %u", h[0]);
            }
            p->frame_left =
                (uint32_t)h[4] << 24 | (uint32_t)h[5] << 16 | (uint32_t)h[6] << 8 | h[7];
        } else {
            size_t n = p->frame_left < len ? p->frame_left : len;
            bool is_err = p->head[0] == 2;
            parse_text(p, &p->text[is_err], is_err ? "stderr" : "stdout", data, n);
            p->frame_left -= (uint32_t)n;
            data += n;
            len -= n;
        }
        if (p->head_len == 8 && p->frame_left == 0) {
            p->head_len = 0;
        }
    }
    return true;
}

static void whole_line(struct follow_parse *p, size_t ending) {
    struct line *line = &p->json;
    int64_t bytes = (int64_t)(line->part.len + ending);
    buf_adds(&line->part, "");
    if (!p->too_long) {
        parse_line(p, line->part.data, line->part.len, bytes);
    } else {
        log_line(LOG_WARN, "follow: a line of over %zu bytes was dropped", FOLLOW_EVENT_MAX);
    }
    p->too_long = false;
    buf_reset(&line->part);
}

/* sse, ndjson and chunks come in lines; sse lines may end in CR, LF or both. */
static void feed_lines(struct follow_parse *p, const char *data, size_t len) {
    const char *ends = p->format == FOLLOW_SSE ? "\r\n" : "\n";
    struct line *line = &p->json;
    size_t skip = line->skip < (int64_t)len ? (size_t)line->skip : len;
    line->skip -= (int64_t)skip;
    data += skip;
    len -= skip;
    while (len > 0) {
        if (p->after_cr && *data == '\n') {
            data++;
            len--;
        }
        p->after_cr = false;
        size_t n = 0;
        while (n < len && data[n] != ends[0] && data[n] != '\n') {
            n++;
        }
        p->too_long = p->too_long || line->part.len + n > FOLLOW_EVENT_MAX;
        if (!p->too_long) {
            buf_add(&line->part, data, n);
        }
        data += n;
        len -= n;
        if (len > 0) {
            p->after_cr = *data == '\r';
            whole_line(p, 1);
            data++;
            len--;
        }
    }
}

bool follow_parse_feed(struct follow_parse *p, const char *data, size_t len, struct err *err) {
    if (p->format == FOLLOW_LINES) {
        parse_text(p, &p->text[0], NULL, data, len);
    } else if (p->format == FOLLOW_FRAMES) {
        return feed_frames(p, data, len, err);
    } else {
        feed_lines(p, data, len);
    }
    return true;
}

void follow_parse_flush(struct follow_parse *p, bool cut) {
    static const char *const names[] = {"stdout", "stderr"};
    if (!cut && p->format != FOLLOW_SSE && p->json.part.len > 0) {
        whole_line(p, 0);
    }
    for (int i = 0; i < 2; i++) {
        struct line *line = &p->text[i];
        if (line->part.len > 0) {
            const char *name = p->format == FOLLOW_LINES ? NULL : names[i];
            if (cut) {
                take_piece(p, line, name);
            } else {
                take_line(p, line, name, 0);
            }
        }
    }
}

void follow_parse_restart(struct follow_parse *p, bool replayed) {
    for (int i = 0; i < 2; i++) {
        buf_reset(&p->text[i].part);
        p->text[i].skip =
            replayed && (by_stream(p) || p->format == FOLLOW_LINES) ? p->text[i].taken : 0;
    }
    buf_reset(&p->json.part);
    p->json.skip = replayed && p->format == FOLLOW_NDJSON ? p->text[0].taken : 0;
    buf_reset(&p->event);
    buf_reset(&p->event_data);
    p->has_data = p->has_id = p->after_cr = p->too_long = false;
    p->head_len = 0;
    p->frame_left = 0;
}

void follow_parse_pass(struct follow_parse *p, int64_t n) {
    p->text[0].taken += n;
}

void follow_parse_rewind(struct follow_parse *p) {
    follow_parse_flush(p, false);
    p->text[0].taken = 0;
}

bool follow_parse_waits(const struct follow_parse *p) {
    return p->text[0].part.len > 0 || p->text[1].part.len > 0;
}
