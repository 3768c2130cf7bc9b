/* router.h - which script answers a method and a path.
 *
 * A table made from the routes of one generation; immutable once finished.  Paths are matched on
 * the raw request path: it is split at '/', then each segment is percent-decoded, so %2F never
 * becomes a separator; %00, bad escapes, '..' and '.' are refused.  A literal segment wins over a
 * parameter (":user"), a parameter over a rest ("*path").  404, 405 and OPTIONS are answered from
 * here, without Lua.
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef GANDER_ROUTER_H
#define GANDER_ROUTER_H

#include <stdbool.h>
#include <stddef.h>

#include "err.h"

#define ROUTE_PARTS_MAX 16

struct route {
    char *method;  /* "GET" */
    char *pattern; /* "/api/users/:user" */
    char *file;    /* "routes/users" */
    char *parts[ROUTE_PARTS_MAX];
    int count;
};

struct router;

struct router *router_new(void);
void router_free(struct router *r);
/* False when the pattern is malformed or the pair is there already. */
bool router_add(struct router *r, const char *method, const char *pattern, const char *file,
                struct err *err);

struct route_match {
    const struct route *route; /* NULL: see status */
    int status;                /* 200, 404, 405, 400 */
    char allow[80];            /* for 405 and OPTIONS: "GET, HEAD, OPTIONS" */
    const char *names[ROUTE_PARTS_MAX];
    char *values[ROUTE_PARTS_MAX]; /* decoded; freed by route_match_clear */
    int count;
};

/* `path` is the raw path without the query. HEAD finds GET. */
void router_find(const struct router *r, const char *method, const char *path,
                 struct route_match *m);
void route_match_clear(struct route_match *m);

int hex_digit(char c); /* its value, -1 when it is none */

#endif
