/* follow_http.c - HTTP answers that go on: connect, resume, back off.  See follow.h.
 *
 * All on the reading thread.  A transfer's hooks run inside curl_multi_perform and only parse; it
 * is taken down and put up again from the loop.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "follow_inner.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "netns.h"
#include "value.h"
#include "wait.h"

#define BACKOFF_MS     250
#define BACKOFF_MAX_MS 10000

bool http_copy(struct flow *w, const struct follow_spec *spec) {
    struct fetch_spec *h = &w->http;
    *h = *spec->http;
    h->method = mem_dup(h->method);
    h->url = mem_dup(h->url);
    h->body = h->body == NULL ? NULL : mem_dupn(h->body, h->body_len);
    h->body_file = mem_dup(h->body_file);
    h->unix_path = mem_dup(h->unix_path);
    h->ca = mem_dup(h->ca);
    h->timeout_ms = 0;
    w->resume = spec->resume;
    size_t n = 0;
    while (h->headers != NULL && h->headers[n] != NULL) {
        n++;
    }
    w->headers = mem_alloc((n + 2) * sizeof *w->headers); /* the last place is Last-Event-ID's */
    for (size_t i = 0; i < n; i++) {
        w->headers[i] = mem_dup(h->headers[i]);
    }
    h->headers = (const char *const *)w->headers;
    return true;
}

void http_clear(struct flow *w) {
    http_stop(w);
    fetch_free(w->fetch);
    for (char **header = w->headers; header != NULL && *header != NULL; header++) {
        free(*header);
    }
    free(w->headers);
    free(w->url);
    char *owned[] = {(char *)w->http.method,    (char *)w->http.url,       (char *)w->http.body,
                     (char *)w->http.body_file, (char *)w->http.unix_path, (char *)w->http.ca};
    for (size_t i = 0; i < sizeof owned / sizeof owned[0]; i++) {
        free(owned[i]);
    }
    netns_free(w->http.netns);
}

void http_stop(struct flow *w) {
    if (w->running) {
        curl_multi_remove_handle(w->follow->multi, fetch_handle(w->fetch));
        w->running = w->paused = false;
    }
}

/* The cursor as plain text: a string without its quotes, a number as it is. */
static void cursor_text(struct flow *w, struct buf *out) {
    struct buf json = BUF_INIT;
    struct value_scan s;
    follow_parse_cursor(w->parse, &json);
    value_scan_init(&s, json.len > 0 ? json.data : "null", json.len > 0 ? json.len : 4, 2, NULL);
    enum value_token token = value_next(&s);
    if (token == VALUE_STRING) {
        buf_add(out, s.text.data, s.text.len);
    } else if (token == VALUE_INTEGER && s.integer > 0) {
        buf_add(out, json.data, json.len);
    }
    value_scan_clear(&s);
    buf_clear(&json);
}

static void put_header(struct flow *w, const char *name, const struct buf *value) {
    size_t n = 0, len = strlen(name);
    while (w->headers[n] != NULL &&
           (strncmp(w->headers[n], name, len) != 0 || w->headers[n][len] != ':')) {
        n++;
    }
    struct buf line = BUF_INIT;
    buf_addf(&line, "%s: %s", name, value->data);
    free(w->headers[n]);
    w->headers[n] = buf_take(&line);
}

static void put_after(struct flow *w, const struct buf *value) {
    struct buf url = BUF_INIT;
    char *escaped = curl_easy_escape(fetch_handle(w->fetch), value->data, (int)value->len);
    buf_addf(&url, "%s%cafter=%s", w->http.url, strchr(w->http.url, '?') != NULL ? '&' : '?',
             escaped);
    curl_free(escaped);
    free(w->url);
    w->url = buf_take(&url);
}

/* The request of the next attempt, which asks for what comes after the cursor. */
static struct fetch_spec next_request(struct flow *w) {
    struct buf cursor = BUF_INIT;
    struct fetch_spec request = w->http;
    cursor_text(w, &cursor);
    if (cursor.len > 0 && w->resume == FOLLOW_LAST_EVENT_ID &&
        fetch_header_good("Last-Event-ID", cursor.data, cursor.len)) {
        put_header(w, "Last-Event-ID", &cursor);
    } else if (cursor.len > 0 && w->resume == FOLLOW_AFTER) {
        put_after(w, &cursor);
        request.url = w->url;
    }
    buf_clear(&cursor);
    return request;
}

static bool on_begin(void *ctx, const struct fetch_reply *reply) {
    struct flow *w = ctx;
    int status = reply->status;
    if (status >= 200 && status < 300) {
        w->failures = 0;
        w->refused = status == 204; /* there is nothing to follow */
        return true;
    }
    w->refused = status >= 300 && status < 500 && status != 408 && status != 425 && status != 429;
    return err_set(&w->broken, err_code_of_status(status), "it answers with status %d", status);
}

static enum fetch_next on_body(void *ctx, const char *data, size_t len) {
    struct flow *w = ctx;
    if (!flow_has_room(w)) {
        w->paused = true;
        return FETCH_PAUSE;
    }
    w->data_at = clock_ms();
    return follow_parse_feed(w->parse, data, len, &w->broken) ? FETCH_ON : FETCH_STOP;
}

static void say(struct flow *w, const char *state, const char *error) {
    pthread_mutex_lock(&w->follow->lock);
    w->state = state;
    if (error != NULL) {
        snprintf(w->error, sizeof w->error, "%.250s", error);
    }
    pthread_mutex_unlock(&w->follow->lock);
}

/* Try again later; tell the job when it goes on failing. */
static void back_off(struct flow *w, const char *error) {
    int64_t ms = (int64_t)BACKOFF_MS << (w->failures < 6 ? w->failures : 6);
    ms = ms < BACKOFF_MAX_MS ? ms : BACKOFF_MAX_MS;
    w->due = clock_ms() + ms / 2 + random() % (ms / 2 + 1);
    say(w, "waiting", error);
    if (error[0] == '\0') {
        return;
    }
    w->failures++;
    if (w->failures == 3 || w->failures % 10 == 0) {
        flow_report(w, error);
    }
}

static void start(struct flow *w) {
    static const struct fetch_hooks hooks = {.begin = on_begin, .body = on_body};
    struct err err;
    if (w->fetch == NULL) {
        w->fetch = fetch_new();
    }
    struct fetch_spec request = next_request(w);
    follow_parse_restart(w->parse, w->resume == FOLLOW_REPLAY);
    w->broken.code = ERR_NONE;
    w->refused = w->paused = false;
    if (!fetch_set(w->fetch, &request, &hooks, w, &err)) {
        flow_finish(w, err.text);
        return;
    }
    curl_multi_add_handle(w->follow->multi, fetch_handle(w->fetch));
    w->running = true;
    say(w, "reading", NULL);
}

int64_t http_step(struct flow *w, int64_t now) {
    pthread_mutex_lock(&w->follow->lock);
    bool ending = w->ending;
    pthread_mutex_unlock(&w->follow->lock);
    if (ending) {
        http_stop(w);
        flow_finish(w, NULL);
        return now;
    }
    if (w->running) {
        if (w->paused && flow_has_room(w)) {
            w->paused = false;
            fetch_resume(w->fetch);
            return now;
        }
        return partial_step(w, now, now + 60000); /* else its socket wakes us, or a delivery */
    }
    if (now < w->due) {
        return w->due;
    }
    start(w);
    return now; /* libcurl wants a first turn */
}

void http_done(struct flow *w, int curl_result) {
    struct err err = {.code = ERR_NONE};
    http_stop(w);
    bool whole = fetch_finish(w->fetch, curl_result, &err) && w->broken.code == ERR_NONE;
    const char *error = whole ? "" : err.text;
    if (w->broken.code != ERR_NONE) {
        err_set(&err, w->broken.code, "%s: %s", fetch_label(w->fetch), w->broken.text);
    }
    if (w->refused) {
        flow_finish(w, whole ? NULL : error);
    } else if (w->resume == FOLLOW_NO_RESUME || (whole && w->resume == FOLLOW_REPLAY)) {
        follow_parse_flush(w->parse, false);
        flow_finish(w, whole ? NULL : error);
    } else {
        back_off(w, error);
    }
}
