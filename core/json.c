/* json.c - see json.h.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "json.h"

#include <string.h>

static bool is_scalar(enum value_token token) {
    return token == VALUE_NULL || token == VALUE_TRUE || token == VALUE_FALSE ||
           token == VALUE_INTEGER || token == VALUE_DOUBLE || token == VALUE_STRING;
}

static void put_scalar(const struct value_scan *s, enum value_token token, struct buf *out) {
    switch (token) {
    case VALUE_INTEGER:
        value_integer(out, s->integer);
        break;
    case VALUE_DOUBLE:
        value_double(out, s->number);
        break;
    case VALUE_STRING:
        value_string(out, s->text.data, s->text.len);
        break;
    default:
        buf_adds(out, token == VALUE_NULL ? "null" : token == VALUE_TRUE ? "true" : "false");
    }
}

static void cut(struct buf *out, size_t at) {
    buf_room(out, 0);
    out->len = at;
    out->data[at] = '\0';
}

/* What of `out` from `at` on is {"$date":ms} is written anew as text. */
static void turn_date(struct buf *out, size_t at, int64_t ms) {
    cut(out, at);
    buf_addc(out, '"');
    value_date_text(out, ms);
    buf_addc(out, '"');
}

bool json_copy(struct value_scan *s, enum value_token token, struct buf *out) {
    if (is_scalar(token)) {
        put_scalar(s, token, out);
        return true;
    }
    if (token != VALUE_ARRAY && token != VALUE_OBJECT) {
        return false;
    }
    size_t at = out->len;
    int members = 0;
    bool date = false;
    int64_t ms = 0;
    enum value_token end = token == VALUE_ARRAY ? VALUE_ARRAY_END : VALUE_OBJECT_END, next;
    buf_addc(out, token == VALUE_ARRAY ? '[' : '{');
    while ((next = value_next(s)) != end) {
        buf_adds(out, members++ > 0 ? "," : "");
        if (next == VALUE_KEY) {
            date = members == 1 && s->text.len == 5 && memcmp(s->text.data, "$date", 5) == 0;
            value_string(out, s->text.data, s->text.len);
            buf_addc(out, ':');
            next = value_next(s);
            date = date && next == VALUE_INTEGER;
            ms = s->integer;
        }
        if (!json_copy(s, next, out)) {
            return false;
        }
    }
    buf_addc(out, token == VALUE_ARRAY ? ']' : '}');
    if (date && members == 1) {
        turn_date(out, at, ms);
    }
    return true;
}

bool json_skip(struct value_scan *s, enum value_token token) {
    int depth = 0;
    for (;; token = value_next(s)) {
        if (token == VALUE_ARRAY || token == VALUE_OBJECT) {
            depth++;
        } else if (token == VALUE_ARRAY_END || token == VALUE_OBJECT_END) {
            depth--;
        } else if (token == VALUE_ERROR || token == VALUE_END) {
            return false;
        }
        if (depth == 0) {
            return true;
        }
    }
}

bool json_line(const char *text, size_t len, struct buf *out) {
    struct value_scan s;
    size_t at = out->len;
    value_scan_init(&s, text, len, VALUE_DEPTH, NULL);
    bool good = json_copy(&s, value_next(&s), out) && value_next(&s) == VALUE_END;
    value_scan_clear(&s);
    if (!good) {
        cut(out, at);
    }
    return good;
}
