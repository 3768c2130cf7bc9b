/* buf.h - the one byte buffer, and allocation that does not fail.
 *
 * A buf owns its bytes and always keeps a NUL after them, so data may be read as a C string once
 * something was added.  Out of memory ends the process (the kernel overcommits: malloc failing
 * means the machine is lost); scripts are bounded before by their own allocator in vm.c.
 * No locks: a buf has one owner at a time.
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef GANDER_BUF_H
#define GANDER_BUF_H

#include <stddef.h>
#include <stdarg.h>

struct buf {
    char *data;  /* NULL until something is added */
    size_t len;  /* bytes in use, the closing NUL not counted */
    size_t size; /* bytes allocated */
};

#define BUF_INIT                                                                                   \
    { NULL, 0, 0 }

void buf_clear(struct buf *b);           /* free the bytes; the buf may be used again */
void buf_reset(struct buf *b);           /* len = 0, memory kept */
char *buf_room(struct buf *b, size_t n); /* room for n more bytes; write there, raise len */
void buf_add(struct buf *b, const void *p, size_t n);
void buf_adds(struct buf *b, const char *text); /* a C string */
void buf_addc(struct buf *b, char c);
void buf_addf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void buf_vaddf(struct buf *b, const char *fmt, va_list args);
void buf_drop(struct buf *b, size_t n); /* remove the first n bytes */
char *buf_take(struct buf *b);          /* the bytes as a C string that the caller frees */

void *mem_alloc(size_t n);               /* zeroed */
void *mem_grow(void *p, size_t n);       /* realloc */
char *mem_dup(const char *text);         /* NULL gives NULL */
char *mem_dupn(const void *p, size_t n); /* n bytes and a NUL */

#endif
