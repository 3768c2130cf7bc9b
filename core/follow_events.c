/* follow_events.c - what is made of a whole line: of sse, ndjson, chunks.  See follow_parse.h.
 *
 * Event streams: https://html.spec.whatwg.org/multipage/server-sent-events.html (9.2.6).
 * SPDX-License-Identifier: Apache-2.0
 */
#include "follow_parse_inner.h"

#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "log.h"

/* Text as JSON: itself if it is, else as a string. */
static void put_json(struct buf *out, const char *text, size_t len) {
    if (!json_line(text, len, out)) {
        value_string(out, text, len);
    }
}

/* The id as a number for the bus; 0 when it is none. */
static int64_t number_of(const struct buf *id) {
    if (id->len == 0 || id->len > 18 || strspn(id->data, "0123456789") != id->len) {
        return 0;
    }
    return strtoll(id->data, NULL, 10);
}

/* The blank line: what was read is an event, if it has data. */
static void end_event(struct follow_parse *p) {
    if (p->has_id) { /* only now: an event that was cut off is asked for again */
        buf_reset(&p->last_id);
        buf_add(&p->last_id, p->event_id.data, p->event_id.len);
        p->last_is_text = true;
    }
    if (p->has_data) {
        const char *name = p->event.len > 0 ? p->event.data : "message";
        buf_reset(&p->data);
        buf_reset(&p->item);
        put_json(&p->data, p->event_data.data, p->event_data.len);
        buf_adds(&p->item, "{\"event\":");
        value_string(&p->item, name, strlen(name));
        if (p->last_id.len > 0) {
            buf_adds(&p->item, ",\"id\":");
            value_string(&p->item, p->last_id.data, p->last_id.len);
        }
        buf_adds(&p->item, ",\"data\":");
        buf_add(&p->item, p->data.data, p->data.len);
        buf_addc(&p->item, '}');
        struct follow_item item = {p->item.data, p->item.len, name,
                                   p->data.data, p->data.len, number_of(&p->last_id)};
        p->emit(p->ctx, &item);
    }
    buf_reset(&p->event);
    buf_reset(&p->event_data);
    p->has_data = p->has_id = false;
}

static void sse_line(struct follow_parse *p, const char *line, size_t len) {
    if (len == 0) {
        end_event(p);
        return;
    }
    const char *colon = memchr(line, ':', len);
    size_t name_len = colon == NULL ? len : (size_t)(colon - line);
    const char *value = colon == NULL ? "" : colon + 1;
    size_t value_len = colon == NULL ? 0 : len - name_len - 1;
    if (value_len > 0 && *value == ' ') {
        value++;
        value_len--;
    }
    if (name_len == 4 && memcmp(line, "data", 4) == 0) {
        if (p->event_data.len + value_len > FOLLOW_EVENT_MAX) {
            log_line(LOG_WARN, "follow: an event of over %zu bytes was cut", FOLLOW_EVENT_MAX);
            return;
        }
        buf_adds(&p->event_data, p->has_data ? "\n" : "");
        buf_add(&p->event_data, value, value_len);
        p->has_data = true;
    } else if (name_len == 5 && memcmp(line, "event", 5) == 0) {
        buf_reset(&p->event);
        buf_add(&p->event, value, value_len);
    } else if (name_len == 2 && memcmp(line, "id", 2) == 0 && value_len <= 256 &&
               memchr(value, '\0', value_len) == NULL) {
        buf_reset(&p->event_id);
        buf_add(&p->event_id, value, value_len);
        p->has_id = true;
    } /* comments, `retry` and what is not known mean nothing here */
}

/* Members of an object that the engine looks at. */
struct seen {
    struct buf id, stream, data;
    int id_rank; /* offset before seq before id */
    bool id_is_text, has_data;
};

static void see_id(struct seen *seen, const struct value_scan *s, enum value_token token,
                   int rank) {
    if (rank > seen->id_rank && (token == VALUE_INTEGER || token == VALUE_STRING)) {
        seen->id_rank = rank;
        seen->id_is_text = token == VALUE_STRING;
        buf_reset(&seen->id);
        if (seen->id_is_text) {
            buf_add(&seen->id, s->text.data, s->text.len < 256 ? s->text.len : 256);
        } else {
            value_integer(&seen->id, s->integer);
        }
    }
}

static bool look(const char *text, size_t len, struct seen *seen) {
    static const char *const ids[] = {"id", "seq", "offset"};
    struct value_scan s;
    value_scan_init(&s, text, len, VALUE_DEPTH, NULL);
    enum value_token token = value_next(&s);
    bool good = token == VALUE_OBJECT;
    while (good && value_next(&s) == VALUE_KEY) {
        int rank = 0;
        for (int i = 0; i < 3; i++) {
            rank = strcmp(s.text.data, ids[i]) == 0 ? i + 1 : rank;
        }
        bool is_stream = strcmp(s.text.data, "stream") == 0;
        bool is_data = strcmp(s.text.data, "data") == 0;
        token = value_next(&s);
        see_id(seen, &s, token, rank);
        if (is_stream && token == VALUE_STRING) {
            buf_reset(&seen->stream);
            buf_add(&seen->stream, s.text.data, s.text.len);
        } else if (is_data && token == VALUE_STRING) {
            buf_reset(&seen->data);
            buf_add(&seen->data, s.text.data, s.text.len);
            seen->has_data = true;
        }
        good = json_skip(&s, token);
    }
    value_scan_clear(&s);
    return good;
}

/* Any line of JSON as an item: the value itself, or {"text"} for what is no JSON. */
static void emit_value(struct follow_parse *p, const char *line, size_t len) {
    buf_reset(&p->item);
    if (!json_line(line, len, &p->item)) {
        buf_adds(&p->item, "{\"text\":");
        value_string(&p->item, line, len);
        buf_addc(&p->item, '}');
    }
    struct follow_item item = {p->item.data, p->item.len, "line", p->item.data, p->item.len, 0};
    p->emit(p->ctx, &item);
}

static void json_line_of(struct follow_parse *p, const char *line, size_t len, int64_t bytes) {
    struct seen seen = {0};
    bool object = look(line, len, &seen);
    bool is_err = seen.stream.len == 6 && strcmp(seen.stream.data, "stderr") == 0;
    bool is_out = seen.stream.len == 6 && strcmp(seen.stream.data, "stdout") == 0;
    if (p->format == FOLLOW_CHUNKS && object && seen.has_data && (is_err || is_out)) {
        parse_text(p, &p->text[is_err], is_err ? "stderr" : "stdout", seen.data.data,
                   seen.data.len);
    } else {
        if (p->format == FOLLOW_NDJSON) {
            p->text[0].taken += bytes;
            buf_reset(&p->last_id);
            buf_add(&p->last_id, seen.id.data, seen.id.len);
            p->last_is_text = seen.id_is_text;
        }
        emit_value(p, line, len);
    }
    buf_clear(&seen.id);
    buf_clear(&seen.stream);
    buf_clear(&seen.data);
}

void parse_line(struct follow_parse *p, const char *line, size_t len, int64_t bytes) {
    if (p->format == FOLLOW_SSE) {
        sse_line(p, line, len);
    } else if (strspn(line, " \t\r") == len) {
        p->text[0].taken += p->format == FOLLOW_NDJSON ? bytes : 0; /* a blank line */
    } else {
        json_line_of(p, line, len, bytes);
    }
}
