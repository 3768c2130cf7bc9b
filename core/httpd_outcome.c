/* httpd_outcome.c - see httpd_outcome.h.  None of it holds a VM while it waits or writes.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "httpd_outcome.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bus.h"
#define DOOR_PLAIN
#include "door.h"
#include "httpd_relay.h"
#include "log.h"
#include "route_call.h"
#include "sse.h"
#include "value.h"
#include "wait.h"

#define AWAIT_MAX_MS   (600 * 1000)
#define AWAIT_SLICE_MS 1000

/* Call the function named in `outcome->next` and put what it answers in its place. */
static bool resume(struct exchange *x, struct outcome *outcome, const char *event,
                   struct err *err) {
    struct httpd *h = x->httpd;
    struct outcome answer = {0};
    int64_t deadline_ms = clock_ms() + h->parts.config->call_ms;
    struct live *live = scripts_live(h->parts.scripts);
    struct vm *vm = workers_take(h->parts.workers, live, deadline_ms, err);
    bool ok = vm != NULL && route_resume(vm, x->request.id, outcome->next, outcome->data, event,
                                         deadline_ms, &answer, err);
    x->generation = live->set->generation;
    if (vm != NULL) {
        workers_put(h->parts.workers, vm);
    }
    live_release(live);
    outcome_clear(outcome);
    *outcome = answer;
    return ok;
}

/* A raise in a script: the log has the text, the caller gets the request's id to name. */
static void serve_failure(struct exchange *x, const struct err *err) {
    if (err->code == ERR_INTERNAL) {
        log_line(LOG_ERROR, "%s %s (%s): %s", x->request.method, x->request.path, x->request.id,
                 err->text);
        send_error(x, 500, ERR_INTERNAL, NULL,
                   "Gander failed on this request; the log has the reason under this request id");
        return;
    }
    log_line(LOG_WARN, "%s %s (%s): %s", x->request.method, x->request.path, x->request.id,
             err->text);
    send_err(x, err);
}

#define STREAM_HEADERS                                                                             \
    "Content-Type: text/event-stream\r\nCache-Control: no-store\r\nX-Accel-Buffering: no\r\n"

static void serve_stream(struct exchange *x, struct outcome *o) {
    struct buf headers = BUF_INIT;
    buf_adds(&headers, STREAM_HEADERS);
    buf_add(&headers, o->headers.data, o->headers.len);
    x->keep = false;
    bool ok = send_head(x, 200, headers.data, false);
    buf_clear(&headers);
    int fd = ok && !x->head ? door_take() : -1;
    if (fd < 0) {
        return;
    }
    const char *last = request_header(&x->request, "Last-Event-ID");
    struct sse_spec spec = {.topics = (const char *const *)o->names,
                            .count = (size_t)o->name_count,
                            .after = last != NULL ? last : o->after,
                            .replay = o->replay,
                            .until_event = o->until_event};
    struct err err;
    if (!sse_adopt(x->httpd->parts.sse, fd, &spec, &err)) {
        log_line(LOG_WARN, "stream %s: %s", x->request.path, err.text);
        close(fd); /* the client sees an end and comes again */
    }
}

/* The event waited for, or NULL: time is over, or the client has gone (*gone), which is looked for
 * once a second so that nobody's absence keeps a thread. */
static struct bus_event *await_event(struct exchange *x, const struct outcome *o, bool *gone) {
    struct bus *bus = x->httpd->parts.host->bus;
    const char *const *topic = (const char *const *)&o->topic;
    int64_t wait_ms = o->timeout_ms < 0 ? 0 : o->timeout_ms;
    int64_t until = clock_ms() + (wait_ms > AWAIT_MAX_MS ? AWAIT_MAX_MS : wait_ms);
    struct buf now = BUF_INIT;
    struct err err;
    struct bus_event *event = NULL;
    if (o->after == NULL) {
        bus_cursor_now(bus, topic, NULL, 1, &now, &err);
    }
    for (bool last = false; event == NULL && !last && !*gone;
         *gone = event == NULL && door_gone()) {
        int64_t slice = clock_ms() + AWAIT_SLICE_MS;
        last = slice >= until;
        event = bus_wait(bus, o->topic, (const char *const *)o->names, (size_t)o->name_count,
                         o->after != NULL ? o->after : now.data, last ? until : slice, &err);
        last = last || (event == NULL && err.code != ERR_TIMEOUT);
    }
    buf_clear(&now);
    return event;
}

/* Wait for one of the events, then let the script make the answer; false with err->code ERR_NONE
 * when there is nobody to answer any more. */
static bool serve_await(struct exchange *x, struct outcome *o, struct err *err) {
    bool gone = false;
    struct bus_event *event = await_event(x, o, &gone);
    struct buf json = BUF_INIT;
    if (event != NULL) {
        buf_adds(&json, "{\"event\":");
        value_string(&json, event->name, strlen(event->name));
        buf_addf(&json, ",\"id\":%lld,\"data\":", (long long)event->id);
        buf_add(&json, event->json, event->len);
        buf_addc(&json, '}');
    }
    bus_event_unref(event);
    err->code = ERR_NONE;
    bool ok = !gone && resume(x, o, json.data, err);
    buf_clear(&json);
    return ok;
}

/* A script's text inside of a header: what could end it becomes '_'. */
static void make_plain(char *text) {
    for (; text != NULL && *text != '\0'; text++) {
        if (*text < ' ' || *text > '~' || *text == '"' || *text == '\\') {
            *text = '_';
        }
    }
}

/* Pieces until the script has no more: `next(data)` answers chunks{body=piece, data=…} with the
 * data of the call after it, or nil at the end. */
static void serve_chunks(struct exchange *x, struct outcome *o) {
    struct err err;
    struct buf headers = BUF_INIT;
    make_plain(o->type);
    make_plain(o->filename);
    buf_addf(&headers, "Content-Type: %s\r\n", o->type == NULL ? "text/plain" : o->type);
    if (o->filename != NULL) {
        buf_addf(&headers, "Content-Disposition: attachment; filename=\"%s\"\r\n", o->filename);
    }
    buf_add(&headers, o->headers.data, o->headers.len);
    bool open = send_head(x, 200, headers.data, true) && !x->head;
    buf_clear(&headers);
    char *next = mem_dup(o->next);
    while (open) {
        if (o->next == NULL) {
            o->next = mem_dup(next);
        }
        if (!resume(x, o, NULL, &err)) {
            log_line(LOG_WARN, "download %s: %s", x->request.path, err.text);
            x->keep = false; /* cut: the client sees that it is not whole */
            break;
        }
        bool more = o->kind == OUT_CHUNKS;
        open = (more && o->body.len == 0) || send_chunk(x, o->body.data, more ? o->body.len : 0);
        x->keep = x->keep && open;
        open = open && more;
    }
    free(next);
}

void outcome_serve(struct exchange *x, struct outcome *o, const struct err *failure) {
    struct err err;
    if (failure != NULL) {
        serve_failure(x, failure);
        return;
    }
    for (int turns = 0; o->kind == OUT_AWAIT && turns < 100; turns++) {
        if (!serve_await(x, o, &err)) {
            x->keep = false;
            if (err.code != ERR_NONE) {
                serve_failure(x, &err);
            }
            return;
        }
    }
    switch (o->kind) {
    case OUT_STREAM:
        serve_stream(x, o);
        break;
    case OUT_CHUNKS:
        serve_chunks(x, o);
        break;
    case OUT_RELAY:
        relay_serve(x, o);
        break;
    default:
        send_answer(x, o->status, o->headers.data, o->body.data, o->body.len);
    }
}
