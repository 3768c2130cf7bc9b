/* test_buf.c - the byte buffer.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "check.h"

#include "buf.h"

#include <stdlib.h>
#include <string.h>

void test_buf_keeps_a_nul_after_its_bytes(void) {
    struct buf b = BUF_INIT;
    buf_adds(&b, "goose");
    buf_addc(&b, '!');
    CHECK(b.len == 6);
    CHECK(strcmp(b.data, "goose!") == 0);
    buf_reset(&b);
    CHECK(b.len == 0 && b.data[0] == '\0');
    buf_clear(&b);
    CHECK(b.data == NULL && b.size == 0);
}

void test_buf_holds_any_bytes(void) {
    struct buf b = BUF_INIT;
    buf_add(&b, "a\0b", 3);
    buf_add(&b, NULL, 0);
    CHECK(b.len == 3);
    CHECK(memcmp(b.data, "a\0b", 4) == 0);
    buf_clear(&b);
}

void test_buf_grows_and_keeps_what_it_has(void) {
    struct buf b = BUF_INIT;
    for (int i = 0; i < 10000; i++) {
        buf_addc(&b, (char)('a' + i % 26));
    }
    CHECK(b.len == 10000 && b.size > b.len);
    CHECK(b.data[0] == 'a' && b.data[9999] == 'a' + 9999 % 26);
    buf_clear(&b);
}

void test_buf_formats_after_what_is_there(void) {
    struct buf b = BUF_INIT;
    char wide[300];
    memset(wide, 'w', sizeof wide - 1);
    wide[sizeof wide - 1] = '\0';
    buf_adds(&b, "n=");
    buf_addf(&b, "%d %s", 42, wide);
    CHECK(b.len == 5 + strlen(wide));
    CHECK(strncmp(b.data, "n=42 www", 8) == 0);
    buf_clear(&b);
}

void test_buf_drops_from_the_front(void) {
    struct buf b = BUF_INIT;
    buf_adds(&b, "line\nrest");
    buf_drop(&b, 5);
    CHECK(strcmp(b.data, "rest") == 0 && b.len == 4);
    buf_drop(&b, 100);
    CHECK(b.len == 0);
    buf_clear(&b);
}

void test_buf_take_hands_over_the_bytes(void) {
    struct buf b = BUF_INIT;
    char *nothing = buf_take(&b);
    CHECK(strcmp(nothing, "") == 0);
    free(nothing);
    buf_adds(&b, "mine");
    char *text = buf_take(&b);
    CHECK(b.data == NULL && b.len == 0);
    CHECK(strcmp(text, "mine") == 0);
    free(text);
}
