/* test_json.c - values copied out of JSON text.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "check.h"

#include <string.h>

#include "json.h"

static bool copies(const char *text, const char *wanted) {
    struct buf out = BUF_INIT;
    bool good = json_line(text, strlen(text), &out);
    bool same = wanted == NULL ? !good && out.len == 0 : good && strcmp(out.data, wanted) == 0;
    buf_clear(&out);
    return same;
}

void test_json_copies_a_value_on_one_line(void) {
    CHECK(copies(" { \"a\" : [ 1 , -2.5 , \"x\\ny\" , null , true , false , [ ] , { } ] } \n",
                 "{\"a\":[1,-2.5,\"x\\ny\",null,true,false,[],{}]}"));
    CHECK(copies("9223372036854775807", "9223372036854775807"));
}

void test_json_turns_typed_dates_into_text(void) {
    CHECK(copies("[{\"$date\":1125},{\"$date\":\"x\"},{\"$date\":1,\"b\":2}]",
                 "[\"1970-01-01T00:00:01.125Z\",{\"$date\":\"x\"},{\"$date\":1,\"b\":2}]"));
}

void test_json_refuses_what_is_no_value(void) {
    CHECK(copies("", NULL));
    CHECK(copies("{\"a\":", NULL));
    CHECK(copies("1 2", NULL));
    CHECK(copies("nope", NULL));
}
