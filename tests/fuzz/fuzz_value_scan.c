/* fuzz_value_scan.c - JSON text: what is taken reads back the same, and never past its end.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "json.h"

int FUZZ_TARGET(value_scan)(const uint8_t *data, size_t size) {
    struct buf once = BUF_INIT, twice = BUF_INIT;
    if (json_line((const char *)data, size, &once)) {
        /* Dates were turned into text, so that a second pass changes nothing. */
        if (!json_line(once.data, once.len, &twice) || once.len != twice.len ||
            memcmp(once.data, twice.data, once.len) != 0 || !value_utf8(once.data, once.len)) {
            abort();
        }
    } else if (once.len != 0) {
        abort();
    }
    buf_clear(&once);
    buf_clear(&twice);
    return 0;
}
