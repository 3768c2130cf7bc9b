/* httpd_relay.h - answer a request with an upstream's answer.
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef GANDER_HTTPD_RELAY_H
#define GANDER_HTTPD_RELAY_H

#include "httpd_own.h"

void relay_serve(struct exchange *x, const struct outcome *outcome);

#endif
