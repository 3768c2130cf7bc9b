/* test_err.c - errors as values.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "check.h"

#include "err.h"

#include <errno.h>
#include <string.h>

void test_err_set_returns_false_and_fills(void) {
    struct err err = {0};
    CHECK(!err_set(&err, ERR_BUSY, "%d of %d slots are taken", 3, 3));
    CHECK(err.code == ERR_BUSY);
    CHECK(strcmp(err.text, "3 of 3 slots are taken") == 0);
}

void test_err_may_be_null(void) {
    CHECK(!err_set(NULL, ERR_INTERNAL, "lost"));
    CHECK(!err_wrap(NULL, "lost"));
    CHECK(!err_errno(NULL, ENOENT, "lost"));
}

void test_err_wrap_puts_context_before(void) {
    struct err err = {0};
    err_set(&err, ERR_TIMEOUT, "no answer");
    CHECK(!err_wrap(&err, "project %s", "swan"));
    CHECK(err.code == ERR_TIMEOUT);
    CHECK(strcmp(err.text, "project swan: no answer") == 0);
}

void test_err_cuts_a_text_that_is_too_long(void) {
    struct err err = {0};
    char wide[2 * sizeof err.text];
    memset(wide, 'w', sizeof wide - 1);
    wide[sizeof wide - 1] = '\0';
    err_set(&err, ERR_INVALID, "%s", wide);
    CHECK(strlen(err.text) == sizeof err.text - 1);
    err_wrap(&err, "context");
    CHECK(strncmp(err.text, "context: www", 12) == 0);
    CHECK(strlen(err.text) == sizeof err.text - 1);
    err_wrap(&err, "%s", wide);
    CHECK(strlen(err.text) == sizeof err.text - 1);
}

void test_err_errno_chooses_the_code(void) {
    struct err err = {0};
    CHECK(!err_errno(&err, ENOENT, "open %s", "config.lua"));
    CHECK(err.code == ERR_NOT_FOUND);
    CHECK(strcmp(err.text, "open config.lua: No such file or directory") == 0);
    err_errno(&err, EROFS, "write");
    CHECK(err.code == ERR_DENIED);
    err_errno(&err, ENOSPC, "write");
    CHECK(err.code == ERR_UNAVAILABLE);
}

void test_err_names_go_both_ways(void) {
    for (enum err_code code = ERR_INVALID; code <= ERR_INTERNAL; code++) {
        CHECK(err_code_of(err_name(code)) == code);
    }
    CHECK(err_code_of("goose") == ERR_INTERNAL);
    CHECK(err_code_of(NULL) == ERR_INTERNAL);
}

void test_err_status_is_that_of_the_code(void) {
    CHECK(err_status(ERR_INVALID) == 400);
    CHECK(err_status(ERR_NOT_FOUND) == 404);
    CHECK(err_status(ERR_INTERNAL) == 500);
    CHECK(err_code_of_status(err_status(ERR_CONFLICT)) == ERR_CONFLICT);
    CHECK(err_code_of_status(401) == ERR_DENIED);
    CHECK(err_code_of_status(418) == ERR_INVALID);
    CHECK(err_code_of_status(599) == ERR_INTERNAL);
}
