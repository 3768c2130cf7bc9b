/* spec.h - `gander test`: the Lua specs, run inside the host.
 *
 * A spec file returns { ["does what"] = function(t) … end }.  Each file gets a VM and a data
 * directory of its own; after each test two collections must leave as many open handles as before.
 * Prints TAP on standard output.
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef GANDER_SPEC_H
#define GANDER_SPEC_H

#include "host.h"
#include "scriptset.h"

/* Run the files of `dir` whose "file: test" contains `pattern` (NULL: all). False when one failed.
 */
bool spec_run(struct host *host, struct script_set *set, const char *dir, const char *pattern);

#endif
