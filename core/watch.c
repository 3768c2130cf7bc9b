/* watch.c - see watch.h.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "watch.h"

#include <errno.h>
#include <ftw.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "buf.h"
#include "log.h"

#define QUIET_MS 30 /* a save is several events; wait until there was none for so long */
#define EVENTS   (IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_CREATE | IN_ATTRIB)

struct watch {
    char *dir;
    int inotify, stop;
    void (*changed)(void *ctx);
    void *ctx;
    pthread_t thread;
};

static _Thread_local int adding; /* nftw has no context */

static int add_dir(const char *path, const struct stat *st, int type, struct FTW *ftw) {
    (void)st;
    (void)ftw;
    if (type == FTW_D) {
        inotify_add_watch(adding, path, EVENTS | IN_ONLYDIR);
    }
    return 0;
}

/* Watch what is there; a directory that is watched already stays as it is. */
static void add_all(struct watch *w) {
    adding = w->inotify;
    nftw(w->dir, add_dir, 16, FTW_PHYS);
}

static void drain(int fd) {
    char events[8192];
    while (read(fd, events, sizeof events) > 0) {
    }
}

static void *loop(void *arg) {
    struct watch *w = arg;
    struct pollfd fds[] = {{.fd = w->stop, .events = POLLIN}, {.fd = w->inotify, .events = POLLIN}};
    bool pending = true; /* what changed between the first reading and the first watch */
    for (;;) {
        int n = poll(fds, 2, pending ? QUIET_MS : -1);
        if (fds[0].revents != 0 || (n < 0 && errno != EINTR)) {
            return NULL;
        }
        if (n > 0 && fds[1].revents != 0) {
            drain(w->inotify);
            pending = true;
        } else if (n == 0) {
            pending = false;
            add_all(w); /* directories may have come */
            w->changed(w->ctx);
        }
    }
}

struct watch *watch_start(const char *dir, void (*changed)(void *ctx), void *ctx, struct err *err) {
    struct watch *w = mem_alloc(sizeof *w);
    char *real = realpath(dir, NULL); /* nftw would not walk through a link */
    w->dir = real != NULL ? real : mem_dup(dir);
    w->changed = changed;
    w->ctx = ctx;
    w->inotify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    w->stop = eventfd(0, EFD_CLOEXEC);
    if (w->inotify < 0 || w->stop < 0) {
        err_errno(err, errno, "watch %s", dir);
        if (w->inotify >= 0) {
            close(w->inotify);
        }
        if (w->stop >= 0) {
            close(w->stop);
        }
        free(w->dir);
        free(w);
        return NULL;
    }
    add_all(w);
    if (pthread_create(&w->thread, NULL, loop, w) != 0) {
        log_line(LOG_ERROR, "watch: no thread");
        abort();
    }
    return w;
}

void watch_stop(struct watch *w) {
    if (w == NULL) {
        return;
    }
    eventfd_write(w->stop, 1);
    pthread_join(w->thread, NULL);
    close(w->inotify);
    close(w->stop);
    free(w->dir);
    free(w);
}
