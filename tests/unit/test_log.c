/* test_log.c - secrets in log lines.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "check.h"

#include <string.h>

#include "log.h"

static bool redacts(const char *line, const char *wanted) {
    struct buf text = BUF_INIT;
    buf_adds(&text, line);
    log_redact(&text);
    bool same = strcmp(text.data, wanted) == 0 && text.len == strlen(wanted);
    buf_clear(&text);
    return same;
}

void test_log_redacts_registered_values(void) {
    log_secret("unit-secret-1", 13);
    log_secret("short", 5);
    CHECK(redacts("a unit-secret-1, unit-secret-1", "a ***, ***"));
    CHECK(redacts("unit-secret-2 short", "unit-secret-2 short"));
    CHECK(redacts("", ""));
}

void test_log_redacts_a_value_as_json_shows_it(void) {
    log_secret("unit\nkey\"two", 12);
    CHECK(redacts("{\"text\":\"unit\\nkey\\\"two\"}", "{\"text\":\"***\"}"));
    CHECK(redacts("unit\nkey\"two", "***"));
}
