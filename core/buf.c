/* buf.c - see buf.h.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "buf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void out_of_memory(size_t n) {
    fprintf(stderr, "gander: out of memory (%zu bytes wanted)\n", n);
    abort();
}

void *mem_alloc(size_t n) {
    void *p = calloc(1, n == 0 ? 1 : n);
    if (p == NULL) {
        out_of_memory(n);
    }
    return p;
}

void *mem_grow(void *p, size_t n) {
    void *q = realloc(p, n == 0 ? 1 : n);
    if (q == NULL) {
        out_of_memory(n);
    }
    return q;
}

char *mem_dupn(const void *p, size_t n) {
    char *copy = mem_alloc(n + 1);
    if (n > 0) {
        memcpy(copy, p, n);
    }
    return copy;
}

char *mem_dup(const char *text) {
    return text == NULL ? NULL : mem_dupn(text, strlen(text));
}

void buf_clear(struct buf *b) {
    free(b->data);
    *b = (struct buf)BUF_INIT;
}

void buf_reset(struct buf *b) {
    b->len = 0;
    if (b->data != NULL) {
        b->data[0] = '\0';
    }
}

char *buf_room(struct buf *b, size_t n) {
    size_t wanted = b->len + n + 1;
    if (wanted < n) {
        out_of_memory(n);
    }
    if (wanted > b->size) {
        size_t size = b->size < 64 ? 64 : b->size;
        while (size < wanted) {
            size += size / 2;
        }
        b->data = mem_grow(b->data, size);
        b->size = size;
    }
    return b->data + b->len;
}

void buf_add(struct buf *b, const void *p, size_t n) {
    char *to = buf_room(b, n);
    if (n > 0) {
        memcpy(to, p, n);
    }
    b->len += n;
    b->data[b->len] = '\0';
}

void buf_adds(struct buf *b, const char *text) {
    buf_add(b, text, strlen(text));
}

void buf_addc(struct buf *b, char c) {
    buf_add(b, &c, 1);
}

void buf_vaddf(struct buf *b, const char *fmt, va_list args) {
    va_list again;
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, fmt, args);
    if (n > 0) {
        char *to = buf_room(b, (size_t)n);
        vsnprintf(to, (size_t)n + 1, fmt, again);
        b->len += (size_t)n;
    }
    va_end(again);
}

void buf_addf(struct buf *b, const char *fmt, ...) {
    va_list args;
    va_start(args, fmt);
    buf_vaddf(b, fmt, args);
    va_end(args);
}

void buf_drop(struct buf *b, size_t n) {
    if (n >= b->len) {
        buf_reset(b);
        return;
    }
    memmove(b->data, b->data + n, b->len - n + 1);
    b->len -= n;
}

char *buf_take(struct buf *b) {
    buf_room(b, 0)[0] = '\0';
    char *text = b->data;
    *b = (struct buf)BUF_INIT;
    return text;
}
