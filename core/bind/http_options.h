/* http_options.h - the options of a request, the same in gander.http and in a source of
 * gander.follow.
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef GANDER_BIND_HTTP_OPTIONS_H
#define GANDER_BIND_HTTP_OPTIONS_H

#include "bind/bind.h"
#include "fetch.h"

struct proc;

#define HTTP_OPTION_KEYS                                                                           \
    "method", "url", "headers", "body", "body_file", "connect_ms", "unix", "netns", "ca"

/* Read these options of the table at `index` into *spec (opt_check is the caller's) and push one
 * value that keeps the headers alive; other strings live in the table.  *target is the process
 * whose network is to be dialled, or NULL: netns_open is the caller's.  Raises on misuse; false: a
 * header that cannot be sent. */
bool http_options(lua_State *L, int index, struct fetch_spec *spec, struct proc **target,
                  struct err *err);

#endif
