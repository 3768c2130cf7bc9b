/* host.h - what the floors below may ask of the host that main.c put together.
 *
 * main fills one struct host; each VM carries a pointer to it (bind/bind.h: host_of).  Engines are
 * plain pointers; what belongs to higher floors is a function pointer, so that no binding includes
 * a higher floor.  A tool (`gander test`, `gander check`) leaves out what it does not run: such
 * members are NULL.  Filled before the first thread starts, read-only after that.
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef GANDER_HOST_H
#define GANDER_HOST_H

#include <stdbool.h>
#include <stdint.h>

#include "buf.h"
#include "err.h"

struct bus;
struct follow;
struct wait;
struct scripts;

struct host {
    struct bus *bus;
    struct follow *follow;
    struct wait *wait;
    const char *config_json; /* the configuration in force, as JSON text */
    const char *data;        /* the data directory, absolute */
    const char *home;        /* the directory that holds scripts/ and www/dist */
    const char *version;
    const char *commit;
    int64_t started_at; /* wall clock, ms */
    uint8_t key[32];    /* sealing key; never leaves bind/sys.c */

    /* Scripts (scripts.c).  JSON text goes in and out; false fills *err. */
    struct scripts *scripts;
    bool (*scripts_list)(struct scripts *s, struct buf *json, struct err *err);
    bool (*scripts_text)(struct scripts *s, const char *path, struct buf *text);
    bool (*scripts_check)(struct scripts *s, const char *json, size_t len, struct buf *out,
                          struct err *err);
    bool (*scripts_publish)(struct scripts *s, const char *json, size_t len, struct buf *out,
                            struct err *err);
    void (*metrics)(struct host *h, struct buf *out); /* the host's own figures, Prometheus text */
};

#endif
