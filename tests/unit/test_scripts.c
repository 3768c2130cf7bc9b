/* test_scripts.c - generations: loading, publishing, reloading, and the VMs that go with them.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "check.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "house.h"

#define CALL_MS 20000
#define ONE     "return { f = function() return 1 end }"
#define TWO     "return { f = function() return 2 end }"

static bool publish(struct house *h, const char *json, struct buf *out, struct err *err) {
    buf_reset(out);
    return scripts_publish(h->scripts, json, strlen(json), out, err);
}

void test_scripts_publish_makes_the_next_generation(void) {
    struct house h;
    struct buf out = BUF_INIT;
    struct err err = {0};
    house_open(&h);
    place_write(&h.place, "scripts/lib/x.lua", ONE);
    bool started = house_start(&h, &err);
    bool one = started && strcmp(house_call(&h, "lib/x#f", CALL_MS), "1") == 0;
    bool wrote = publish(
        &h, "{\"files\":{\"lib/x.lua\":\"return { f = function() return 2 end }\"}}", &out, &err);
    bool live = strstr(out.data, "\"written\":true,\"live\":true") != NULL &&
                strstr(out.data, "\"generation\":2") != NULL;
    bool two = strcmp(house_call(&h, "lib/x#f", CALL_MS), "2") == 0;
    struct buf text = BUF_INIT;
    bool shown = scripts_text(h.scripts, "lib/x.lua", &text) && strcmp(text.data, TWO) == 0;
    buf_clear(&text);
    buf_clear(&out);
    house_close(&h);
    CHECK(started && one);
    CHECK(wrote && live);
    CHECK(two && shown);
}

void test_scripts_publish_refuses_what_is_broken_or_stale(void) {
    struct house h;
    struct buf out = BUF_INIT;
    struct err err = {0};
    house_open(&h);
    place_write(&h.place, "scripts/lib/x.lua", ONE);
    bool started = house_start(&h, &err);
    bool answered = publish(&h, "{\"files\":{\"lib/broken.lua\":\"return 1\"}}", &out, &err);
    bool refused = strstr(out.data, "\"written\":false,\"live\":false") != NULL &&
                   strstr(out.data, "\"file\":\"lib/broken.lua\"") != NULL;
    struct script_set *set = script_set_read(place_path(&h.place, "scripts"), NULL);
    bool untouched = set->count == 2;
    script_set_release(set);
    /* Somebody saved the file in an editor meanwhile. */
    place_write(&h.place, "scripts/lib/x.lua", TWO);
    bool stale =
        !publish(&h, "{\"files\":{\"lib/x.lua\":\"return 3\"},\"if_match\":{\"lib/x.lua\":\"0\"}}",
                 &out, &err) &&
        err.code == ERR_CONFLICT;
    bool kept = scripts_generation(h.scripts) == 1;
    buf_clear(&out);
    house_close(&h);
    CHECK(started && answered && refused);
    CHECK(untouched && kept);
    CHECK(stale);
}

void test_scripts_reload_keeps_the_last_good_generation(void) {
    struct house h;
    struct err err = {0};
    house_open(&h);
    place_write(&h.place, "scripts/lib/x.lua", ONE);
    bool started = house_start(&h, &err);
    place_write(&h.place, "scripts/lib/x.lua", TWO);
    place_write(&h.place, "scripts/lib/broken.lua", "return 1");
    scripts_reload(h.scripts);
    bool old =
        scripts_generation(h.scripts) == 1 && strcmp(house_call(&h, "lib/x#f", CALL_MS), "1") == 0;
    struct buf list = BUF_INIT;
    scripts_list(h.scripts, &list, &err);
    bool told = strstr(list.data, "\"message\":\"broken\"") != NULL;
    place_remove(&h.place, "scripts/lib/broken.lua");
    scripts_reload(h.scripts);
    bool new =
        scripts_generation(h.scripts) == 2 && strcmp(house_call(&h, "lib/x#f", CALL_MS), "2") == 0;
    buf_clear(&list);
    house_close(&h);
    CHECK(started && old && told);
    CHECK(new);
}

void test_scripts_start_with_the_last_good_set(void) {
    struct house h;
    struct err err = {0};
    house_open(&h);
    place_write(&h.place, "scripts/lib/x.lua", ONE);
    bool started = house_start(&h, &err);
    workers_free(h.workers);
    scripts_free(h.scripts);
    place_write(&h.place, "scripts/lib/x.lua", TWO);
    place_write(&h.place, "scripts/lib/broken.lua", "return 1");
    h.scripts = scripts_open(&h.host, place_path(&h.place, "scripts"), 16u << 20, &err);
    h.workers = h.scripts == NULL ? NULL : workers_new(&h.host, h.scripts, 16u << 20);
    bool good = h.scripts != NULL && scripts_generation(h.scripts) == 1 &&
                strcmp(house_call(&h, "lib/x#f", CALL_MS), "1") == 0;
    house_close(&h);
    CHECK(started);
    CHECK(good);
}

void test_scripts_do_not_start_without_a_good_set(void) {
    struct house h;
    struct err err = {0};
    house_open(&h);
    place_write(&h.place, "scripts/lib/broken.lua", "return 1");
    place_write(&h.place, "data/last-good.json", "{\"generation\":3,\"files\":{}}");
    bool started = house_start(&h, &err);
    house_close(&h);
    CHECK(!started && strstr(err.text, "scripts/lib/broken.lua:1: broken") != NULL);
}

struct caller {
    struct house *house;
    atomic_bool *stop;
    int calls, wrong;
};

static void *call_on(void *arg) {
    struct caller *c = arg;
    while (!atomic_load(c->stop)) {
        struct buf result = BUF_INIT;
        struct err err = {0};
        bool ok = workers_call(c->house->workers, "lib/x#f", NULL, 0, CALL_MS, &result, &err);
        /* f() returns the number that its own generation was written with, twice. */
        int a = 0, b = -1;
        bool same = ok && sscanf(result.data, "[%d,%d]", &a, &b) == 2 && a == b;
        c->wrong += !same;
        c->calls++;
        buf_clear(&result);
    }
    return NULL;
}

void test_scripts_change_under_calls_in_progress(void) {
    struct house h;
    struct err err = {0};
    struct buf out = BUF_INIT, edit = BUF_INIT;
    struct caller callers[4];
    pthread_t threads[4];
    atomic_bool stop = false;
    house_open(&h);
    place_write(&h.place, "scripts/lib/n.lua", "return 0");
    place_write(&h.place, "scripts/lib/x.lua",
                "return { f = function() return { require 'lib.n', require 'lib.m' } end }");
    place_write(&h.place, "scripts/lib/m.lua", "return 0");
    bool ok = house_start(&h, &err);
    for (int i = 0; i < 4; i++) {
        callers[i] = (struct caller){&h, &stop, 0, 0};
        pthread_create(&threads[i], NULL, call_on, &callers[i]);
    }
    for (int n = 1; n <= 20; n++) {
        buf_reset(&edit);
        buf_addf(&edit, "{\"files\":{\"lib/n.lua\":\"return %d\",\"lib/m.lua\":\"return %d\"}}", n,
                 n);
        ok = ok && publish(&h, edit.data, &out, &err);
    }
    atomic_store(&stop, true);
    int wrong = 0;
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
        wrong += callers[i].wrong;
    }
    bool last = strcmp(house_call(&h, "lib/x#f", CALL_MS), "[20,20]") == 0;
    bool generation = scripts_generation(h.scripts) == 21;
    buf_clear(&out);
    buf_clear(&edit);
    house_close(&h);
    CHECK(ok);
    CHECK(wrong == 0);
    CHECK(last && generation);
}

void test_workers_drop_a_vm_that_ran_out(void) {
    struct house h;
    struct err err = {0};
    house_open(&h);
    place_write(&h.place, "scripts/lib/x.lua",
                "local n = 0\n"
                "return { f = function() n = n + 1 return n end,\n"
                "  endless = function() while true do end end,\n"
                "  hungry = function() local t = {} while true do t[#t + 1] = t end end }");
    bool started = house_start(&h, &err);
    bool kept = strcmp(house_call(&h, "lib/x#f", CALL_MS), "1") == 0 &&
                strcmp(house_call(&h, "lib/x#f", CALL_MS), "2") == 0;
    bool late = strstr(house_call(&h, "lib/x#endless", 100), "ran past its deadline") != NULL &&
                strcmp(house_call(&h, "lib/x#f", CALL_MS), "1") == 0;
    bool full = strstr(house_call(&h, "lib/x#hungry", CALL_MS), "not enough memory") != NULL &&
                strcmp(house_call(&h, "lib/x#f", CALL_MS), "1") == 0;
    house_close(&h);
    CHECK(started && kept);
    CHECK(late);
    CHECK(full);
}
