/* err.c - see err.h.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct {
    const char *name;
    int status;
} code_table[] = {
    [ERR_NONE] = {"none", 500},         [ERR_INVALID] = {"invalid", 400},
    [ERR_DENIED] = {"denied", 403},     [ERR_NOT_FOUND] = {"not_found", 404},
    [ERR_CONFLICT] = {"conflict", 409}, [ERR_BUSY] = {"busy", 503},
    [ERR_TIMEOUT] = {"timeout", 504},   [ERR_UNAVAILABLE] = {"unavailable", 502},
    [ERR_INTERNAL] = {"internal", 500},
};
#define CODE_COUNT (sizeof code_table / sizeof code_table[0])

bool err_set(struct err *err, enum err_code code, const char *fmt, ...) {
    if (err == NULL) {
        return false;
    }
    va_list args;
    va_start(args, fmt);
    err->code = code;
    vsnprintf(err->text, sizeof err->text, fmt, args);
    va_end(args);
    return false;
}

/* Append text to the fixed buffer at `used`, cutting what does not fit. */
static void put_after(struct err *err, size_t used, const char *text) {
    if (used < sizeof err->text) {
        snprintf(err->text + used, sizeof err->text - used, "%s", text);
    }
}

bool err_wrap(struct err *err, const char *fmt, ...) {
    if (err == NULL) {
        return false;
    }
    char inner[sizeof err->text];
    memcpy(inner, err->text, sizeof inner);
    va_list args;
    va_start(args, fmt);
    vsnprintf(err->text, sizeof err->text, fmt, args);
    va_end(args);
    put_after(err, strlen(err->text), ": ");
    put_after(err, strlen(err->text), inner);
    return false;
}

static enum err_code code_of_errno(int errnum) {
    switch (errnum) {
    case ENOENT:
    case ENOTDIR:
    case ESRCH:
        return ERR_NOT_FOUND;
    case EACCES:
    case EPERM:
    case EROFS:
        return ERR_DENIED;
    case EEXIST:
    case EADDRINUSE:
        return ERR_CONFLICT;
    case EAGAIN:
    case EBUSY:
    case EMFILE:
    case ENFILE:
        return ERR_BUSY;
    case ETIMEDOUT:
        return ERR_TIMEOUT;
    case ECONNREFUSED:
    case ECONNRESET:
    case EPIPE:
    case ENETUNREACH:
    case EHOSTUNREACH:
    case ENOSPC:
    case EIO:
        return ERR_UNAVAILABLE;
    case EINVAL:
    case ENAMETOOLONG:
    case ELOOP:
    case EXDEV:
        return ERR_INVALID;
    default:
        return ERR_INTERNAL;
    }
}

bool err_errno(struct err *err, int errnum, const char *fmt, ...) {
    if (err == NULL) {
        return false;
    }
    va_list args;
    va_start(args, fmt);
    err->code = code_of_errno(errnum);
    vsnprintf(err->text, sizeof err->text, fmt, args);
    va_end(args);
    char reason[128];
    put_after(err, strlen(err->text), ": ");
    put_after(err, strlen(err->text), strerror_r(errnum, reason, sizeof reason));
    return false;
}

const char *err_name(enum err_code code) {
    return (size_t)code < CODE_COUNT ? code_table[code].name : "internal";
}

enum err_code err_code_of(const char *name) {
    for (size_t i = 1; name != NULL && i < CODE_COUNT; i++) {
        if (strcmp(code_table[i].name, name) == 0) {
            return (enum err_code)i;
        }
    }
    return ERR_INTERNAL;
}

int err_status(enum err_code code) {
    return (size_t)code < CODE_COUNT ? code_table[code].status : 500;
}

enum err_code err_code_of_status(int http_status) {
    switch (http_status) {
    case 401:
    case 403:
    case 421:
        return ERR_DENIED;
    case 404:
    case 410:
        return ERR_NOT_FOUND;
    case 409:
    case 412:
        return ERR_CONFLICT;
    case 408:
    case 504:
        return ERR_TIMEOUT;
    case 429:
    case 503:
        return ERR_BUSY;
    case 502:
        return ERR_UNAVAILABLE;
    default:
        return http_status >= 400 && http_status < 500 ? ERR_INVALID : ERR_INTERNAL;
    }
}
