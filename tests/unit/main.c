/* main.c - runs the C tests and prints TAP: all of them, or those whose name contains the argument.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "check.h"

#include <stdio.h>
#include <string.h>

#define TESTS(TEST)                                                                                \
    TEST(test_buf_keeps_a_nul_after_its_bytes)                                                     \
    TEST(test_buf_holds_any_bytes)                                                                 \
    TEST(test_buf_grows_and_keeps_what_it_has)                                                     \
    TEST(test_buf_formats_after_what_is_there)                                                     \
    TEST(test_buf_drops_from_the_front)                                                            \
    TEST(test_buf_take_hands_over_the_bytes)                                                       \
    TEST(test_err_set_returns_false_and_fills)                                                     \
    TEST(test_err_may_be_null)                                                                     \
    TEST(test_err_wrap_puts_context_before)                                                        \
    TEST(test_err_cuts_a_text_that_is_too_long)                                                    \
    TEST(test_err_errno_chooses_the_code)                                                          \
    TEST(test_err_names_go_both_ways)                                                              \
    TEST(test_err_status_is_that_of_the_code)                                                      \
    TEST(test_bus_reads_what_came_after_in_order_over_topics)                                      \
    TEST(test_bus_resumes_at_a_cursor_without_gap_or_repetition)                                   \
    TEST(test_bus_refuses_an_id_that_does_not_grow)                                                \
    TEST(test_bus_says_lost_when_the_ring_is_past_a_reader)                                        \
    TEST(test_bus_bounds_a_ring_in_bytes)                                                          \
    TEST(test_bus_gives_no_silent_gap_after_a_topic_was_dropped)                                   \
    TEST(test_bus_keeps_a_topic_that_has_subscribers)                                              \
    TEST(test_bus_bounds_all_rings_together)                                                       \
    TEST(test_bus_cursor_of_another_boot_keeps_only_ids)                                           \
    TEST(test_bus_cursor_with_ids_behind_now_reads_from_those_ids)                                 \
    TEST(test_bus_takes_rubbish_for_a_cursor_as_lost)                                              \
    TEST(test_bus_wait_finds_what_came_after_the_cursor)                                           \
    TEST(test_bus_wait_wakes_on_the_event_and_on_stop)                                             \
    TEST(test_bus_serves_many_threads)                                                             \
    TEST(test_sse_sends_events_as_they_come)                                                       \
    TEST(test_sse_resumes_without_gap_or_repetition)                                               \
    TEST(test_sse_first_id_covers_a_reconnect_before_any_event)                                    \
    TEST(test_sse_resets_when_the_events_are_gone)                                                 \
    TEST(test_sse_replays_numbered_topics_over_a_restart)                                          \
    TEST(test_sse_resets_what_the_bus_counts_and_replays_the_rest)                                 \
    TEST(test_sse_resets_when_a_replay_cannot)                                                     \
    TEST(test_sse_ends_after_the_named_event)                                                      \
    TEST(test_sse_slow_client_keeps_nobody_waiting)                                                \
    TEST(test_sse_lets_go_of_clients_that_leave)                                                   \
    TEST(test_sse_stop_ends_the_streams)                                                           \
    TEST(test_sse_many_clients_come_and_go_while_events_flow)                                      \
    TEST(test_follow_parses_lines)                                                                 \
    TEST(test_follow_cuts_long_lines_between_characters)                                           \
    TEST(test_follow_parses_events)                                                                \
    TEST(test_follow_parses_ndjson)                                                                \
    TEST(test_follow_parses_frames)                                                                \
    TEST(test_follow_parses_chunks)                                                                \
    TEST(test_follow_passes_over_what_is_replayed)                                                 \
    TEST(test_follow_drops_an_endless_line)                                                        \
    TEST(test_follow_delivers_a_file_as_it_grows)                                                  \
    TEST(test_follow_waits_for_a_file_and_for_its_offset)                                          \
    TEST(test_follow_gives_out_a_line_whose_end_does_not_come)                                     \
    TEST(test_follow_goes_on_in_a_file_that_took_the_place)                                        \
    TEST(test_follow_frees_what_was_delivered_and_passes_over_holes)                               \
    TEST(test_follow_keeps_order_and_delivers_a_failed_batch_again)                                \
    TEST(test_follow_bounds_what_is_read_ahead)                                                    \
    TEST(test_follow_ends_when_the_job_says_stop)                                                  \
    TEST(test_follow_refuses_a_key_in_use_and_a_strange_cursor)                                    \
    TEST(test_follow_resumes_an_event_stream_by_its_last_id)                                       \
    TEST(test_follow_resumes_after_an_offset)                                                      \
    TEST(test_follow_ends_with_an_upstream_that_replays)                                           \
    TEST(test_follow_ends_when_the_upstream_refuses)                                               \
    TEST(test_follow_tells_the_job_when_it_cannot_connect)                                         \
    TEST(test_follow_pauses_a_transfer_that_is_not_delivered)
    TEST(test_sqlite_file_is_private)                                                              \
    TEST(test_sqlite_refuses_what_is_no_database)                                                  \
    TEST(test_sqlite_ends_a_long_statement_at_the_deadline)                                        \
    TEST(test_sqlite_waits_for_a_lock_no_longer_than_the_deadline)                                 \
    TEST(test_sqlite_writers_of_a_new_file_take_turns)                                             \
    TEST(test_sqlite_keeps_what_was_acknowledged_before_a_kill)

#define DECLARE(name) void name(void);
TESTS(DECLARE)

#define ENTRY(name) {#name, name},
static const struct {
    const char *name;
    void (*run)(void);
} test_list[] = {TESTS(ENTRY)};

static bool failed;
static const char *skipped;

bool check_that(bool ok, const char *condition, const char *file, int line) {
    if (!ok) {
        printf("# %s:%d: %s\n", file, line, condition);
        failed = true;
    }
    return ok;
}

void check_skip(const char *reason) {
    skipped = reason;
}

int main(int argc, char **argv) {
    int count = 0, failures = 0;
    setvbuf(stdout, NULL, _IOLBF, 0); /* a crash must not swallow what was said before it */
    for (size_t i = 0; i < sizeof test_list / sizeof test_list[0]; i++) {
        if (argc > 1 && strstr(test_list[i].name, argv[1]) == NULL) {
            continue;
        }
        failed = false;
        skipped = NULL;
        test_list[i].run();
        printf("%sok %d - %s", failed ? "not " : "", ++count, test_list[i].name);
        printf(skipped != NULL ? " # SKIP %s\n" : "\n", skipped);
        failures += failed;
    }
    printf("1..%d\n", count);
    return failures > 0 || count == 0;
}
