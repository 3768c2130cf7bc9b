/* value_scan.c - the scanner of value.h: one token of JSON text after the other.
 * SPDX-License-Identifier: Apache-2.0
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "value.h"

/* The scanner.  For each open level `stack` holds what may come next. */
enum {
    IN_ARRAY_FIRST, /* a value or ] */
    IN_ARRAY_NEXT,  /* , or ] */
    IN_OBJECT_FIRST,
    IN_OBJECT_NEXT,
    IN_OBJECT_VALUE, /* the value after a key */
    IN_TOP,          /* the one value */
    IN_DONE,
};

void value_scan_init(struct value_scan *s, const char *text, size_t len, int max_depth,
                     struct err *err) {
    memset(s, 0, sizeof *s);
    s->start = s->at = text;
    s->end = text + len;
    s->max_depth = max_depth < 1 ? 1 : max_depth > 255 ? 255 : max_depth;
    s->err = err;
    s->stack[0] = IN_TOP;
}

void value_scan_clear(struct value_scan *s) {
    buf_clear(&s->text);
}

static enum value_token scan_error(struct value_scan *s, const char *what) {
    err_set(s->err, ERR_INVALID, "JSON: %s at byte %zu", what, (size_t)(s->at - s->start));
    return VALUE_ERROR;
}

static void skip_space(struct value_scan *s) {
    while (s->at < s->end &&
           (*s->at == ' ' || *s->at == '\t' || *s->at == '\n' || *s->at == '\r')) {
        s->at++;
    }
}

static bool hex4(struct value_scan *s, unsigned *out) {
    *out = 0;
    for (int i = 0; i < 4; i++, s->at++) {
        char c = s->at < s->end ? *s->at : ' ';
        unsigned d;
        if (c >= '0' && c <= '9') {
            d = (unsigned)(c - '0');
        } else if (c >= 'a' && c <= 'f') {
            d = (unsigned)(c - 'a' + 10);
        } else if (c >= 'A' && c <= 'F') {
            d = (unsigned)(c - 'A' + 10);
        } else {
            return false;
        }
        *out = *out * 16 + d;
    }
    return true;
}

static void put_utf8(struct buf *out, unsigned c) {
    if (c < 0x80) {
        buf_addc(out, (char)c);
    } else if (c < 0x800) {
        buf_addc(out, (char)(0xc0 | (c >> 6)));
        buf_addc(out, (char)(0x80 | (c & 0x3f)));
    } else if (c < 0x10000) {
        buf_addc(out, (char)(0xe0 | (c >> 12)));
        buf_addc(out, (char)(0x80 | ((c >> 6) & 0x3f)));
        buf_addc(out, (char)(0x80 | (c & 0x3f)));
    } else {
        buf_addc(out, (char)(0xf0 | (c >> 18)));
        buf_addc(out, (char)(0x80 | ((c >> 12) & 0x3f)));
        buf_addc(out, (char)(0x80 | ((c >> 6) & 0x3f)));
        buf_addc(out, (char)(0x80 | (c & 0x3f)));
    }
}

/* After "\u": one code point, a surrogate pair counted as one. */
static bool scan_unicode(struct value_scan *s) {
    unsigned c, low;
    if (!hex4(s, &c) || (c >= 0xdc00 && c <= 0xdfff)) {
        return false;
    }
    if (c >= 0xd800 && c <= 0xdbff) {
        if (s->end - s->at < 6 || s->at[0] != '\\' || s->at[1] != 'u') {
            return false;
        }
        s->at += 2;
        if (!hex4(s, &low) || low < 0xdc00 || low > 0xdfff) {
            return false;
        }
        c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
    }
    put_utf8(&s->text, c);
    return true;
}

static bool scan_escape(struct value_scan *s) {
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    char c = s->at < s->end ? *s->at : '\0';
    if (c == 'u') {
        s->at++;
        return scan_unicode(s);
    }
    const char *found = c == '\0' ? NULL : strchr(from, c);
    if (found == NULL) {
        return false;
    }
    s->at++;
    buf_addc(&s->text, to[found - from]);
    return true;
}

static enum value_token scan_string(struct value_scan *s, enum value_token kind) {
    buf_reset(&s->text);
    s->at++; /* the opening quote */
    const char *plain = s->at;
    for (;;) {
        if (s->at >= s->end) {
            return scan_error(s, "a string is not closed");
        }
        unsigned char c = (unsigned char)*s->at;
        if (c == '"' || c == '\\') {
            buf_add(&s->text, plain, (size_t)(s->at - plain));
            s->at++;
            if (c == '"') {
                return kind;
            }
            if (!scan_escape(s)) {
                return scan_error(s, "bad escape in a string");
            }
            plain = s->at;
            continue;
        }
        size_t n = value_utf8_length((const unsigned char *)s->at, (size_t)(s->end - s->at));
        if (n == 0) {
            return scan_error(s, "bad UTF-8 in a string");
        }
        if (c < 0x20) {
            return scan_error(s, "a control character in a string");
        }
        s->at += n;
    }
}

static size_t run_of_digits(struct value_scan *s) {
    const char *first = s->at;
    while (s->at < s->end && *s->at >= '0' && *s->at <= '9') {
        s->at++;
    }
    return (size_t)(s->at - first);
}

static enum value_token scan_number(struct value_scan *s) {
    const char *first = s->at;
    bool integer = true;
    if (*s->at == '-') {
        s->at++;
    }
    const char *lead = s->at;
    size_t n = run_of_digits(s);
    if (n == 0 || (n > 1 && *lead == '0')) {
        return scan_error(s, "a bad number");
    }
    if (s->at < s->end && *s->at == '.') {
        integer = false;
        s->at++;
        if (run_of_digits(s) == 0) {
            return scan_error(s, "a bad number");
        }
    }
    if (s->at < s->end && (*s->at == 'e' || *s->at == 'E')) {
        integer = false;
        s->at++;
        if (s->at < s->end && (*s->at == '+' || *s->at == '-')) {
            s->at++;
        }
        if (run_of_digits(s) == 0) {
            return scan_error(s, "a bad number");
        }
    }
    size_t len = (size_t)(s->at - first);
    buf_reset(&s->text); /* the text may not end in a NUL */
    buf_add(&s->text, first, len);
    if (integer) {
        errno = 0;
        s->integer = strtoll(s->text.data, NULL, 10);
        if (errno == 0) {
            return VALUE_INTEGER;
        }
    }
    s->number = strtod(s->text.data, NULL);
    return isfinite(s->number) ? VALUE_DOUBLE : scan_error(s, "a number out of range");
}

static enum value_token scan_word(struct value_scan *s) {
    static const struct {
        const char *word;
        enum value_token token;
    } words[] = {{"null", VALUE_NULL}, {"true", VALUE_TRUE}, {"false", VALUE_FALSE}};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        size_t n = strlen(words[i].word);
        if ((size_t)(s->end - s->at) >= n && memcmp(s->at, words[i].word, n) == 0) {
            s->at += n;
            return words[i].token;
        }
    }
    return scan_error(s, "an unexpected character");
}

static enum value_token open_level(struct value_scan *s, enum value_token token, uint8_t state) {
    if (s->depth + 1 > s->max_depth) {
        return scan_error(s, "nested too deep");
    }
    s->at++;
    s->stack[++s->depth] = state;
    return token;
}

/* The value at s->at; the level that holds it has been moved on already. */
static enum value_token scan_value(struct value_scan *s) {
    if (s->at >= s->end) {
        return scan_error(s, "the text ends too early");
    }
    switch (*s->at) {
    case '{':
        return open_level(s, VALUE_OBJECT, IN_OBJECT_FIRST);
    case '[':
        return open_level(s, VALUE_ARRAY, IN_ARRAY_FIRST);
    case '"':
        return scan_string(s, VALUE_STRING);
    default:
        return *s->at == '-' || (*s->at >= '0' && *s->at <= '9') ? scan_number(s) : scan_word(s);
    }
}

static enum value_token scan_in_array(struct value_scan *s, bool first) {
    if (s->at < s->end && *s->at == ']') {
        s->at++;
        s->depth--;
        return VALUE_ARRAY_END;
    }
    if (!first) {
        if (s->at >= s->end || *s->at != ',') {
            return scan_error(s, "',' or ']' wanted");
        }
        s->at++;
        skip_space(s);
    }
    s->stack[s->depth] = IN_ARRAY_NEXT;
    return scan_value(s);
}

static enum value_token scan_in_object(struct value_scan *s, bool first) {
    if (s->at < s->end && *s->at == '}') {
        s->at++;
        s->depth--;
        return VALUE_OBJECT_END;
    }
    if (!first) {
        if (s->at >= s->end || *s->at != ',') {
            return scan_error(s, "',' or '}' wanted");
        }
        s->at++;
        skip_space(s);
    }
    if (s->at >= s->end || *s->at != '"') {
        return scan_error(s, "a member's name wanted");
    }
    s->stack[s->depth] = IN_OBJECT_VALUE;
    return scan_string(s, VALUE_KEY);
}

enum value_token value_next(struct value_scan *s) {
    skip_space(s);
    switch (s->stack[s->depth]) {
    case IN_TOP:
        s->stack[0] = IN_DONE;
        return scan_value(s);
    case IN_DONE:
        return s->at == s->end ? VALUE_END : scan_error(s, "text after the value");
    case IN_ARRAY_FIRST:
        return scan_in_array(s, true);
    case IN_ARRAY_NEXT:
        return scan_in_array(s, false);
    case IN_OBJECT_FIRST:
        return scan_in_object(s, true);
    case IN_OBJECT_NEXT:
        return scan_in_object(s, false);
    default: /* IN_OBJECT_VALUE */
        if (s->at >= s->end || *s->at != ':') {
            return scan_error(s, "':' wanted");
        }
        s->at++;
        skip_space(s);
        s->stack[s->depth] = IN_OBJECT_NEXT;
        return scan_value(s);
    }
}
