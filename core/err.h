/* err.h - errors as values.
 *
 * A function that can fail takes `struct err *err` last and returns false or NULL after filling it.
 * The codes are a closed list, the same in C, in Lua (`nil, message, code`) and in HTTP; the table
 * in err.c maps them to a status.  A filled err is only ever read by its owner: no locks.
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef GANDER_ERR_H
#define GANDER_ERR_H

#include <stdbool.h>

enum err_code {
    ERR_NONE,
    ERR_INVALID,
    ERR_DENIED,
    ERR_NOT_FOUND,
    ERR_CONFLICT,
    ERR_BUSY,
    ERR_TIMEOUT,
    ERR_UNAVAILABLE,
    ERR_INTERNAL,
};

struct err {
    enum err_code code;
    char text[1024]; /* a sentence a person can act on, cut at the end if too long */
};

/* Fill *err (which may be NULL); always returns false, so that a caller may `return err_set(…)`. */
bool err_set(struct err *err, enum err_code code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Put "context: " before the text that is there; always returns false. */
bool err_wrap(struct err *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Fill *err from an errno value: the code is chosen from it, the text is "what: strerror". */
bool err_errno(struct err *err, int errnum, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

const char *err_name(enum err_code code);          /* "invalid", "denied", … ("none") */
enum err_code err_code_of(const char *name);       /* ERR_INTERNAL for an unknown name */
int err_status(enum err_code code);                /* HTTP status; 500 for ERR_NONE */
enum err_code err_code_of_status(int http_status); /* nearest code of an HTTP status >= 400 */

#endif
