/* sse_client.c - what one client of the sse engine is sent, and in which order.  See sse.h.
 *
 * client_fill() is called when all that was written is sent: it reads the bus at the client's
 * place; if events there are lost it resets or has a helper fetch them, and sends nothing else
 * until they are there.  Places count, not queues: what is published meanwhile stays unread.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "sse_inner.h"

#include <inttypes.h>
#include <string.h>

#include "json.h"

#define READ_MAX 64

static void put_id(struct client *c) {
    buf_adds(&c->out, "id: ");
    bus_cursor_format(c->sse->bus, &c->reader, &c->out);
    buf_addc(&c->out, '\n');
}

static void put_event(struct client *c, const char *name, const char *json, size_t len) {
    put_id(c);
    buf_addf(&c->out, "event: %s\n", name);
    const char *end = json + len;
    for (const char *line = json, *stop; line <= end; line = stop + 1) {
        stop = memchr(line, '\n', (size_t)(end - line));
        stop = stop == NULL ? end : stop;
        buf_adds(&c->out, "data: ");
        buf_add(&c->out, line, (size_t)(stop - line));
        buf_addc(&c->out, '\n');
    }
    buf_addc(&c->out, '\n');
    c->ending = c->until != NULL && strcmp(name, c->until) == 0;
}

void client_greet(struct client *c) {
    buf_adds(&c->out, "retry: 1000\n");
    if (!c->boot_changed) {
        put_id(c);
    }
    buf_addc(&c->out, '\n');
}

static bool can_ask(const struct client *c, const struct bus_place *p) {
    return p->id >= 0 && c->replay != NULL && c->sse->hooks.replay != NULL;
}

static void reset(struct client *c) {
    bus_reader_skip(c->sse->bus, &c->reader);
    put_event(c, "reset", "{}", 2);
    sse_count_add(c->sse, &c->sse->counts.resets, 1);
}

static void ask(struct client *c, struct bus_place *p) {
    struct buf *q = &c->question;
    c->filling = p;
    c->filled_to = bus_now(c->sse->bus);
    buf_reset(q);
    buf_reset(&c->answer);
    buf_adds(q, "{\"topic\":");
    value_string(q, p->topic, strlen(p->topic));
    buf_addf(q, ",\"after\":%" PRId64 ",\"boot_changed\":%s}", p->id,
             c->boot_changed ? "true" : "false");
    sse_count_add(c->sse, &c->sse->counts.replays, 1);
    sse_ask(c);
}

/* Some topic is lost: first say so for those that nobody can fill in, then fetch the others. */
static bool make_up(struct client *c) {
    struct bus_place *first = NULL;
    bool hopeless = false;
    for (size_t i = 0; i < c->reader.count; i++) {
        struct bus_place *p = &c->reader.places[i];
        if (p->lost && can_ask(c, p)) {
            p->lost = false; /* kept where it is */
            first = first == NULL ? p : first;
        } else {
            hopeless = hopeless || p->lost;
        }
    }
    if (hopeless) {
        reset(c);
        return true;
    }
    ask(c, first);
    return false;
}

bool client_fill(struct client *c) {
    struct bus_event *events[READ_MAX];
    struct bus_place *places[READ_MAX];
    bool lost;
    if (c->filling != NULL) {
        return false;
    }
    size_t n = bus_read(c->sse->bus, &c->reader, events, places, READ_MAX, &lost), sent = 0;
    if (lost) {
        return make_up(c);
    }
    for (size_t i = 0; i < n; i++) {
        if (!c->ending && c->out.len < SSE_PENDING_MAX) {
            bus_read_done(&c->reader, places[i], events[i]);
            put_event(c, events[i]->name, events[i]->json, events[i]->len);
            sent++;
        }
        bus_event_unref(events[i]);
    }
    sse_count_add(c->sse, &c->sse->counts.events, (int64_t)sent);
    return n > 0;
}

/* One of "events", after its brace: {"event", "id", "data"} in any order.  false: bad text. */
static bool take_event(struct client *c, struct value_scan *s) {
    struct buf name = BUF_INIT, data = BUF_INIT;
    int64_t id = 0;
    bool good = true;
    enum value_token token = VALUE_ERROR;
    while (good && (token = value_next(s)) == VALUE_KEY) {
        bool is_event = strcmp(s->text.data, "event") == 0, is_id = strcmp(s->text.data, "id") == 0;
        bool is_data = strcmp(s->text.data, "data") == 0;
        token = value_next(s);
        if (is_event && token == VALUE_STRING) {
            buf_add(&name, s->text.data, s->text.len);
        } else if (is_id && token == VALUE_INTEGER) {
            id = s->integer;
        } else {
            good = is_data ? json_copy(s, token, &data) : json_skip(s, token);
        }
    }
    good = good && token == VALUE_OBJECT_END && name.len > 0 && strpbrk(name.data, "\r\n") == NULL;
    if (good && id > c->filling->id && !c->ending) {
        c->filling->id = id;
        put_event(c, name.data, data.len > 0 ? data.data : "null", data.len > 0 ? data.len : 4);
    }
    buf_clear(&name);
    buf_clear(&data);
    return good;
}

/* The events go to `out`; *more: there are others after them.  false: it cannot, or bad text. */
static bool take_answer(struct client *c, bool *more) {
    struct value_scan s;
    value_scan_init(&s, c->answer.data, c->answer.len, VALUE_DEPTH, NULL);
    bool good = value_next(&s) == VALUE_OBJECT;
    while (good && value_next(&s) == VALUE_KEY) {
        bool is_events = strcmp(s.text.data, "events") == 0;
        bool is_more = strcmp(s.text.data, "more") == 0;
        enum value_token token = value_next(&s);
        if (is_events && token == VALUE_ARRAY) {
            while (good && (token = value_next(&s)) == VALUE_OBJECT) {
                good = take_event(c, &s);
            }
            good = good && token == VALUE_ARRAY_END;
        } else {
            *more = is_more ? token == VALUE_TRUE : *more;
            good = json_skip(&s, token); /* an empty list may come as {} */
        }
    }
    value_scan_clear(&s);
    return good;
}

void client_filled(struct client *c) {
    struct bus_place *p = c->filling;
    int64_t before = p->id;
    bool more = false;
    if (!c->answered || !take_answer(c, &more)) {
        c->filling = NULL;
        p->id = -1; /* it moves to now, with those that have no id */
        reset(c);
        return;
    }
    c->filling = NULL;
    if (more && p->id > before) {
        return; /* it is found lost again, and the next ones are asked for */
    }
    p->synced = c->filled_to;
}
