/* upstream.h - a server for tests: it answers each connection with the next text, then closes it.
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef GANDER_TESTS_UPSTREAM_H
#define GANDER_TESTS_UPSTREAM_H

#include <pthread.h>
#include <stdbool.h>

#define OK "HTTP/1.1 200 OK\r\nConnection: close\r\n"

struct upstream {
    int fd, port;
    pthread_t thread;
    const char *const *answers; /* NULL-ended; then it only closes */
    char asked[4096];           /* all requests */
    pthread_mutex_t lock;
};

void upstream_start(struct upstream *s, const char *const *answers);
void upstream_end(struct upstream *s);
bool upstream_was_asked(struct upstream *s, const char *text);

#endif
