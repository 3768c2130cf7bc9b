/* httpd_outcome.h - write what a handler answered: plainly, or as a stream, await, relay, chunks.
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef GANDER_HTTPD_OUTCOME_H
#define GANDER_HTTPD_OUTCOME_H

#include "httpd_own.h"

/* `err` is set when the call itself failed; the outcome is then not looked at. */
void outcome_serve(struct exchange *x, struct outcome *outcome, const struct err *err);

#endif
