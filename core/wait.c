/* wait.c - see wait.h.  `lock` guards all counts; `room` is signalled when a place becomes free.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "wait.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "buf.h"

struct wait {
    pthread_mutex_t lock;
    pthread_cond_t room;
    int running_max, total_max;
    int total, waiting;
};

int64_t clock_ms(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int64_t clock_now_ms(void) {
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

struct wait *wait_new(int running_max, int total_max) {
    struct wait *w = mem_alloc(sizeof *w);
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&w->room, &attr);
    pthread_condattr_destroy(&attr);
    pthread_mutex_init(&w->lock, NULL);
    w->running_max = running_max;
    w->total_max = total_max;
    return w;
}

void wait_free(struct wait *w) {
    if (w != NULL) {
        pthread_cond_destroy(&w->room);
        pthread_mutex_destroy(&w->lock);
        free(w);
    }
}

static bool has_room_locked(const struct wait *w) {
    return w->total < w->total_max && w->total - w->waiting < w->running_max;
}

bool wait_enter(struct wait *w, int64_t deadline_ms) {
    if (w == NULL) {
        return true;
    }
    struct timespec until = {.tv_sec = deadline_ms / 1000, .tv_nsec = deadline_ms % 1000 * 1000000};
    pthread_mutex_lock(&w->lock);
    int result = 0;
    while (!has_room_locked(w) && result != ETIMEDOUT) {
        result = pthread_cond_timedwait(&w->room, &w->lock, &until);
    }
    bool entered = has_room_locked(w);
    if (entered) {
        w->total++;
    }
    pthread_mutex_unlock(&w->lock);
    return entered;
}

void wait_leave(struct wait *w) {
    if (w == NULL) {
        return;
    }
    pthread_mutex_lock(&w->lock);
    w->total--;
    pthread_cond_signal(&w->room);
    pthread_mutex_unlock(&w->lock);
}

void wait_begin(struct wait *w) {
    if (w == NULL) {
        return;
    }
    pthread_mutex_lock(&w->lock);
    w->waiting++;
    pthread_cond_signal(&w->room);
    pthread_mutex_unlock(&w->lock);
}

void wait_end(struct wait *w) {
    if (w == NULL) {
        return;
    }
    pthread_mutex_lock(&w->lock);
    w->waiting--;
    pthread_mutex_unlock(&w->lock);
}

struct wait_count wait_counts(struct wait *w) {
    struct wait_count counts = {0, 0};
    if (w != NULL) {
        pthread_mutex_lock(&w->lock);
        counts = (struct wait_count){w->total, w->waiting};
        pthread_mutex_unlock(&w->lock);
    }
    return counts;
}
