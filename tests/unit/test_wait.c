/* test_wait.c - how many calls may run, and how many in all.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "check.h"

#include <pthread.h>

#include "wait.h"

#define FAR (clock_ms() + 20000)

void test_wait_bounds_those_that_run_and_all(void) {
    struct wait *w = wait_new(1, 3);
    bool first = wait_enter(w, FAR);
    bool second = wait_enter(w, clock_ms() + 10);
    wait_begin(w);
    bool third = wait_enter(w, FAR); /* in the place of the one that waits */
    wait_begin(w);
    bool fourth = wait_enter(w, FAR);
    wait_begin(w);
    bool fifth = wait_enter(w, clock_ms() + 10); /* three in all */
    struct wait_count full = wait_counts(w);
    for (int i = 0; i < 3; i++) {
        wait_end(w);
        wait_leave(w);
    }
    struct wait_count empty = wait_counts(w);
    wait_free(w);
    CHECK(first && !second && third && fourth && !fifth);
    CHECK(full.total == 3 && full.waiting == 3);
    CHECK(empty.total == 0 && empty.waiting == 0);
}

struct guest {
    struct wait *wait;
    bool entered;
};

static void *enter(void *arg) {
    struct guest *g = arg;
    g->entered = wait_enter(g->wait, FAR);
    if (g->entered) {
        wait_begin(g->wait);
        wait_end(g->wait);
        wait_leave(g->wait);
    }
    return NULL;
}

void test_wait_lets_all_in_one_after_the_other(void) {
    struct guest guests[16];
    pthread_t threads[16];
    struct wait *w = wait_new(1, 2);
    wait_enter(w, FAR);
    for (int i = 0; i < 16; i++) {
        guests[i] = (struct guest){w, false};
        pthread_create(&threads[i], NULL, enter, &guests[i]);
    }
    wait_leave(w);
    bool all = true;
    for (int i = 0; i < 16; i++) {
        pthread_join(threads[i], NULL);
        all = all && guests[i].entered;
    }
    struct wait_count empty = wait_counts(w);
    wait_free(w);
    CHECK(all);
    CHECK(empty.total == 0 && empty.waiting == 0);
}

void test_wait_may_be_absent(void) {
    CHECK(wait_enter(NULL, 0));
    wait_begin(NULL);
    wait_end(NULL);
    wait_leave(NULL);
    wait_free(NULL);
    CHECK(wait_counts(NULL).total == 0);
}
