/* version.h - version and commit of this build.
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef GANDER_VERSION_H
#define GANDER_VERSION_H

extern const char *const gander_version; /* "0.1.0" */
extern const char *const gander_commit;  /* short hash, or "unknown" */

#endif
