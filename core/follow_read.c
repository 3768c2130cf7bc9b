/* follow_read.c - the reading thread of follow: its loop, and files.  See follow.h.
 *
 * Files are watched by inotify and looked at each second besides (creation, replacement, a missed
 * event).  The loop wakes for sockets, inotify, curl_multi_wakeup, or the next thing that is due.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "follow_inner.h"

#include <curl/curl.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "wait.h"

#define LOOK_MS     1000
#define PARTIAL_MS  2000 /* a line without its end is given out after so long */
#define PUNCH_STEP  ((int64_t)64 << 10)
#define READ_SIZE   ((size_t)64 << 10)
#define BEHIND_MAX  ((int64_t)16 << 20) /* of a file that is ours to free; more is left out, */
#define BEHIND_KEPT ((int64_t)4 << 20)  /* but for its end */
#define READ_TURNS  16                  /* blocks of one file before the others have their turn */

static bool flag(struct flow *w, const bool *which) {
    pthread_mutex_lock(&w->follow->lock);
    bool set = *which;
    pthread_mutex_unlock(&w->follow->lock);
    return set;
}

static void set_state(struct flow *w, const char *state) {
    pthread_mutex_lock(&w->follow->lock);
    w->state = state;
    pthread_mutex_unlock(&w->follow->lock);
}

static void unwatch(struct flow *w) {
    bool shared = false; /* a watch belongs to the file, not to us */
    for (struct flow *other = w->follow->flows; other != NULL; other = other->next) {
        shared = shared || (other != w && other->watch == w->watch);
    }
    if (w->watch >= 0 && !shared) {
        inotify_rm_watch(w->follow->inotify, w->watch);
    }
    w->watch = -1;
}

static int64_t cursor_offset(const struct buf *cursor) {
    return cursor->len > 0 ? strtoll(cursor->data, NULL, 10) : 0;
}

/* Open the file, or the one that took its place.  What lies in a hole is passed over. */
static bool file_open(struct flow *w) {
    struct stat st;
    int fd = open(w->file, (w->punch ? O_RDWR : O_RDONLY) | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        if (fd >= 0) {
            close(fd);
        }
        return false;
    }
    w->fd = fd;
    w->inode = st.st_ino;
    w->watch = inotify_add_watch(w->follow->inotify, w->file, IN_MODIFY);
    struct buf at = BUF_INIT;
    follow_parse_cursor(w->parse, &at);
    w->offset = cursor_offset(&at);
    buf_clear(&at);
    off_t data = lseek(fd, w->offset, SEEK_DATA);
    if (data > w->offset) {
        follow_parse_pass(w->parse, data - w->offset);
        w->offset = data;
    }
    return true;
}

/* Another file has the name now, and ours is at its end. */
static bool file_replaced(struct flow *w) {
    struct stat st;
    return stat(w->file, &st) == 0 && st.st_ino != w->inode;
}

static void file_reopen(struct flow *w) {
    unwatch(w);
    close(w->fd);
    w->fd = -1;
    w->punch = false; /* what was delivered may still be of the old one */
    follow_parse_rewind(w->parse);
    file_open(w);
}

/* A sandbox may write faster than can be stored, and the disk is everybody's: leave out what is far
 * behind, and say so in a line of its own.  At the end of a flow there is less time for the rest.
 */
static void file_skip(struct flow *w, bool ending) {
    struct stat st;
    char note[120];
    if (!w->punch || w->fd < 0 || fstat(w->fd, &st) != 0 ||
        st.st_size - w->offset <= (ending ? BEHIND_KEPT : BEHIND_MAX)) {
        return;
    }
    int64_t n = st.st_size - w->offset - BEHIND_KEPT;
    int len = snprintf(note, sizeof note,
                       "%s[%lld KiB left out: they came faster than they could be stored]\n",
                       follow_parse_waits(w->parse) ? "\n" : "", (long long)n / 1024);
    if (n <= len) {
        return;
    }
    follow_parse_feed(w->parse, note, (size_t)len, NULL);
    follow_parse_pass(w->parse, n - len);
    fallocate(w->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, w->offset, n);
    w->offset += n;
}

/* Read until the end, or until there is no room.  true: the end. */
static bool file_read(struct flow *w) {
    static char block[READ_SIZE]; /* the reading thread's */
    for (int turn = 0; turn < READ_TURNS; turn++) {
        if (!flow_has_room(w)) {
            set_state(w, "paused");
            return false;
        }
        ssize_t n = pread(w->fd, block, sizeof block, w->offset);
        if (n <= 0) {
            set_state(w, "reading");
            return true; /* an error shows again at the next look */
        }
        w->offset += n;
        w->data_at = clock_ms();
        follow_parse_feed(w->parse, block, (size_t)n, NULL);
    }
    return false;
}

static void file_punch(struct flow *w) {
    pthread_mutex_lock(&w->follow->lock);
    int64_t done = cursor_offset(&w->delivered) & ~INT64_C(4095);
    pthread_mutex_unlock(&w->follow->lock);
    if (w->punch && w->fd >= 0 && done >= w->punched + PUNCH_STEP) {
        fallocate(w->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, done);
        w->punched = done;
    }
}

int64_t partial_step(struct flow *w, int64_t now, int64_t due) {
    if (!follow_parse_waits(w->parse)) {
        return due;
    }
    if (now - w->data_at >= PARTIAL_MS) {
        follow_parse_flush(w->parse, true);
        return due;
    }
    return w->data_at + PARTIAL_MS < due ? w->data_at + PARTIAL_MS : due;
}

static int64_t file_step(struct flow *w, int64_t now) {
    bool look = now - w->checked_at >= LOOK_MS, ending = flag(w, &w->ending), at_end = false;
    if (w->fd < 0 && (look || w->dirty) && !file_open(w)) {
        set_state(w, "waiting");
    }
    file_skip(w, ending);
    if (w->fd >= 0 && (look || w->dirty || ending)) {
        at_end = file_read(w);
        w->dirty = !at_end;
        if (at_end && look && !ending && file_replaced(w)) {
            file_reopen(w);
            w->dirty = true;
        }
    }
    w->checked_at = look ? now : w->checked_at;
    if (ending && (w->fd < 0 || at_end)) {
        follow_parse_flush(w->parse, false);
        flow_finish(w, NULL);
        return now;
    }
    int64_t due = partial_step(w, now, w->checked_at + LOOK_MS);
    file_punch(w);
    return w->dirty && flow_has_room(w) ? now : due;
}

/* Hand the first batch to the pool once it is due; when to look again. */
static int64_t deliver_step(struct flow *w, int64_t now) {
    struct follow *f = w->follow;
    int64_t due = now + 60000;
    pthread_mutex_lock(&f->lock);
    struct batch *b = w->first;
    if (b != NULL && !w->in_flight && !w->discard) {
        bool full = b->next != NULL || b->count >= w->batch_max || b->items.len >= BATCH_BYTES;
        due = full || b->ended || b->error != NULL ? now : b->since + w->batch_ms;
        due = due > w->retry_at ? due : w->retry_at;
        if (due <= now) {
            w->in_flight = true;
            w->next_job = NULL;
            *(f->jobs == NULL ? &f->jobs : &f->jobs_last->next_job) = w;
            f->jobs_last = w;
            pthread_cond_signal(&f->work);
            due = now + 60000; /* the pool wakes us */
        }
    }
    pthread_mutex_unlock(&f->lock);
    return due;
}

/* Nothing is left to do for it. */
static bool is_over(struct flow *w) {
    pthread_mutex_lock(&w->follow->lock);
    bool over = !w->in_flight && (w->discard || (w->finished && w->first == NULL));
    pthread_mutex_unlock(&w->follow->lock);
    return over;
}

static int64_t flow_step(struct flow *w, int64_t now) {
    int64_t due = now + 60000;
    if (!flag(w, &w->finished) && !flag(w, &w->discard)) {
        due = w->file != NULL ? file_step(w, now) : http_step(w, now);
    }
    int64_t delivery = deliver_step(w, now);
    return due < delivery ? due : delivery;
}

static void remove_flow(struct follow *f, struct flow **at) {
    struct flow *w = *at;
    if (w->file != NULL) {
        unwatch(w);
    } else {
        http_stop(w);
    }
    pthread_mutex_lock(&f->lock);
    *at = w->next;
    f->count--;
    pthread_cond_broadcast(&f->changed);
    pthread_mutex_unlock(&f->lock);
    flow_free(w);
}

/* One turn over all flows; when the next thing is due. */
static int64_t step_all(struct follow *f) {
    int64_t now = clock_ms(), due = now + LOOK_MS;
    for (struct flow **at = &f->flows; *at != NULL;) {
        int64_t next = flow_step(*at, now);
        due = next < due ? next : due;
        if (is_over(*at)) {
            remove_flow(f, at);
        } else {
            at = &(*at)->next;
        }
    }
    return due;
}

static void take_incoming(struct follow *f) {
    pthread_mutex_lock(&f->lock);
    while (f->incoming != NULL) {
        struct flow *w = f->incoming;
        f->incoming = w->next;
        w->next = f->flows;
        f->flows = w;
    }
    pthread_mutex_unlock(&f->lock);
}

static void take_inotify(struct follow *f) {
    _Alignas(struct inotify_event) char data[8192];
    ssize_t n;
    while ((n = read(f->inotify, data, sizeof data)) > 0) {
        for (char *at = data; at < data + n;) {
            const struct inotify_event *event = (const struct inotify_event *)(void *)at;
            for (struct flow *w = f->flows; w != NULL; w = w->next) {
                w->dirty = w->dirty || w->watch == event->wd || event->mask & IN_Q_OVERFLOW;
            }
            at += sizeof *event + event->len;
        }
    }
}

static void take_transfers(struct follow *f) {
    int running, left;
    curl_multi_perform(f->multi, &running);
    for (CURLMsg *message; (message = curl_multi_info_read(f->multi, &left)) != NULL;) {
        if (message->msg == CURLMSG_DONE) {
            struct flow *w = NULL;
            CURLcode result = message->data.result;
            curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &w);
            http_done(w, (int)result);
        }
    }
}

void *follow_read(void *ctx) {
    struct follow *f = ctx;
    struct curl_waitfd inotify = {.fd = f->inotify, .events = CURL_WAIT_POLLIN};
    for (bool stopping = false; !stopping;) {
        take_incoming(f);
        take_transfers(f);
        int64_t due = step_all(f), now = clock_ms();
        curl_multi_poll(f->multi, &inotify, 1, due > now ? (int)(due - now) : 0, NULL);
        take_inotify(f);
        pthread_mutex_lock(&f->lock);
        stopping = f->stopping;
        pthread_mutex_unlock(&f->lock);
    }
    for (struct flow *w = f->flows; w != NULL; w = w->next) {
        if (w->file == NULL) {
            http_stop(w);
        }
    }
    return NULL;
}
