/* version.c - the one file that knows version and commit.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "version.h"

const char *const gander_version = GANDER_VERSION;
const char *const gander_commit = GANDER_COMMIT;
