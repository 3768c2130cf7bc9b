/* house.c - see house.h.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "house.h"

#include <string.h>

#include "wait.h"

#define VM_MEMORY (16u * 1024 * 1024)

void house_open(struct house *h) {
    *h = (struct house){0};
    place_open(&h->place);
    place_write(&h->place, "data/.keep", "");
    place_write(&h->place, "scripts/lib/app.lua",
                "local M = {}\n"
                "function M.check()\n"
                "  local ok, message = pcall(require, 'lib.broken')\n"
                "  local faults = {}\n"
                "  if ok or not message:find 'there is no script' then\n"
                "    faults[1] = { file = 'lib/broken.lua', line = 1, message = 'broken' }\n"
                "  end\n"
                "  return { faults = faults, routes = {} }\n"
                "end\n"
                "return M\n");
}

bool house_start(struct house *h, struct err *err) {
    static char data[512];
    strcpy(data, place_path(&h->place, "data"));
    h->host.data = data;
    h->host.home = h->place.dir;
    h->host.wait = wait_new(4, 8);
    h->host.bus = bus_new(NULL);
    h->scripts = scripts_open(&h->host, place_path(&h->place, "scripts"), VM_MEMORY, err);
    if (h->scripts != NULL) {
        h->workers = workers_new(&h->host, h->scripts, VM_MEMORY);
    }
    return h->scripts != NULL;
}

void house_close(struct house *h) {
    workers_free(h->workers);
    scripts_free(h->scripts);
    wait_free(h->host.wait);
    if (h->host.bus != NULL) {
        bus_free(h->host.bus);
    }
    place_close(&h->place);
}

const char *house_call(struct house *h, const char *name, int64_t timeout_ms) {
    static char text[1200];
    struct buf result = BUF_INIT;
    struct err err = {0};
    bool ok = workers_call(h->workers, name, NULL, 0, timeout_ms, &result, &err);
    strncpy(text, ok ? result.data : err.text, sizeof text - 1);
    buf_clear(&result);
    return text;
}
