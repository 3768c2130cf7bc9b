/* test_router.c - which route answers a path.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "check.h"

#include <stdio.h>
#include <string.h>

#include "buf.h"
#include "router.h"

static struct router *table(void) {
    static const char *const rows[][2] = {
        {"GET", "/"},
        {"GET", "/api/users/:user"},
        {"DELETE", "/api/users/:user"},
        {"GET", "/api/users/me"},
        {"GET", "/api/users/:user/projects/:id"},
        {"PUT", "/api/scripts/*path"},
    };
    struct router *r = router_new();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        router_add(r, rows[i][0], rows[i][1], "routes/x", NULL);
    }
    return r;
}

/* "status pattern name=value …" of a look-up. */
static const char *found(const char *method, const char *path) {
    static char text[400];
    struct router *r = table();
    struct route_match m;
    router_find(r, method, path, &m);
    size_t n = (size_t)snprintf(text, sizeof text, "%d %s", m.status,
                                m.route == NULL ? m.allow : m.route->pattern);
    for (int i = 0; i < m.count; i++) {
        n += (size_t)snprintf(text + n, sizeof text - n, " %s=%s", m.names[i], m.values[i]);
    }
    route_match_clear(&m);
    router_free(r);
    return text;
}

#define FINDS(method, path, wanted) CHECK(strcmp(found(method, path), wanted) == 0)

void test_router_prefers_a_literal_to_a_parameter(void) {
    FINDS("GET", "/api/users/ada", "200 /api/users/:user user=ada");
    FINDS("GET", "/api/users/me", "200 /api/users/me");
    FINDS("GET", "/", "200 /");
    FINDS("GET", "/api/users/ada/", "200 /api/users/:user user=ada");
}

void test_router_binds_parameters_and_a_rest(void) {
    FINDS("GET", "/api/users/ada/projects/7", "200 /api/users/:user/projects/:id user=ada id=7");
    FINDS("PUT", "/api/scripts/lib/app.lua", "200 /api/scripts/*path path=lib/app.lua");
    FINDS("PUT", "/api/scripts", "404 ");
}

void test_router_answers_head_with_get(void) {
    FINDS("HEAD", "/api/users/me", "200 /api/users/me");
}

void test_router_tells_what_is_allowed(void) {
    FINDS("PATCH", "/api/users/ada", "405 GET, HEAD, DELETE, OPTIONS");
    FINDS("OPTIONS", "/api/scripts/a", "405 PUT, OPTIONS");
    FINDS("GET", "/nowhere", "404 ");
}

void test_router_decodes_each_segment_once(void) {
    FINDS("GET", "/api/users/a%2Fb", "200 /api/users/:user user=a/b");
    FINDS("GET", "/api/users/a%252Fb", "200 /api/users/:user user=a%2Fb");
    FINDS("GET", "/api/users/%C3%BC", "200 /api/users/:user user=\xc3\xbc");
}

void test_router_refuses_paths_that_hide_something(void) {
    FINDS("GET", "/api/users/%00", "400 ");
    FINDS("GET", "/api/users/%2", "400 ");
    FINDS("GET", "/api/users/%zz", "400 ");
    FINDS("GET", "/api/users/..", "400 ");
    FINDS("GET", "/api/users/%2e%2E", "400 ");
    FINDS("GET", "/api/./me", "400 ");
    FINDS("GET", "/api/users/%ff", "400 ");
    FINDS("GET", "/api/users//projects/7", "404 ");
}

void test_router_bounds_the_parts_of_a_path(void) {
    FINDS("PUT", "/api/scripts/3/4/5/6/7/8/9/10/11/12/13/14/15/16",
          "200 /api/scripts/*path path=3/4/5/6/7/8/9/10/11/12/13/14/15/16");
    FINDS("PUT", "/api/scripts/3/4/5/6/7/8/9/10/11/12/13/14/15/16/17", "404 ");
}

void test_router_refuses_a_route_twice(void) {
    struct router *r = table();
    struct err err = {0}, renamed = {0}, relative = {0};
    bool same = router_add(r, "GET", "/api/users/me", "routes/y", &err);
    bool other = router_add(r, "GET", "/api/users/:name", "routes/y", &renamed);
    bool method = router_add(r, "POST", "/api/users/:name", "routes/y", NULL);
    bool bad = router_add(r, "GET", "api", "routes/y", &relative);
    router_free(r);
    CHECK(!same && strstr(err.text, "already a route of routes/x") != NULL);
    CHECK(!other && strstr(renamed.text, "already a route of routes/x") != NULL);
    CHECK(method);
    CHECK(!bad && strstr(relative.text, "not a route's path") != NULL);
}
