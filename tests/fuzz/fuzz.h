/* fuzz.h - the name of a target: libFuzzer's own when built alone, one of its own beside others.
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef GANDER_TESTS_FUZZ_H
#define GANDER_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>

#ifdef FUZZ_ALONE
#define FUZZ_TARGET(name) LLVMFuzzerTestOneInput
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
#else
#define FUZZ_TARGET(name) fuzz_##name
int fuzz_value_scan(const uint8_t *data, size_t size);
int fuzz_date(const uint8_t *data, size_t size);
int fuzz_router(const uint8_t *data, size_t size);
int fuzz_script_edit(const uint8_t *data, size_t size);
int fuzz_follow_parse(const uint8_t *data, size_t size);
#endif

#endif
