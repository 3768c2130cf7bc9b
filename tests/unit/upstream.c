/* upstream.c - see upstream.h.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "upstream.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void *serve(void *ctx) {
    struct upstream *s = ctx;
    for (size_t i = 0;; i++) {
        int fd = accept(s->fd, NULL, NULL);
        if (fd < 0) {
            return NULL;
        }
        char request[2048];
        ssize_t n = recv(fd, request, sizeof request - 1, 0);
        pthread_mutex_lock(&s->lock);
        size_t used = strlen(s->asked);
        snprintf(s->asked + used, sizeof s->asked - used, "%.*s", n > 0 ? (int)n : 0, request);
        pthread_mutex_unlock(&s->lock);
        if (*s->answers != NULL) {
            const char *answer = *s->answers++;
            send(fd, answer, strlen(answer), MSG_NOSIGNAL);
        }
        close(fd);
    }
}

void upstream_start(struct upstream *s, const char *const *answers) {
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof at;
    *s = (struct upstream){.answers = answers, .lock = PTHREAD_MUTEX_INITIALIZER};
    s->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(s->fd, (struct sockaddr *)&at, len) != 0 || listen(s->fd, 16) != 0 ||
        getsockname(s->fd, (struct sockaddr *)&at, &len) != 0) {
        abort();
    }
    s->port = ntohs(at.sin_port);
    pthread_create(&s->thread, NULL, serve, s);
}

void upstream_end(struct upstream *s) {
    shutdown(s->fd, SHUT_RDWR);
    pthread_join(s->thread, NULL);
    close(s->fd);
}

bool upstream_was_asked(struct upstream *s, const char *text) {
    pthread_mutex_lock(&s->lock);
    bool found = strstr(s->asked, text) != NULL;
    pthread_mutex_unlock(&s->lock);
    return found;
}
