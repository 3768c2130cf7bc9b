/* value.c - see value.h.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "value.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

size_t value_utf8_length(const unsigned char *s, size_t left) {
    if (s[0] < 0x80) {
        return 1;
    }
    size_t n = s[0] >= 0xc2 && s[0] <= 0xdf   ? 2
               : (s[0] & 0xf0) == 0xe0        ? 3
               : s[0] >= 0xf0 && s[0] <= 0xf4 ? 4
                                              : 0;
    if (n == 0 || n > left) {
        return 0;
    }
    for (size_t i = 1; i < n; i++) {
        if ((s[i] & 0xc0) != 0x80) {
            return 0;
        }
    }
    bool bad = (s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) ||
               (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f);
    return bad ? 0 : n;
}

bool value_utf8(const char *s, size_t len) {
    for (size_t i = 0; i < len;) {
        size_t n = value_utf8_length((const unsigned char *)s + i, len - i);
        if (n == 0) {
            return false;
        }
        i += n;
    }
    return true;
}

static void escape(struct buf *out, unsigned char c) {
    switch (c) {
    case '"':
        buf_add(out, "\\\"", 2);
        break;
    case '\\':
        buf_add(out, "\\\\", 2);
        break;
    case '\n':
        buf_add(out, "\\n", 2);
        break;
    case '\r':
        buf_add(out, "\\r", 2);
        break;
    case '\t':
        buf_add(out, "\\t", 2);
        break;
    default:
        buf_addf(out, "\\u%04x", c);
    }
}

void value_string(struct buf *out, const char *s, size_t len) {
    buf_addc(out, '"');
    size_t plain = 0; /* start of the run that needs no change */
    for (size_t i = 0; i < len;) {
        unsigned char c = (unsigned char)s[i];
        size_t n = value_utf8_length((const unsigned char *)s + i, len - i);
        if (n > 0 && c >= 0x20 && c != '"' && c != '\\' && c != 0x7f) {
            i += n;
            continue;
        }
        buf_add(out, s + plain, i - plain);
        if (n == 0) {
            buf_adds(out, "\xef\xbf\xbd");
        } else {
            escape(out, c);
        }
        i += 1;
        plain = i;
    }
    buf_add(out, s + plain, len - plain);
    buf_addc(out, '"');
}

void value_integer(struct buf *out, int64_t n) {
    char text[24];
    int len = snprintf(text, sizeof text, "%" PRId64, n);
    buf_add(out, text, (size_t)len);
}

bool value_double(struct buf *out, double n) {
    if (!isfinite(n)) {
        return false;
    }
    char text[40];
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, n);
        if (strtod(text, NULL) == n) {
            break;
        }
    }
    if (strpbrk(text, ".eE") == NULL) {
        strcat(text, ".0"); /* stays a double when read back */
    }
    buf_adds(out, text);
    return true;
}

void value_date_text(struct buf *out, int64_t ms) {
    int64_t seconds = ms / 1000;
    int64_t rest = ms % 1000;
    if (rest < 0) {
        rest += 1000;
        seconds -= 1;
    }
    time_t t = (time_t)seconds;
    struct tm tm;
    gmtime_r(&t, &tm);
    buf_addf(out, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", tm.tm_year + 1900, tm.tm_mon + 1,
             tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, (int)rest);
}

static bool digits(const char **at, const char *end, int count, int *out) {
    *out = 0;
    for (int i = 0; i < count; i++, (*at)++) {
        if (*at >= end || **at < '0' || **at > '9') {
            return false;
        }
        *out = *out * 10 + (**at - '0');
    }
    return true;
}

static bool expect(const char **at, const char *end, const char *set) {
    if (*at >= end || **at == '\0' || strchr(set, **at) == NULL) {
        return false;
    }
    (*at)++;
    return true;
}

static int days_in(int year, int month) {
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return month == 2 && leap ? 29 : days[month - 1];
}

/* "Z" or "+hh:mm": minutes east of UTC. */
static bool offset_minutes(const char **at, const char *end, int *minutes) {
    *minutes = 0;
    if (*at < end && (**at == 'Z' || **at == 'z')) {
        (*at)++;
        return true;
    }
    if (*at >= end || (**at != '+' && **at != '-')) {
        return false;
    }
    int sign = *(*at)++ == '-' ? -1 : 1;
    int h, m;
    if (!digits(at, end, 2, &h) || !expect(at, end, ":") || !digits(at, end, 2, &m) || h > 23 ||
        m > 59) {
        return false;
    }
    *minutes = sign * (h * 60 + m);
    return true;
}

bool value_date_parse(const char *s, size_t len, int64_t *ms) {
    const char *at = s, *end = s + len;
    int year, month, day, hour, minute, second, offset;
    if (!digits(&at, end, 4, &year) || !expect(&at, end, "-") || !digits(&at, end, 2, &month) ||
        !expect(&at, end, "-") || !digits(&at, end, 2, &day) || !expect(&at, end, "Tt ") ||
        !digits(&at, end, 2, &hour) || !expect(&at, end, ":") || !digits(&at, end, 2, &minute) ||
        !expect(&at, end, ":") || !digits(&at, end, 2, &second)) {
        return false;
    }
    int fraction = 0;
    if (at < end && *at == '.') {
        at++;
        int scale = 100;
        const char *first = at;
        for (; at < end && *at >= '0' && *at <= '9'; at++, scale /= 10) {
            fraction += (*at - '0') * scale;
        }
        if (at == first) {
            return false;
        }
    }
    if (!offset_minutes(&at, end, &offset) || at != end || month < 1 || month > 12 || day < 1 ||
        day > days_in(year, month) || hour > 23 || minute > 59 || second > 60) {
        return false;
    }
    struct tm tm = {.tm_year = year - 1900,
                    .tm_mon = month - 1,
                    .tm_mday = day,
                    .tm_hour = hour,
                    .tm_min = minute - offset,
                    .tm_sec = second};
    *ms = (int64_t)timegm(&tm) * 1000 + fraction;
    return true;
}
