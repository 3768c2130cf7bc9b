/* check.h - the harness of the C tests: CHECK, and TAP on standard output.
 *
 * A test is a `void test_x(void)` that shows one behaviour; main.c lists them all. The first CHECK
 * that is false ends its test. Tests run one after the other, on one thread.
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef GANDER_TESTS_CHECK_H
#define GANDER_TESTS_CHECK_H

#include <stdbool.h>

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!check_that((condition), #condition, __FILE__, __LINE__))                              \
            return;                                                                                \
    } while (0)

/* Marks the test as failed and says where, if ok is false; returns ok. */
bool check_that(bool ok, const char *condition, const char *file, int line);

/* The test counts as skipped, with the reason shown; the caller returns after it. */
void check_skip(const char *reason);

#endif
