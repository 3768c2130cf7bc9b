/* value.h - the text form of the one value model.
 *
 * Values are null, boolean, 64-bit integer, double, string (UTF-8), array, object, and date
 * (milliseconds since 1970, UTC).  Between rooms and threads a value travels as JSON text; a date
 * is an RFC 3339 string outwards (api.md) and {"$date": ms} where it must come back as a date
 * (VALUE_TYPED).  This file writes the parts and scans the text; bind/json.c maps both to Lua.
 * It knows no Lua.  No locks: it owns nothing.
 *
 * Sources: RFC 8259 (JSON), RFC 3339 (dates).  Numbers: integers are written with all digits,
 * doubles with the fewest of 15, 16 or 17 digits that read back the same.
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef GANDER_VALUE_H
#define GANDER_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "err.h"

enum { VALUE_TYPED = 1, VALUE_PRETTY = 2 };
#define VALUE_DEPTH 64

/* Length of the valid UTF-8 sequence at s, 0 when there is none (RFC 3629: no surrogates, no
 * overlong forms, nothing above U+10FFFF); `left` bytes are there. */
size_t value_utf8_length(const unsigned char *s, size_t left);

/* Writing. */
bool value_utf8(const char *s, size_t len); /* is it valid UTF-8? */
void value_string(struct buf *out, const char *s,
                  size_t len); /* quoted; bad UTF-8 becomes U+FFFD */
void value_integer(struct buf *out, int64_t n);
bool value_double(struct buf *out, double n);                  /* false for NaN and infinities */
void value_date_text(struct buf *out, int64_t ms);             /* 2026-11-24T08:15:30.125Z */
bool value_date_parse(const char *s, size_t len, int64_t *ms); /* RFC 3339, any offset */

/* Scanning: value_next() gives one token after the other, checked against the grammar. */
enum value_token {
    VALUE_END, /* the whole text was one value */
    VALUE_ERROR,
    VALUE_NULL,
    VALUE_TRUE,
    VALUE_FALSE,
    VALUE_INTEGER, /* .integer */
    VALUE_DOUBLE,  /* .number */
    VALUE_STRING,  /* .text, unescaped */
    VALUE_KEY,     /* .text: the name of the member whose value follows */
    VALUE_ARRAY,
    VALUE_ARRAY_END,
    VALUE_OBJECT,
    VALUE_OBJECT_END,
};

struct value_scan {
    const char *start, *at, *end;
    int depth, max_depth;
    uint8_t stack[256]; /* for each open level: array or object, and what may follow */
    int64_t integer;
    double number;
    struct buf text; /* of the last string or key; freed by value_scan_clear */
    struct err *err; /* filled on VALUE_ERROR, with the byte offset */
};

void value_scan_init(struct value_scan *s, const char *text, size_t len, int max_depth,
                     struct err *err); /* max_depth at most 255 */
enum value_token value_next(struct value_scan *s);
void value_scan_clear(struct value_scan *s);

#endif
