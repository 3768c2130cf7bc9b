/* test_watch.c - a watch tells of changes below a directory.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "check.h"

#include <semaphore.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "place.h"
#include "watch.h"

#define WAIT_S 20

static void told(void *ctx) {
    sem_post(ctx);
}

static bool was_told(sem_t *sem) {
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += WAIT_S;
    return sem_timedwait(sem, &until) == 0;
}

/* Each step waits for its own call; a call that comes late only makes a later wait shorter. */
void test_watch_tells_of_what_changes(void) {
    struct place p;
    sem_t sem;
    struct err err;
    place_open(&p);
    sem_init(&sem, 0, 0);
    place_write(&p, "lib/a.lua", "a");
    struct watch *w = watch_start(p.dir, told, &sem, &err);
    bool started = w != NULL && was_told(&sem); /* of what changed before it began */
    place_write(&p, "lib/a.lua", "b");
    bool written = was_told(&sem);
    place_write(&p, "new/deep/c.lua", "c");
    bool made = was_told(&sem);
    place_write(&p, "new/deep/c.lua", "d");
    bool below = was_told(&sem);
    rename(place_path(&p, "lib/a.lua"), place_path(&p, "lib/b.lua"));
    bool renamed = was_told(&sem);
    place_remove(&p, "lib/b.lua");
    bool removed = was_told(&sem);
    watch_stop(w);
    sem_destroy(&sem);
    place_close(&p);
    CHECK(started);
    CHECK(written);
    CHECK(made);
    CHECK(below);
    CHECK(renamed);
    CHECK(removed);
}

void test_watch_follows_a_link_to_its_directory(void) {
    struct place p;
    sem_t sem;
    struct err err;
    place_open(&p);
    sem_init(&sem, 0, 0);
    place_write(&p, "real/a.lua", "a");
    bool linked = symlink("real", place_path(&p, "link")) == 0;
    struct watch *w = watch_start(place_path(&p, "link"), told, &sem, &err);
    bool started = w != NULL && was_told(&sem);
    place_write(&p, "real/a.lua", "b");
    bool told_of_it = was_told(&sem);
    watch_stop(w);
    sem_destroy(&sem);
    place_close(&p);
    CHECK(linked && started);
    CHECK(told_of_it);
}
