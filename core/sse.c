/* sse.c - sockets and threads of the event streams.  See sse.h.
 *
 * The engine's thread owns all clients.  A publisher's callback (under the bus's lock) and the
 * helpers only put a client on the list `ready` and ring the eventfd.  A client is freed by the
 * engine's thread alone, after its subscription has ended and no helper has it any more.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "sse_inner.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "log.h"
#include "wait.h"

#define PING_MS   10000
#define STUCK_MS  30000 /* a socket that takes nothing for so long is given up */
#define LINGER_MS 2000  /* from our end of a stream to closing its socket */
#define SWEEP_MS  1000

void sse_count_add(struct sse *s, int64_t *count, int64_t n) {
    pthread_mutex_lock(&s->lock);
    *count += n;
    pthread_mutex_unlock(&s->lock);
}

static void ring(struct sse *s) {
    uint64_t one = 1;
    ssize_t n = write(s->wake, &one, sizeof one);
    (void)n; /* full means it rings already */
}

/* Have the engine's thread look at a client. */
static void make_ready(struct client *c) {
    struct sse *s = c->sse;
    pthread_mutex_lock(&s->lock);
    if (!c->queued) {
        c->queued = true;
        c->next_ready = NULL;
        *(s->ready == NULL ? &s->ready : &s->ready_last->next_ready) = c;
        s->ready_last = c;
        ring(s);
    }
    pthread_mutex_unlock(&s->lock);
}

static void on_publish(void *ctx, const struct bus_event *event) {
    (void)event;
    make_ready(ctx);
}

static struct client *take_ready(struct sse *s) {
    pthread_mutex_lock(&s->lock);
    struct client *c = s->ready;
    if (c != NULL) {
        s->ready = c->next_ready;
        c->queued = false;
    }
    pthread_mutex_unlock(&s->lock);
    return c;
}

void sse_ask(struct client *c) {
    struct sse *s = c->sse;
    pthread_mutex_lock(&s->lock);
    c->next_job = NULL;
    *(s->jobs == NULL ? &s->jobs : &s->jobs_last->next_job) = c;
    s->jobs_last = c;
    pthread_cond_signal(&s->work);
    pthread_mutex_unlock(&s->lock);
}

/* A helper: answers questions until the engine stops; then it hands the rest back unanswered. */
static void *helper_run(void *ctx) {
    struct sse *s = ctx;
    pthread_mutex_lock(&s->lock);
    for (;;) {
        while (s->jobs == NULL && !s->stopping) {
            pthread_cond_wait(&s->work, &s->lock);
        }
        struct client *c = s->jobs;
        if (c == NULL) {
            break;
        }
        s->jobs = c->next_job;
        bool stopping = s->stopping;
        pthread_mutex_unlock(&s->lock);
        struct err err = {.code = ERR_NONE};
        c->answered = !stopping && s->hooks.replay(s->hooks.ctx, c->replay, c->question.data,
                                                   c->question.len, &c->answer, &err);
        if (!c->answered && !stopping) {
            log_line(LOG_WARN, "%s: %s", c->replay, err.text);
        }
        pthread_mutex_lock(&s->lock);
        c->filled = true;
        pthread_mutex_unlock(&s->lock);
        make_ready(c);
        pthread_mutex_lock(&s->lock);
    }
    pthread_mutex_unlock(&s->lock);
    return NULL;
}

static void client_free(struct client *c) {
    if (c->fd >= 0) {
        close(c->fd);
    }
    bus_unsubscribe(c->sub);
    bus_reader_clear(&c->reader);
    buf_clear(&c->out);
    buf_clear(&c->question);
    buf_clear(&c->answer);
    free(c->replay);
    free(c->until);
    free(c);
}

/* Close the socket now; free the client now or, when a helper has it, when that is done. */
static void client_drop(struct client *c) {
    struct sse *s = c->sse;
    if (!c->dead) {
        c->dead = true;
        /* Closing alone does not take it out: the door's descriptor of the same socket may be open.
         */
        epoll_ctl(s->epoll, EPOLL_CTL_DEL, c->fd, NULL);
        close(c->fd);
        c->fd = -1;
        bus_unsubscribe(c->sub);
        c->sub = NULL;
        sse_count_add(s, &s->counts.clients, -1);
    }
    if (c->filling != NULL) {
        return;
    }
    pthread_mutex_lock(&s->lock);
    bool queued = c->queued;
    pthread_mutex_unlock(&s->lock);
    if (queued) {
        return; /* it comes by again */
    }
    *(c->older != NULL ? &c->older->newer : &s->first) = c->newer;
    if (c->newer != NULL) {
        c->newer->older = c->older;
    }
    client_free(c);
}

/* Send what is written; false: the client is gone (and dropped). */
static bool client_send(struct client *c) {
    while (c->sent < c->out.len) {
        ssize_t n =
            send(c->fd, c->out.data + c->sent, c->out.len - c->sent, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n >= 0) {
            c->sent += (size_t)n;
            c->active_at = clock_ms();
        } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
            return true; /* epoll tells when it goes on */
        } else if (errno != EINTR) {
            client_drop(c);
            return false;
        }
    }
    c->sent = 0;
    if (c->out.size > SSE_PENDING_MAX / 16) {
        buf_clear(&c->out); /* ten thousand idle clients shall cost little */
    } else {
        buf_reset(&c->out);
    }
    return true;
}

/* Send, read on, send … until the socket is full or nothing is unread. */
static void client_pump(struct client *c) {
    for (;;) {
        if (!client_send(c) || c->out.len > 0) {
            return;
        }
        if (c->ending) {
            if (c->ended_at == 0) {
                c->ended_at = clock_ms();
                shutdown(c->fd, SHUT_WR);
            }
            return;
        }
        if (!client_fill(c)) {
            return;
        }
    }
}

/* A client seen for the first time: from here on the bus rings for it. */
static void client_enter(struct client *c) {
    struct sse *s = c->sse;
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data.ptr = c};
    const char *topics[BUS_TOPICS_MAX];
    for (size_t i = 0; i < c->reader.count; i++) {
        topics[i] = c->reader.places[i].topic;
    }
    c->newer = s->first;
    if (s->first != NULL) {
        s->first->older = c;
    }
    s->first = c;
    c->active_at = clock_ms();
    c->sub = bus_subscribe(s->bus, topics, c->reader.count, on_publish, c);
    client_greet(c);
    if (epoll_ctl(s->epoll, EPOLL_CTL_ADD, c->fd, &event) != 0) {
        log_line(LOG_WARN, "sse: epoll: %s", strerror(errno));
        client_drop(c);
        return;
    }
    client_pump(c);
}

static void handle_ready(struct sse *s) {
    for (struct client *c; (c = take_ready(s)) != NULL;) {
        pthread_mutex_lock(&s->lock);
        bool filled = c->filled;
        c->filled = false;
        pthread_mutex_unlock(&s->lock);
        if (c->dead) {
            c->filling = filled ? NULL : c->filling;
            client_drop(c);
        } else if (c->sub == NULL) {
            client_enter(c);
        } else {
            if (filled) {
                client_filled(c);
            }
            client_pump(c);
        }
    }
}

static void handle_socket(struct client *c, uint32_t events) {
    char rest[4096];
    ssize_t n = 1;
    if (c->dead) {
        return; /* of the same round */
    }
    while (events & EPOLLIN && (n = recv(c->fd, rest, sizeof rest, MSG_DONTWAIT)) > 0) {
    } /* nothing a client sends means anything here */
    bool gone = n == 0 || (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR);
    if (gone || events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) {
        client_drop(c);
    } else if (events & EPOLLOUT) {
        client_pump(c);
    }
}

/* Once a second: pings, and clients that are stuck or were told the end. */
static void sweep(struct sse *s) {
    int64_t now = clock_ms();
    for (struct client *c = s->first, *next; c != NULL; c = next) {
        next = c->newer;
        if (c->dead) {
            continue;
        }
        if (c->ended_at != 0) {
            if (now - c->ended_at >= LINGER_MS) {
                client_drop(c);
            }
        } else if (c->out.len > 0) {
            if (now - c->active_at >= STUCK_MS) {
                sse_count_add(s, &s->counts.dropped, 1);
                client_drop(c);
            }
        } else if (now - c->active_at >= PING_MS) {
            buf_adds(&c->out, ": ping\n\n");
            client_pump(c);
        }
    }
}

static bool is_stopping(struct sse *s) {
    pthread_mutex_lock(&s->lock);
    bool stopping = s->stopping;
    pthread_mutex_unlock(&s->lock);
    return stopping;
}

static void *engine_run(void *ctx) {
    struct sse *s = ctx;
    struct epoll_event events[256];
    int64_t swept = clock_ms();
    while (!is_stopping(s)) {
        int n = epoll_wait(s->epoll, events, 256, SWEEP_MS);
        for (int i = 0; i < n; i++) {
            if (events[i].data.ptr == NULL) {
                uint64_t rings;
                ssize_t got = read(s->wake, &rings, sizeof rings);
                (void)got;
            } else {
                handle_socket(events[i].data.ptr, events[i].events);
            }
        }
        handle_ready(s);
        if (clock_ms() - swept >= SWEEP_MS) {
            swept = clock_ms();
            sweep(s);
        }
    }
    return NULL;
}

static bool open_descriptors(struct sse *s, struct err *err) {
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
    s->epoll = epoll_create1(EPOLL_CLOEXEC);
    s->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (s->epoll < 0 || s->wake < 0 || epoll_ctl(s->epoll, EPOLL_CTL_ADD, s->wake, &event) != 0) {
        return err_errno(err, errno, "cannot start the event streams");
    }
    return true;
}

struct sse *sse_new(struct bus *bus, const struct sse_hooks *hooks, size_t clients_max,
                    struct err *err) {
    struct sse *s = mem_alloc(sizeof *s);
    s->bus = bus;
    s->hooks = *hooks;
    s->clients_max = clients_max;
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->work, NULL);
    if (!open_descriptors(s, err)) {
        s->stopping = true;
        sse_free(s);
        return NULL;
    }
    if (pthread_create(&s->thread, NULL, engine_run, s) != 0 ||
        pthread_create(&s->helpers[0], NULL, helper_run, s) != 0 ||
        pthread_create(&s->helpers[1], NULL, helper_run, s) != 0) {
        abort(); /* no threads at start */
    }
    return s;
}

bool sse_adopt(struct sse *s, int fd, const struct sse_spec *spec, struct err *err) {
    struct client *c = mem_alloc(sizeof *c);
    c->sse = s;
    c->fd = -1;
    if (!bus_reader_init(s->bus, &c->reader, spec->topics, spec->count, err)) {
        client_free(c);
        return false;
    }
    c->boot_changed = spec->after != NULL && !bus_cursor_parse(s->bus, spec->after, &c->reader);
    c->replay = mem_dup(spec->replay);
    c->until = mem_dup(spec->until_event);
    pthread_mutex_lock(&s->lock);
    bool full = s->stopping || (size_t)s->counts.clients >= s->clients_max;
    if (!full) {
        s->counts.clients++;
        s->counts.adopted++;
    }
    pthread_mutex_unlock(&s->lock);
    if (full) {
        client_free(c);
        return err_set(err, ERR_BUSY, "there are %zu event streams already", s->clients_max);
    }
    c->fd = fd;
    make_ready(c);
    return true;
}

void sse_stop(struct sse *s) {
    pthread_mutex_lock(&s->lock);
    bool again = s->stopping;
    s->stopping = true;
    pthread_cond_broadcast(&s->work);
    pthread_mutex_unlock(&s->lock);
    if (again) {
        return;
    }
    ring(s);
    pthread_join(s->thread, NULL);
    pthread_join(s->helpers[0], NULL);
    pthread_join(s->helpers[1], NULL);
    for (struct client *c; (c = take_ready(s)) != NULL;) {
        if (c->sub == NULL && !c->dead) { /* never entered */
            shutdown(c->fd, SHUT_WR);
            client_free(c);
        }
    }
    while (s->first != NULL) {
        struct client *c = s->first;
        s->first = c->newer;
        if (c->fd >= 0) {
            shutdown(c->fd, SHUT_WR);
        }
        client_free(c);
    }
    s->counts.clients = 0;
}

void sse_free(struct sse *s) {
    if (s != NULL) {
        sse_stop(s);
        if (s->epoll >= 0) {
            close(s->epoll);
        }
        if (s->wake >= 0) {
            close(s->wake);
        }
        pthread_cond_destroy(&s->work);
        pthread_mutex_destroy(&s->lock);
        free(s);
    }
}

struct sse_count sse_counts(struct sse *s) {
    pthread_mutex_lock(&s->lock);
    struct sse_count counts = s->counts;
    pthread_mutex_unlock(&s->lock);
    return counts;
}
