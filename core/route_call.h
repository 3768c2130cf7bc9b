/* route_call.h - run a route's handler on a VM (called by httpd.c, and by nobody else).
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef GANDER_ROUTE_CALL_H
#define GANDER_ROUTE_CALL_H

#include "request.h"
#include "vm.h"

bool route_call(struct vm *vm, const struct request *request, const struct route_match *match,
                int64_t deadline_ms, struct outcome *outcome, struct err *err);

/* The `next` of an await or of chunks: the function gets (data, event); `event` is JSON or NULL. */
bool route_resume(struct vm *vm, const char *request_id, const char *next, const char *data,
                  const char *event, int64_t deadline_ms, struct outcome *outcome, struct err *err);

#endif
