/* main.c - runs the C tests and prints TAP: all of them, or those whose name contains the argument.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "check.h"

#include <stdio.h>
#include <string.h>

#define TEST(name) void name(void);
#include "tests.def"
#undef TEST

static const struct {
    const char *name;
    void (*run)(void);
} test_list[] = {
#define TEST(name) {#name, name},
#include "tests.def"
#undef TEST
};

static bool failed;
static const char *skipped;

bool check_that(bool ok, const char *condition, const char *file, int line) {
    if (!ok) {
        printf("# %s:%d: %s\n", file, line, condition);
        failed = true;
    }
    return ok;
}

void check_skip(const char *reason) {
    skipped = reason;
}

int main(int argc, char **argv) {
    int count = 0, failures = 0;
    setvbuf(stdout, NULL, _IOLBF, 0); /* a crash must not swallow what was said before it */
    for (size_t i = 0; i < sizeof test_list / sizeof test_list[0]; i++) {
        if (argc > 1 && strstr(test_list[i].name, argv[1]) == NULL) {
            continue;
        }
        failed = false;
        skipped = NULL;
        test_list[i].run();
        printf("%sok %d - %s", failed ? "not " : "", ++count, test_list[i].name);
        printf(skipped != NULL ? " # SKIP %s\n" : "\n", skipped);
        failures += failed;
    }
    printf("1..%d\n", count);
    return failures > 0 || count == 0;
}
