/* log.c - see log.h.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "log.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "value.h"

#define SECRET_MIN 8
#define SECRET_MAX 256 /* values; the oldest is forgotten past that */

static _Atomic int wanted_level = LOG_INFO;
static const char *const level_names[] = {"debug", "info", "warn", "error"};

/* The registered secrets; `secrets_lock` guards both. */
static pthread_mutex_t secrets_lock = PTHREAD_MUTEX_INITIALIZER;
static struct secret {
    char *text;
    size_t len;
} secrets[SECRET_MAX];
static size_t secret_next;

void log_set_level(enum log_level level) {
    atomic_store(&wanted_level, (int)level);
}

bool log_wants(enum log_level level) {
    return (int)level >= atomic_load(&wanted_level);
}

bool log_level_of(const char *name, enum log_level *level) {
    for (size_t i = 0; i < sizeof level_names / sizeof level_names[0]; i++) {
        if (strcmp(level_names[i], name) == 0) {
            *level = (enum log_level)i;
            return true;
        }
    }
    return false;
}

static void add_secret(const char *value, size_t len) {
    pthread_mutex_lock(&secrets_lock);
    for (size_t i = 0; i < SECRET_MAX; i++) {
        if (secrets[i].len == len && memcmp(secrets[i].text, value, len) == 0) {
            pthread_mutex_unlock(&secrets_lock);
            return;
        }
    }
    struct secret *slot = &secrets[secret_next++ % SECRET_MAX];
    free(slot->text);
    slot->text = mem_dupn(value, len);
    slot->len = len;
    pthread_mutex_unlock(&secrets_lock);
}

/* Lines are JSON: a value with quotes or line ends stands there in its escaped form. */
void log_secret(const char *value, size_t len) {
    if (value == NULL || len < SECRET_MIN) {
        return;
    }
    struct buf quoted = BUF_INIT;
    value_string(&quoted, value, len);
    add_secret(value, len);
    if (quoted.len != len + 2) {
        add_secret(quoted.data + 1, quoted.len - 2);
    }
    buf_clear(&quoted);
}

static void redact_one(struct buf *text, const struct secret *secret) {
    char *at = text->data;
    char *end = text->data + text->len;
    while ((at = memmem(at, (size_t)(end - at), secret->text, secret->len)) != NULL) {
        memcpy(at, "***", 3);
        memmove(at + 3, at + secret->len, (size_t)(end - at) - secret->len + 1);
        text->len -= secret->len - 3;
        end -= secret->len - 3;
        at += 3;
    }
}

void log_redact(struct buf *text) {
    if (text->len < SECRET_MIN) {
        return;
    }
    pthread_mutex_lock(&secrets_lock);
    for (size_t i = 0; i < SECRET_MAX; i++) {
        if (secrets[i].len > 0) {
            redact_one(text, &secrets[i]);
        }
    }
    pthread_mutex_unlock(&secrets_lock);
}

void log_fields(enum log_level level, const char *text, size_t len, const char *fields) {
    if (!log_wants(level)) {
        return;
    }
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    struct buf line = BUF_INIT;
    buf_adds(&line, "{\"at\":\"");
    value_date_text(&line, (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000);
    buf_addf(&line, "\",\"level\":\"%s\",\"text\":", level_names[level]);
    value_string(&line, text, len);
    if (fields != NULL && fields[0] != '\0') {
        buf_addc(&line, ',');
        buf_adds(&line, fields);
    }
    buf_adds(&line, "}\n");
    log_redact(&line);
    ssize_t written = write(STDERR_FILENO, line.data, line.len);
    (void)written; /* a lost log line must not stop the host */
    buf_clear(&line);
}

void log_line(enum log_level level, const char *fmt, ...) {
    if (!log_wants(level)) {
        return;
    }
    struct buf text = BUF_INIT;
    va_list args;
    va_start(args, fmt);
    buf_vaddf(&text, fmt, args);
    va_end(args);
    log_fields(level, text.data == NULL ? "" : text.data, text.len, NULL);
    buf_clear(&text);
}
