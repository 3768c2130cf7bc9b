/* jobs.c - see jobs.h.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "jobs.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "log.h"
#include "value.h"
#include "wait.h"

#define ASK_MS        5000 /* between two looks at the queue, at most */
#define ASK_AGAIN_MS  20   /* and at least: a burst of pushes is one look */
#define CALL_MS       30000
#define TIMEOUT_MAX_S 86400
#define STACK_BYTES   (1024 * 1024)

struct jobs {
    struct bus *bus;
    struct workers *workers;
    struct bus_sub *sub;
    pthread_t thread;
    int running_max;
    pthread_mutex_t lock; /* guards all below */
    pthread_cond_t changed;
    bool stopping, pushed;
    struct jobs_count count;
};

/* A job that was claimed. */
struct claimed {
    struct jobs *jobs;
    struct buf json; /* the claim as lib/queue wrote it: the argument of its run */
    int64_t timeout_ms;
};

static void on_push(void *ctx, const struct bus_event *event) {
    (void)event;
    struct jobs *j = ctx;
    pthread_mutex_lock(&j->lock);
    j->pushed = true;
    pthread_cond_signal(&j->changed);
    pthread_mutex_unlock(&j->lock);
}

static void *run_job(void *arg) {
    struct claimed *job = arg;
    struct jobs *j = job->jobs;
    struct buf result = BUF_INIT;
    struct err err;
    bool ok = workers_call(j->workers, "lib/queue#run", job->json.data, job->json.len,
                           job->timeout_ms, &result, &err);
    if (!ok) {
        log_line(LOG_ERROR, "job %s: %s", job->json.data, err.text);
    }
    buf_clear(&result);
    buf_clear(&job->json);
    free(job);
    pthread_mutex_lock(&j->lock);
    j->count.running--;
    j->count.done += ok;
    j->count.failed += !ok;
    j->pushed = true;
    pthread_cond_broadcast(&j->changed);
    pthread_mutex_unlock(&j->lock);
    return NULL;
}

static void start_job(struct jobs *j, struct claimed *job) {
    pthread_mutex_lock(&j->lock);
    j->count.running++;
    pthread_mutex_unlock(&j->lock);
    pthread_attr_t attr;
    pthread_t thread;
    pthread_attr_init(&attr);
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&attr, STACK_BYTES);
    int result = pthread_create(&thread, &attr, run_job, job);
    pthread_attr_destroy(&attr);
    if (result != 0) {
        log_line(LOG_ERROR, "jobs: no thread: %s", strerror(result));
        buf_clear(&job->json);
        free(job);
        pthread_mutex_lock(&j->lock);
        j->count.running--; /* its lease is freed by the queue's own sweep */
        pthread_mutex_unlock(&j->lock);
    }
}

/* One object of "jobs": keep its text, note its timeout. */
static bool take_job(struct jobs *j, struct value_scan *s) {
    const char *begin = s->at - 1;
    int level = s->depth;
    struct claimed *job = mem_alloc(sizeof *job);
    job->jobs = j;
    job->timeout_ms = CALL_MS;
    bool timeout = false;
    enum value_token token;
    do {
        token = value_next(s);
        if (token == VALUE_KEY) {
            timeout = strcmp(s->text.data, "timeout_s") == 0;
        } else if (timeout && (token == VALUE_INTEGER || token == VALUE_DOUBLE)) {
            double seconds = token == VALUE_INTEGER ? (double)s->integer : s->number;
            seconds = seconds < 0 ? 0 : seconds > TIMEOUT_MAX_S ? TIMEOUT_MAX_S : seconds;
            job->timeout_ms = (int64_t)(seconds * 1000);
            timeout = false;
        }
    } while (token != VALUE_ERROR && !(token == VALUE_OBJECT_END && s->depth < level));
    if (token == VALUE_ERROR) {
        free(job);
        return false;
    }
    buf_add(&job->json, begin, (size_t)(s->at - begin));
    start_job(j, job);
    return true;
}

/* {"jobs":[{…}],"next_at":ms}: start the jobs; the time of the next one, or 0. */
static int64_t take_claims(struct jobs *j, const struct buf *json, int *taken) {
    struct value_scan s;
    struct err err;
    int64_t next_at = 0;
    bool next = false, ok = true;
    value_scan_init(&s, json->data, json->len, 32, &err);
    enum value_token token;
    while (ok && (token = value_next(&s)) != VALUE_END && token != VALUE_ERROR) {
        if (token == VALUE_KEY && s.depth == 1) {
            next = strcmp(s.text.data, "next_at") == 0;
        } else if (next && token == VALUE_INTEGER) {
            next_at = s.integer;
        } else if (next && token == VALUE_DOUBLE) {
            next_at = (int64_t)s.number;
        } else if (token == VALUE_OBJECT && s.depth == 3) {
            ok = take_job(j, &s);
            (*taken)++;
        }
    }
    value_scan_clear(&s);
    return next_at;
}

/* Ask the queue for as many jobs as there is room for; milliseconds until the next look. */
static int64_t ask(struct jobs *j, int room) {
    struct buf arg = BUF_INIT, result = BUF_INIT;
    struct err err;
    int taken = 0;
    int64_t wait_ms = ASK_MS;
    buf_addf(&arg, "{\"owner\":\"%s\",\"limit\":%d}", bus_boot(j->bus), room);
    if (workers_call(j->workers, "lib/queue#claim", arg.data, arg.len, CALL_MS, &result, &err)) {
        int64_t next_at = take_claims(j, &result, &taken);
        int64_t until = next_at == 0 ? ASK_MS : next_at - clock_now_ms();
        wait_ms = until < ASK_AGAIN_MS ? ASK_AGAIN_MS : until > ASK_MS ? ASK_MS : until;
    } else {
        log_line(LOG_ERROR, "jobs: the queue: %s", err.text);
    }
    buf_clear(&arg);
    buf_clear(&result);
    return taken == room ? ASK_AGAIN_MS : wait_ms;
}

static void boot_queue(struct jobs *j) {
    struct buf arg = BUF_INIT, result = BUF_INIT;
    struct err err;
    buf_addf(&arg, "{\"owner\":\"%s\"}", bus_boot(j->bus));
    if (!workers_call(j->workers, "lib/queue#boot", arg.data, arg.len, CALL_MS, &result, &err)) {
        log_line(LOG_ERROR, "jobs: the queue's start: %s", err.text);
    }
    buf_clear(&arg);
    buf_clear(&result);
}

static void *loop(void *arg) {
    struct jobs *j = arg;
    int64_t wait_ms = ASK_AGAIN_MS;
    boot_queue(j);
    pthread_mutex_lock(&j->lock);
    while (!j->stopping) {
        int64_t until = clock_ms() + wait_ms;
        struct timespec t = {.tv_sec = until / 1000, .tv_nsec = until % 1000 * 1000000};
        int result = 0;
        while (!j->stopping && !j->pushed && result != ETIMEDOUT) {
            result = pthread_cond_timedwait(&j->changed, &j->lock, &t);
        }
        while (!j->stopping && j->count.running >= j->running_max) {
            pthread_cond_wait(&j->changed, &j->lock);
        }
        int room = j->running_max - (int)j->count.running;
        j->pushed = false;
        bool stop = j->stopping;
        pthread_mutex_unlock(&j->lock);
        wait_ms = stop ? 0 : ask(j, room);
        pthread_mutex_lock(&j->lock);
    }
    pthread_mutex_unlock(&j->lock);
    return NULL;
}

struct jobs *jobs_start(struct bus *bus, struct workers *workers, int running_max) {
    static const char *const topics[] = {"jobs"};
    struct jobs *j = mem_alloc(sizeof *j);
    j->bus = bus;
    j->workers = workers;
    j->running_max = running_max;
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&j->changed, &attr);
    pthread_condattr_destroy(&attr);
    pthread_mutex_init(&j->lock, NULL);
    j->sub = bus_subscribe(bus, topics, 1, on_push, j);
    if (pthread_create(&j->thread, NULL, loop, j) != 0) {
        log_line(LOG_ERROR, "jobs: no thread");
        abort();
    }
    return j;
}

bool jobs_stop(struct jobs *j, int64_t wait_ms) {
    pthread_mutex_lock(&j->lock);
    j->stopping = true;
    pthread_cond_broadcast(&j->changed);
    pthread_mutex_unlock(&j->lock);
    pthread_join(j->thread, NULL);
    bus_unsubscribe(j->sub);
    int64_t until = clock_ms() + wait_ms;
    struct timespec t = {.tv_sec = until / 1000, .tv_nsec = until % 1000 * 1000000};
    int result = 0;
    pthread_mutex_lock(&j->lock);
    while (j->count.running > 0 && result != ETIMEDOUT) {
        result = pthread_cond_timedwait(&j->changed, &j->lock, &t);
    }
    bool ended = j->count.running == 0;
    pthread_mutex_unlock(&j->lock);
    if (ended) {
        pthread_cond_destroy(&j->changed);
        pthread_mutex_destroy(&j->lock);
        free(j);
    }
    return ended;
}

struct jobs_count jobs_counts(struct jobs *j) {
    pthread_mutex_lock(&j->lock);
    struct jobs_count count = j->count;
    pthread_mutex_unlock(&j->lock);
    return count;
}
