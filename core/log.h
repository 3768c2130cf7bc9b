/* log.h - JSON log lines on standard error, with secrets redacted.
 *
 * One line a call, written by one write(2): lines of many threads never mix.  log_secret registers
 * a value (8 bytes and more) that is replaced by *** wherever it would appear in a line.
 * Threads: all functions may be called from any; a lock guards the list of secrets.
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef GANDER_LOG_H
#define GANDER_LOG_H

#include <stdbool.h>
#include <stddef.h>

#include "buf.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

void log_set_level(enum log_level level);
bool log_level_of(const char *name, enum log_level *level); /* "debug" "info" "warn" "error" */
bool log_wants(enum log_level level);

/* A line {"at","level","text"}. */
void log_line(enum log_level level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The same with more members: `fields` is JSON text without braces, such as "\"a\":1", or NULL. */
void log_fields(enum log_level level, const char *text, size_t len, const char *fields);

void log_secret(const char *value, size_t len);
void log_redact(struct buf *text); /* replace each registered secret in place by *** */

#endif
