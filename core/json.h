/* json.h - reading single values out of JSON text, without building anything.
 *
 * Over value.h's scanner, for the engines: they pass JSON through and look at a member or two.
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef GANDER_JSON_H
#define GANDER_JSON_H

#include "value.h"

/* Write the value that begins with `token` as one line of JSON; {"$date": ms} becomes RFC 3339
 * text.  Afterwards the scanner is past the value.  false: bad text. */
bool json_copy(struct value_scan *s, enum value_token token, struct buf *out);
bool json_skip(struct value_scan *s, enum value_token token);

/* Is the text one JSON value?  Then it is written to `out` as one line. */
bool json_line(const char *text, size_t len, struct buf *out);

#endif
