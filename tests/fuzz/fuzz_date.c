/* fuzz_date.c - RFC 3339 dates: what is taken is the same point in time when written and read
 * again. SPDX-License-Identifier: Apache-2.0
 */
#include "fuzz.h"

#include <stdlib.h>

#include "value.h"

int FUZZ_TARGET(date)(const uint8_t *data, size_t size) {
    int64_t ms, again;
    if (value_date_parse((const char *)data, size, &ms)) {
        struct buf text = BUF_INIT;
        value_date_text(&text, ms);
        /* An offset may lead out of the four digits of a year. */
        bool four = text.len == 24 && text.data[0] != '-';
        if (four && (!value_date_parse(text.data, text.len, &again) || again != ms)) {
            abort();
        }
        buf_clear(&text);
    }
    return 0;
}
