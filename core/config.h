/* config.h - config.lua, the environment and the command line, made into one table in force.
 *
 * config.lua returns one table.  Every setting is a row of config_check.c: its path, type, default
 * and bounds; unknown keys and wrong types stop the start with file:line.  The environment beats
 * the file, the command line beats both.  The table reaches scripts as JSON (sys.config).
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef GANDER_CONFIG_H
#define GANDER_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"

#define CONFIG_HOSTS_MAX 32

struct config {
    char *listen_host; /* "127.0.0.1" */
    int listen_port;
    bool loopback; /* listen_host is a loopback address */
    bool trust_network;
    char *hosts[CONFIG_HOSTS_MAX]; /* further names a request may carry in Host */
    size_t host_count;
    char *data, *scripts; /* absolute */
    char *log_level;
    int64_t body_max;    /* bytes */
    int64_t call_ms;     /* one call of a script */
    int64_t call_memory; /* bytes of one VM */
    int workers_max;
    bool unsafe_no_isolation;
    char *json; /* the whole table */
};

/* What the command line said; NULL and false where it said nothing. */
struct config_args {
    const char *file, *listen, *data, *scripts, *log_level;
    bool unsafe_no_isolation;
};

/* `home` is the directory that holds scripts/ and config.lua unless the arguments say otherwise. */
bool config_load(struct config *c, const char *home, const struct config_args *args,
                 struct err *err);
void config_clear(struct config *c);

#endif
