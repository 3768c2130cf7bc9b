/* test_jobs.c - claiming and running jobs; the queue is a script of the test.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "check.h"

#include <semaphore.h>
#include <string.h>
#include <time.h>

#include "house.h"
#include "jobs.h"
#include "wait.h"

#define WAIT_S 20

/* `claim` gives two jobs once, then none; each run is published with what it was given. */
static const char queue[] =
    "local bus, fs = require 'gander.bus', require 'gander.fs'\n"
    "local sys = require 'gander.sys'\n"
    "local M = {}\n"
    "local function told(event, value) bus.publish('test', event, value) end\n"
    "function M.boot(arg) told('boot', { owner = #arg.owner > 0 }) end\n"
    "function M.claim(arg)\n"
    "  local jobs, mark = {}, sys.data .. '/claimed'\n"
    "  if fs.claim(mark, 'x') then\n"
    "    jobs = { { id = 'a', name = 'good', fence = 1, timeout_s = 20 },\n"
    "      { id = 'b', name = 'endless', fence = 2, timeout_s = 0.2 } }\n"
    "  end\n"
    "  return { jobs = jobs }\n"
    "end\n"
    "function M.run(job)\n"
    "  if job.name == 'endless' then while true do end end\n"
    "  told('ran', job)\n"
    "end\n"
    "return M\n";

struct seen {
    sem_t sem;
    char last[300];
};

static void on_event(void *ctx, const struct bus_event *event) {
    struct seen *seen = ctx;
    if (strcmp(event->name, "ran") == 0) {
        strncpy(seen->last, event->json, sizeof seen->last - 1);
        sem_post(&seen->sem);
    }
}

static bool waited(sem_t *sem) {
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += WAIT_S;
    return sem_timedwait(sem, &until) == 0;
}

static bool counts_come(struct jobs *j, int64_t done, int64_t failed) {
    int64_t until = clock_ms() + WAIT_S * 1000;
    struct jobs_count count;
    do {
        count = jobs_counts(j);
        nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
    } while ((count.done < done || count.failed < failed) && clock_ms() < until);
    return count.done == done && count.failed == failed && count.running == 0;
}

void test_jobs_run_what_is_claimed_under_its_timeout(void) {
    static const char *const topics[] = {"test"};
    struct house h;
    struct seen seen = {0};
    struct err err = {0};
    house_open(&h);
    place_write(&h.place, "scripts/lib/queue.lua", queue);
    bool started = house_start(&h, &err);
    sem_init(&seen.sem, 0, 0);
    struct bus_sub *sub = bus_subscribe(h.host.bus, topics, 1, on_event, &seen);
    struct jobs *j = jobs_start(h.host.bus, h.workers, 2);
    bool ran = waited(&seen.sem);
    bool counted = counts_come(j, 1, 1);
    bool ended = jobs_stop(j, WAIT_S * 1000);
    bus_unsubscribe(sub);
    sem_destroy(&seen.sem);
    house_close(&h);
    CHECK(started);
    CHECK(ran && strstr(seen.last, "\"id\":\"a\"") != NULL &&
          strstr(seen.last, "\"fence\":1") != NULL);
    CHECK(counted);
    CHECK(ended);
}

void test_jobs_stop_while_the_queue_is_broken(void) {
    struct house h;
    struct err err = {0};
    house_open(&h);
    place_write(&h.place, "scripts/lib/queue.lua", "return {}");
    bool started = house_start(&h, &err);
    struct jobs *j = jobs_start(h.host.bus, h.workers, 2);
    bus_publish(h.host.bus, "jobs", "pushed", "{}", 2, 0);
    bool ended = jobs_stop(j, WAIT_S * 1000);
    house_close(&h);
    CHECK(started && ended);
}
