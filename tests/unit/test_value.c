/* test_value.c - the text form of values: writing, scanning, dates.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "check.h"

#include <math.h>
#include <string.h>

#include "value.h"

static bool writes(const char *s, size_t len, const char *wanted) {
    struct buf out = BUF_INIT;
    value_string(&out, s, len);
    bool same = strcmp(out.data, wanted) == 0;
    buf_clear(&out);
    return same;
}

static bool double_is(double n, const char *wanted) {
    struct buf out = BUF_INIT;
    bool same = value_double(&out, n) && strcmp(out.data, wanted) == 0;
    buf_clear(&out);
    return same;
}

static bool parses(const char *text, size_t len, int64_t wanted) {
    int64_t ms = 0;
    return value_date_parse(text, len, &ms) && ms == wanted;
}

static bool refuses(const char *text, size_t len) {
    int64_t ms;
    return !value_date_parse(text, len, &ms);
}

#define PARSES(text, ms) CHECK(parses(text, sizeof text - 1, ms))
#define REFUSES(text)    CHECK(refuses(text, sizeof text - 1))

/* Scan to the end; the last token is VALUE_END or VALUE_ERROR. */
static enum value_token scan_all(const char *text, size_t len, int depth, struct err *err) {
    struct value_scan s;
    enum value_token token;
    value_scan_init(&s, text, len, depth, err);
    do {
        token = value_next(&s);
    } while (token != VALUE_END && token != VALUE_ERROR);
    value_scan_clear(&s);
    return token;
}

static bool bad(const char *text, const char *reason) {
    struct err err = {0};
    return scan_all(text, strlen(text), 64, &err) == VALUE_ERROR && err.code == ERR_INVALID &&
           strstr(err.text, reason) != NULL;
}

void test_value_quotes_strings(void) {
    CHECK(writes("a\"\\\n\r\t\x01\x7f", 8, "\"a\\\"\\\\\\n\\r\\t\\u0001\\u007f\""));
    CHECK(
        writes("gr\xc3\xbc\xc3\x9f\xf0\x9f\xa6\x86", 10, "\"gr\xc3\xbc\xc3\x9f\xf0\x9f\xa6\x86\""));
    CHECK(writes("a\0b", 3, "\"a\\u0000b\""));
    CHECK(writes("", 0, "\"\""));
}

void test_value_replaces_bytes_that_are_no_utf8(void) {
    CHECK(writes("a\xff"
                 "b",
                 3,
                 "\"a\xef\xbf\xbd"
                 "b\""));
    CHECK(writes("\xc3", 1, "\"\xef\xbf\xbd\"")); /* cut off */
    CHECK(!value_utf8("\xc0\xaf", 2));            /* overlong */
    CHECK(!value_utf8("\xed\xa0\x80", 3));        /* a surrogate */
    CHECK(!value_utf8("\xf4\x90\x80\x80", 4));    /* above U+10FFFF */
    CHECK(value_utf8("\xf4\x8f\xbf\xbf", 4));
}

void test_value_writes_doubles_that_read_back(void) {
    CHECK(double_is(0.1, "0.1"));
    CHECK(double_is(1, "1.0"));
    CHECK(double_is(-0.0, "-0.0"));
    CHECK(double_is(1.0 / 3, "0.3333333333333333"));
    CHECK(double_is(1e300, "1e+300"));
    struct buf out = BUF_INIT;
    CHECK(!value_double(&out, NAN) && !value_double(&out, INFINITY) && out.len == 0);
}

void test_value_dates_go_both_ways(void) {
    struct buf out = BUF_INIT;
    value_date_text(&out, INT64_C(1732436130125));
    bool same = strcmp(out.data, "2024-11-24T08:15:30.125Z") == 0;
    buf_reset(&out);
    value_date_text(&out, -1);
    bool before = strcmp(out.data, "1969-12-31T23:59:59.999Z") == 0;
    buf_clear(&out);
    CHECK(same);
    CHECK(before);
    PARSES("2024-11-24T08:15:30.125Z", INT64_C(1732436130125));
    PARSES("2024-11-24t09:15:30.1259+01:00", INT64_C(1732436130125));
    PARSES("2024-02-29T00:00:00Z", INT64_C(1709164800000));
    PARSES("1969-12-31T23:59:59.999Z", -1);
}

void test_value_refuses_dates_that_are_none(void) {
    REFUSES("");
    REFUSES("2024-11-24");
    REFUSES("2023-02-29T00:00:00Z");
    REFUSES("2024-13-01T00:00:00Z");
    REFUSES("2024-11-24T24:00:00Z");
    REFUSES("2024-11-24T08:15:30.Z");
    REFUSES("2024-11-24T08:15:30");
    REFUSES("2024-11-24T08:15:30+1:00");
    REFUSES("2024-11-24T08:15:30Zx");
    REFUSES("2024\0"
            "11-24T08:15:30Z"); /* a NUL is no separator */
    REFUSES("2024-11-24\0"
            "08:15:30Z");
}

void test_value_scans_one_token_after_the_other(void) {
    static const char text[] = " {\"a\":[1,-2.5,\"\\u00fc\\ud83e\\udd86\"],\"b\":{},\"c\":[]} ";
    static const enum value_token wanted[] = {
        VALUE_OBJECT, VALUE_KEY,       VALUE_ARRAY,     VALUE_INTEGER,    VALUE_DOUBLE,
        VALUE_STRING, VALUE_ARRAY_END, VALUE_KEY,       VALUE_OBJECT,     VALUE_OBJECT_END,
        VALUE_KEY,    VALUE_ARRAY,     VALUE_ARRAY_END, VALUE_OBJECT_END, VALUE_END};
    struct value_scan s;
    bool same = true, utf8 = false;
    value_scan_init(&s, text, sizeof text - 1, 8, NULL);
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
        enum value_token token = value_next(&s);
        same = same && token == wanted[i];
        utf8 =
            utf8 || (token == VALUE_STRING && strcmp(s.text.data, "\xc3\xbc\xf0\x9f\xa6\x86") == 0);
    }
    value_scan_clear(&s);
    CHECK(same);
    CHECK(utf8);
}

void test_value_scan_names_what_is_wrong(void) {
    CHECK(bad("", "ends too early"));
    CHECK(bad("[1,]", "unexpected character"));
    CHECK(bad("[1 2]", "',' or ']'"));
    CHECK(bad("{\"a\" 1}", "':' wanted"));
    CHECK(bad("{a:1}", "name wanted"));
    CHECK(bad("01", "bad number"));
    CHECK(bad("1.", "bad number"));
    CHECK(bad("-", "bad number"));
    CHECK(bad("1e999", "out of range"));
    CHECK(bad("\"a", "not closed"));
    CHECK(bad("\"\n\"", "control character"));
    CHECK(bad("\"\\x\"", "bad escape"));
    CHECK(bad("\"\\ud800\"", "bad escape"));
    CHECK(bad("\"\\udc00\"", "bad escape"));
    CHECK(bad("\"\xff\"", "bad UTF-8"));
    CHECK(bad("1 2", "after the value"));
    CHECK(bad("nul", "unexpected"));
}

void test_value_scan_bounds_the_depth(void) {
    char text[300];
    memset(text, '[', sizeof text);
    struct err err = {0};
    CHECK(scan_all(text, sizeof text, 1000, &err) == VALUE_ERROR);
    CHECK(strstr(err.text, "nested too deep at byte 255") != NULL);
    CHECK(scan_all("[[]]", 4, 2, &err) == VALUE_END);
    CHECK(scan_all("[[]]", 4, 1, &err) == VALUE_ERROR);
}

void test_value_scan_keeps_integers_whole(void) {
    struct value_scan s;
    value_scan_init(&s, "9223372036854775807", 19, 1, NULL);
    bool integer = value_next(&s) == VALUE_INTEGER && s.integer == INT64_MAX;
    value_scan_clear(&s);
    value_scan_init(&s, "9223372036854775808", 19, 1, NULL);
    bool number = value_next(&s) == VALUE_DOUBLE && s.number > 9.2e18;
    value_scan_clear(&s);
    CHECK(integer);
    CHECK(number);
}
