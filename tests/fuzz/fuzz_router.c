/* fuzz_router.c - request paths: what a route is given has no NUL, no bad UTF-8 and no way up.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "router.h"
#include "value.h"

int FUZZ_TARGET(router)(const uint8_t *data, size_t size) {
    static const char *const patterns[] = {"/", "/api/users/:user", "/api/users/me",
                                           "/api/users/:user/projects/:id", "/api/scripts/*path"};
    struct router *r = router_new();
    for (size_t i = 0; i < sizeof patterns / sizeof patterns[0]; i++) {
        router_add(r, "GET", patterns[i], "routes/x", NULL);
    }
    char *path = mem_dupn(data, size); /* ends at the first NUL, as civetweb's does */
    struct route_match m;
    router_find(r, "GET", path, &m);
    if ((m.status == 200) != (m.route != NULL)) {
        abort();
    }
    for (int i = 0; i < m.count; i++) {
        const char *value = m.values[i];
        if (!value_utf8(value, strlen(value)) || strcmp(value, "..") == 0) {
            abort();
        }
    }
    route_match_clear(&m);
    free(path);
    router_free(r);
    return 0;
}
