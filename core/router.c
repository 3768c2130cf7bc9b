/* router.c - see router.h.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "router.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "value.h"

struct router {
    struct route *routes;
    size_t count;
};

struct router *router_new(void) {
    return mem_alloc(sizeof(struct router));
}

static void route_clear(struct route *route) {
    for (int p = 0; p < route->count; p++) {
        free(route->parts[p]);
    }
    free(route->method);
    free(route->pattern);
    free(route->file);
}

void router_free(struct router *r) {
    if (r == NULL) {
        return;
    }
    for (size_t i = 0; i < r->count; i++) {
        route_clear(&r->routes[i]);
    }
    free(r->routes);
    free(r);
}

/* Split at '/' into at most ROUTE_PARTS_MAX pieces; -1 when there are more. "/" has none. */
static int split(const char *path, char *parts[ROUTE_PARTS_MAX]) {
    int count = 0;
    const char *at = path;
    while (*at == '/' && at[1] != '\0') {
        const char *end = strchrnul(at + 1, '/');
        if (count == ROUTE_PARTS_MAX) {
            while (count > 0) {
                free(parts[--count]);
            }
            return -1;
        }
        parts[count++] = mem_dupn(at + 1, (size_t)(end - at - 1));
        at = end;
    }
    return count;
}

/* Would both match the same paths?  The names of parameters do not matter. */
static bool same_shape(const struct route *a, const struct route *b) {
    bool same = a->count == b->count;
    for (int i = 0; same && i < a->count; i++) {
        char x = a->parts[i][0], y = b->parts[i][0];
        same = x == ':' || x == '*' ? x == y : strcmp(a->parts[i], b->parts[i]) == 0;
    }
    return same;
}

bool router_add(struct router *r, const char *method, const char *pattern, const char *file,
                struct err *err) {
    struct route route = {0};
    route.count = pattern[0] == '/' ? split(pattern, route.parts) : -1;
    if (route.count < 0) {
        return err_set(err, ERR_INVALID, "'%s' is not a route's path", pattern);
    }
    for (size_t i = 0; i < r->count; i++) {
        if (strcmp(r->routes[i].method, method) == 0 && same_shape(&r->routes[i], &route)) {
            route_clear(&route);
            return err_set(err, ERR_INVALID, "%s %s is already a route of %s", method, pattern,
                           r->routes[i].file);
        }
    }
    route.method = mem_dup(method);
    route.pattern = mem_dup(pattern);
    route.file = mem_dup(file);
    r->routes = mem_grow(r->routes, (r->count + 1) * sizeof route);
    r->routes[r->count++] = route;
    return true;
}

int hex_digit(char c) {
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* Decode %xx in place; false for a bad escape, %00, bad UTF-8, '.' and '..'. */
static bool decode(char *s) {
    char *to = s;
    for (const char *at = s; *at != '\0'; at++) {
        if (*at != '%') {
            *to++ = *at;
            continue;
        }
        int high = hex_digit(at[1]);
        int low = high < 0 ? -1 : hex_digit(at[2]);
        if (low < 0 || high * 16 + low == 0) {
            return false;
        }
        *to++ = (char)(high * 16 + low);
        at += 2;
    }
    *to = '\0';
    return strcmp(s, ".") != 0 && strcmp(s, "..") != 0 && value_utf8(s, strlen(s));
}

/* How well a route fits: 0 not at all, else larger is better. */
static int fit(const struct route *route, char *const parts[], int count) {
    int score = 1;
    for (int i = 0; i < route->count; i++) {
        const char *want = route->parts[i];
        if (want[0] == '*') {
            return count > i ? score : 0;
        }
        if (i >= count) {
            return 0;
        }
        if (want[0] == ':') {
            if (parts[i][0] == '\0') {
                return 0;
            }
            score += 1 << (ROUTE_PARTS_MAX - i);
        } else if (strcmp(want, parts[i]) == 0) {
            score += 2 << (ROUTE_PARTS_MAX - i);
        } else {
            return 0;
        }
    }
    return route->count == count ? score + 1 : 0;
}

static void bind_params(struct route_match *m, char *const parts[], int count) {
    for (int i = 0; i < m->route->count; i++) {
        const char *want = m->route->parts[i];
        if (want[0] == ':') {
            m->names[m->count] = want + 1;
            m->values[m->count++] = mem_dup(parts[i]);
        } else if (want[0] == '*') {
            struct buf rest = BUF_INIT;
            for (int p = i; p < count; p++) {
                buf_adds(&rest, p > i ? "/" : "");
                buf_adds(&rest, parts[p]);
            }
            m->names[m->count] = want + 1;
            m->values[m->count++] = buf_take(&rest);
            return;
        }
    }
}

static void allow(struct route_match *m, const char *method) {
    size_t used = strlen(m->allow);
    if (strstr(m->allow, method) == NULL) {
        snprintf(m->allow + used, sizeof m->allow - used, "%s%s", used > 0 ? ", " : "", method);
    }
}

static void find_among(const struct router *r, const char *method, char *const parts[], int count,
                       struct route_match *m) {
    const char *wanted = strcmp(method, "HEAD") == 0 ? "GET" : method;
    int best = 0;
    for (size_t i = 0; i < r->count; i++) {
        const struct route *route = &r->routes[i];
        int score = fit(route, parts, count);
        if (score == 0) {
            continue;
        }
        m->status = m->status == 404 ? 405 : m->status;
        allow(m, route->method);
        if (strcmp(route->method, "GET") == 0) {
            allow(m, "HEAD");
        }
        if (score > best && strcmp(route->method, wanted) == 0) {
            best = score;
            m->route = route;
        }
    }
    if (m->allow[0] != '\0') {
        allow(m, "OPTIONS");
    }
    if (m->route != NULL) {
        m->status = 200;
        bind_params(m, parts, count);
    }
}

void router_find(const struct router *r, const char *method, const char *path,
                 struct route_match *m) {
    *m = (struct route_match){.status = 404};
    char *parts[ROUTE_PARTS_MAX];
    int count = split(path, parts);
    if (count < 0) {
        return;
    }
    bool ok = true;
    for (int i = 0; i < count; i++) {
        ok = decode(parts[i]) && ok;
    }
    if (ok) {
        find_among(r, method, parts, count, m);
    } else {
        m->status = 400;
    }
    for (int i = 0; i < count; i++) {
        free(parts[i]);
    }
}

void route_match_clear(struct route_match *m) {
    for (int i = 0; i < m->count; i++) {
        free(m->values[i]);
    }
    m->count = 0;
}
