/* follow.c - keys, batches and their delivery.  See follow.h.
 *
 * The reading thread adds items to the last batch of a flow and, when a batch is due, puts the flow
 * on the list `jobs`; a thread of the pool delivers the first batch and takes it off, or leaves it
 * to be tried again.  A batch in flight is not changed.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "follow_inner.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <time.h>
#include <unistd.h>

#include "json.h"
#include "log.h"
#include "netns.h"
#include "wait.h"

#define RETRY_MAX_MS 30000
#define TRIES_AT_END 5 /* a last batch that fails so often is dropped */

bool follow_resume_of(const char *name, enum follow_resume *resume) {
    static const char *const names[] = {"last-event-id", "after", "replay"};
    for (int i = 0; i < 3; i++) {
        if (strcmp(names[i], name) == 0) {
            *resume = (enum follow_resume)(FOLLOW_LAST_EVENT_ID + i);
            return true;
        }
    }
    return false;
}

static void batch_free(struct batch *b) {
    buf_clear(&b->items);
    buf_clear(&b->cursor);
    free(b->error);
    free(b);
}

static struct batch *add_batch_locked(struct flow *w) {
    struct batch *b = mem_alloc(sizeof *b);
    b->since = clock_ms();
    follow_parse_cursor(w->parse, &b->cursor);
    *(w->first == NULL ? &w->first : &w->last->next) = b;
    w->last = b;
    w->batches++;
    return b;
}

static void drop_first_locked(struct flow *w) {
    struct batch *b = w->first;
    w->first = b->next;
    w->bytes -= b->items.len;
    w->batches--;
    batch_free(b);
}

/* May something be added to the last batch? */
static bool open_locked(const struct flow *w) {
    const struct batch *b = w->last;
    return w->first != NULL && !(w->in_flight && b == w->first) && b->count < w->batch_max &&
           b->items.len < BATCH_BYTES && b->error == NULL && !b->ended;
}

static void publish(struct flow *w, const struct follow_item *item) {
    struct buf json = BUF_INIT;
    buf_add(&json, item->data, item->data_len);
    log_redact(&json);
    bus_publish(w->follow->bus, w->topic, item->event, json.data, json.len, item->id);
    buf_clear(&json);
}

void flow_item(void *ctx, const struct follow_item *item) {
    struct flow *w = ctx;
    struct follow *f = w->follow;
    if (w->topic != NULL) {
        publish(w, item);
    }
    pthread_mutex_lock(&f->lock);
    if (!w->discard) {
        struct batch *b = open_locked(w) ? w->last : add_batch_locked(w);
        size_t before = b->items.len;
        buf_adds(&b->items, b->count++ > 0 ? "," : "");
        buf_add(&b->items, item->json, item->len);
        buf_reset(&b->cursor);
        follow_parse_cursor(w->parse, &b->cursor);
        w->bytes += b->items.len - before;
    }
    pthread_mutex_unlock(&f->lock);
}

bool flow_has_room(struct flow *w) {
    pthread_mutex_lock(&w->follow->lock);
    bool room = w->bytes < PENDING_MAX && w->batches < BATCHES_MAX;
    pthread_mutex_unlock(&w->follow->lock);
    return room;
}

void flow_report(struct flow *w, const char *error) {
    pthread_mutex_lock(&w->follow->lock);
    if (w->batches < BATCHES_MAX) {
        add_batch_locked(w)->error = mem_dup(error);
    }
    pthread_mutex_unlock(&w->follow->lock);
}

void flow_finish(struct flow *w, const char *error) {
    pthread_mutex_lock(&w->follow->lock);
    struct batch *b = open_locked(w) ? w->last : add_batch_locked(w);
    b->ended = true;
    b->error = mem_dup(error);
    w->finished = true;
    pthread_mutex_unlock(&w->follow->lock);
}

static void batch_json(const struct flow *w, const struct batch *b, struct buf *out) {
    buf_adds(out, "{\"key\":");
    value_string(out, w->key, strlen(w->key));
    buf_addf(out, ",\"data\":%s,\"items\":[", w->data);
    buf_add(out, b->items.len > 0 ? b->items.data : "", b->items.len);
    buf_adds(out, "]");
    if (b->cursor.len > 0) {
        buf_adds(out, ",\"cursor\":");
        buf_add(out, b->cursor.data, b->cursor.len);
    }
    buf_addf(out, ",\"ended\":%s", b->ended ? "true" : "false");
    if (b->error != NULL) {
        buf_adds(out, ",\"error\":");
        value_string(out, b->error, strlen(b->error));
    }
    buf_addc(out, '}');
}

/* {"stop": true}? */
static bool says_stop(const struct buf *result) {
    struct value_scan s;
    bool stop = false;
    value_scan_init(&s, result->len > 0 ? result->data : "null", result->len > 0 ? result->len : 4,
                    VALUE_DEPTH, NULL);
    bool good = value_next(&s) == VALUE_OBJECT;
    while (good && value_next(&s) == VALUE_KEY) {
        bool is_stop = strcmp(s.text.data, "stop") == 0;
        enum value_token token = value_next(&s);
        stop = is_stop ? token == VALUE_TRUE : stop;
        good = json_skip(&s, token);
    }
    value_scan_clear(&s);
    return stop;
}

static int64_t backoff_ms(int tries) {
    int64_t ms = (int64_t)250 << (tries < 10 ? tries : 10);
    return ms < RETRY_MAX_MS ? ms : RETRY_MAX_MS;
}

/* After a delivery; the batch goes, or waits to be tried again. */
static void settle_locked(struct flow *w, bool good, bool stop, const struct err *err) {
    w->in_flight = false;
    if (good) {
        struct batch *b = w->first;
        w->tries = 0;
        w->error[0] = '\0';
        if (b->cursor.len > 0) {
            buf_reset(&w->delivered);
            buf_add(&w->delivered, b->cursor.data, b->cursor.len);
        }
        drop_first_locked(w);
        w->discard = w->discard || stop;
        return;
    }
    snprintf(w->error, sizeof w->error, "%.250s", err->text);
    if (w->tries % 10 == 0) {
        log_line(LOG_WARN, "follow %s: job %s: %s (it is tried again)", w->key, w->job, err->text);
    }
    w->retry_at = clock_ms() + backoff_ms(w->tries++);
    if (w->finished && w->tries >= TRIES_AT_END) {
        log_line(LOG_ERROR, "follow %s: the last %d batches were dropped", w->key, w->batches);
        w->discard = true;
    }
}

static void *pool_run(void *ctx) {
    struct follow *f = ctx;
    pthread_mutex_lock(&f->lock);
    for (;;) {
        while (f->jobs == NULL && !f->stopping) {
            pthread_cond_wait(&f->work, &f->lock);
        }
        struct flow *w = f->jobs;
        if (f->stopping) {
            break;
        }
        f->jobs = w->next_job;
        pthread_mutex_unlock(&f->lock);
        struct buf json = BUF_INIT, result = BUF_INIT;
        struct err err = {.code = ERR_NONE};
        batch_json(w, w->first, &json);
        bool good = f->hooks.deliver(f->hooks.ctx, w->job, json.data, json.len, &result, &err);
        bool stop = good && says_stop(&result);
        buf_clear(&json);
        buf_clear(&result);
        pthread_mutex_lock(&f->lock);
        settle_locked(w, good, stop, &err);
        curl_multi_wakeup(f->multi);
    }
    pthread_mutex_unlock(&f->lock);
    return NULL;
}

void flow_free(struct flow *w) {
    if (w->file == NULL) {
        http_clear(w);
    } else if (w->fd >= 0) {
        close(w->fd);
    }
    while (w->first != NULL) {
        drop_first_locked(w);
    }
    follow_parse_free(w->parse);
    buf_clear(&w->delivered);
    char *owned[] = {w->key, w->topic, w->job, w->data, w->file};
    for (size_t i = 0; i < sizeof owned / sizeof owned[0]; i++) {
        free(owned[i]);
    }
    free(w);
}

struct follow *follow_new(struct bus *bus, const struct follow_hooks *hooks, struct err *err) {
    struct follow *f = mem_alloc(sizeof *f);
    f->bus = bus;
    f->hooks = *hooks;
    fetch_free(fetch_new()); /* libcurl is ready before the multi handle */
    f->multi = curl_multi_init();
    f->inotify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (f->multi == NULL || f->inotify < 0) {
        err_errno(err, errno, "cannot start to follow streams");
        curl_multi_cleanup(f->multi);
        free(f);
        return NULL;
    }
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_mutex_init(&f->lock, NULL);
    pthread_cond_init(&f->work, NULL);
    pthread_cond_init(&f->changed, &attr);
    pthread_condattr_destroy(&attr);
    bool started = pthread_create(&f->reader, NULL, follow_read, f) == 0;
    for (int i = 0; started && i < FOLLOW_THREADS; i++) {
        started = pthread_create(&f->pool[i], NULL, pool_run, f) == 0;
    }
    if (!started) {
        abort(); /* no threads at start */
    }
    return f;
}

static struct flow *find_locked(struct follow *f, const char *key) {
    struct flow *lists[] = {f->flows, f->incoming};
    for (int i = 0; i < 2; i++) {
        for (struct flow *w = lists[i]; w != NULL; w = w->next) {
            if (strcmp(w->key, key) == 0) {
                return w;
            }
        }
    }
    return NULL;
}

static bool enter_locked(struct follow *f, struct flow *w, struct err *err) {
    struct flow *other = find_locked(f, w->key);
    if (f->stopping) {
        return err_set(err, ERR_UNAVAILABLE, "the host is stopping");
    }
    if (other != NULL) {
        bool leaves = other->ending || other->finished || other->discard;
        return err_set(err, leaves ? ERR_BUSY : ERR_CONFLICT, "'%s' is %s", w->key,
                       leaves ? "still ending" : "followed already");
    }
    if (f->count >= FOLLOW_MAX) {
        return err_set(err, ERR_BUSY, "%d streams are followed already", FOLLOW_MAX);
    }
    f->count++;
    w->next = f->incoming;
    f->incoming = w;
    return true;
}

bool follow_start(struct follow *f, const struct follow_spec *spec, struct err *err) {
    struct flow *w = mem_alloc(sizeof *w);
    bool bytes = spec->resume == FOLLOW_REPLAY;
    w->follow = f;
    w->fd = w->watch = -1;
    w->key = mem_dup(spec->key);
    w->topic = mem_dup(spec->topic);
    w->job = mem_dup(spec->job);
    w->data = mem_dup(spec->data);
    w->file = mem_dup(spec->file);
    w->batch_ms = spec->batch_ms;
    w->batch_max = spec->batch_max;
    w->format = spec->format;
    w->punch = spec->punch;
    w->dirty = true;
    w->state = "starting";
    w->parse = follow_parse_new(spec->format, spec->cursor, bytes, flow_item, w, err);
    if (w->parse == NULL) {
        flow_free(w);
        return false;
    }
    if (w->file == NULL) {
        http_copy(w, spec);
    }
    pthread_mutex_lock(&f->lock);
    bool entered = enter_locked(f, w, err);
    pthread_mutex_unlock(&f->lock);
    if (!entered) {
        w->http.netns = NULL; /* stays the caller's */
        flow_free(w);
        return false;
    }
    curl_multi_wakeup(f->multi);
    return true;
}

bool follow_end(struct follow *f, const char *key) {
    pthread_mutex_lock(&f->lock);
    struct flow *w = find_locked(f, key);
    if (w != NULL) {
        w->ending = true;
    }
    pthread_mutex_unlock(&f->lock);
    curl_multi_wakeup(f->multi);
    return w != NULL;
}

bool follow_wait(struct follow *f, const char *key, int64_t deadline_ms) {
    struct timespec until = {.tv_sec = deadline_ms / 1000, .tv_nsec = deadline_ms % 1000 * 1000000};
    int result = 0;
    bool there;
    pthread_mutex_lock(&f->lock);
    while ((there = find_locked(f, key) != NULL) && !f->stopping && result != ETIMEDOUT) {
        result = pthread_cond_timedwait(&f->changed, &f->lock, &until);
    }
    pthread_mutex_unlock(&f->lock);
    return !there;
}

static void list_one_locked(const struct flow *w, struct buf *out) {
    buf_adds(out, "{\"key\":");
    value_string(out, w->key, strlen(w->key));
    buf_addf(out,
             ",\"source\":\"%s\",\"format\":\"%s\",\"job\":", w->file != NULL ? "file" : "http",
             follow_format_name(w->format));
    value_string(out, w->job, strlen(w->job));
    bool leaves = w->ending || w->finished || w->discard;
    buf_addf(out, ",\"state\":\"%s\",\"pending\":%zu,\"tries\":%d", leaves ? "ending" : w->state,
             w->bytes, w->tries);
    if (w->delivered.len > 0) {
        buf_addf(out, ",\"cursor\":%s", w->delivered.data);
    }
    if (w->error[0] != '\0') {
        buf_adds(out, ",\"error\":");
        value_string(out, w->error, strlen(w->error));
    }
    buf_addc(out, '}');
}

void follow_list(struct follow *f, struct buf *out) {
    buf_addc(out, '[');
    pthread_mutex_lock(&f->lock);
    struct flow *lists[] = {f->flows, f->incoming};
    bool any = false;
    for (int i = 0; i < 2; i++) {
        for (struct flow *w = lists[i]; w != NULL; w = w->next, any = true) {
            buf_adds(out, any ? "," : "");
            list_one_locked(w, out);
        }
    }
    pthread_mutex_unlock(&f->lock);
    buf_addc(out, ']');
}

void follow_stop(struct follow *f) {
    pthread_mutex_lock(&f->lock);
    bool again = f->stopping;
    f->stopping = true;
    pthread_cond_broadcast(&f->work);
    pthread_cond_broadcast(&f->changed);
    pthread_mutex_unlock(&f->lock);
    if (again) {
        return;
    }
    curl_multi_wakeup(f->multi);
    pthread_join(f->reader, NULL);
    for (int i = 0; i < FOLLOW_THREADS; i++) {
        pthread_join(f->pool[i], NULL);
    }
}

void follow_free(struct follow *f) {
    if (f == NULL) {
        return;
    }
    follow_stop(f);
    struct flow *lists[] = {f->flows, f->incoming};
    for (int i = 0; i < 2; i++) {
        for (struct flow *w = lists[i], *next; w != NULL; w = next) {
            next = w->next;
            flow_free(w);
        }
    }
    curl_multi_cleanup(f->multi);
    close(f->inotify);
    pthread_mutex_destroy(&f->lock);
    pthread_cond_destroy(&f->work);
    pthread_cond_destroy(&f->changed);
    free(f);
}
