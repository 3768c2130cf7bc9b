/* house.h - a small host over scripts that a test writes: script set, workers, bus.
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef GANDER_TESTS_HOUSE_H
#define GANDER_TESTS_HOUSE_H

#include "bus.h"
#include "place.h"
#include "workers.h"

struct house {
    struct place place; /* scripts/ and data/ are in it */
    struct host host;
    struct scripts *scripts;
    struct workers *workers;
};

/* lib/app.lua, whose check finds the faults that a file named lib/broken.lua stands for. */
void house_open(struct house *h);
bool house_start(struct house *h, struct err *err); /* after the test wrote its scripts */
void house_close(struct house *h);
/* The result of a call, as a text that lives until the next one; the error's text when it failed.
 */
const char *house_call(struct house *h, const char *name, int64_t timeout_ms);

#endif
