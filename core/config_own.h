/* config_own.h - the rows of all settings, and the check of a table against them (config_check.c).
 * For config.c alone.
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef GANDER_CONFIG_OWN_H
#define GANDER_CONFIG_OWN_H

#include <lua.h>
#include <stdbool.h>

#include "err.h"

struct config_reader {
    lua_State *L;
    const char *file;
    const char *text; /* of the file, to find a key's line */
    struct err *err;
};

/* Check the table on the top of the stack: known keys, their types and bounds. */
bool config_check(const struct config_reader *r);
/* Environment and defaults into the table at `top`; then what must fit together. */
bool config_complete(const struct config_reader *r, int top);

#endif
