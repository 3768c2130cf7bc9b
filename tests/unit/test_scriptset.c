/* test_scriptset.c - sets of scripts, edits of the directory, and the last good set.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "check.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "place.h"
#include "scripts_disk.h"

static bool edit_fails(const char *json, const char *reason) {
    struct script_edit edit;
    struct err err = {0};
    return !script_edit_parse(&edit, json, strlen(json), &err) && strstr(err.text, reason) != NULL;
}

static bool has(const struct script_set *set, const char *path, const char *text) {
    const struct script_file *f = script_set_find(set, path);
    return f != NULL && f->len == strlen(text) && memcmp(f->text, text, f->len) == 0;
}

void test_scriptset_knows_a_scripts_path(void) {
    CHECK(script_path_ok("lib/app.lua"));
    CHECK(script_path_ok("policies/idle/after_minutes.lua"));
    CHECK(script_path_ok("a/b/c/d/e/f.lua"));
    CHECK(!script_path_ok("a/b/c/d/e/f/g.lua"));
    CHECK(!script_path_ok("lib/app.txt"));
    CHECK(!script_path_ok("/lib/app.lua"));
    CHECK(!script_path_ok("lib//app.lua"));
    CHECK(!script_path_ok("lib/.lua"));
    CHECK(!script_path_ok("../app.lua"));
    CHECK(!script_path_ok("lib/App.lua"));
    CHECK(!script_path_ok("lib/a b.lua"));
    CHECK(!script_path_ok(""));
}

void test_scriptset_reads_a_directory(void) {
    struct place p;
    place_open(&p);
    place_write(&p, "lib/app.lua", "return 1");
    place_write(&p, "jobs/tick.lua", "");
    place_write(&p, "lib/.app.lua.new", "half");
    place_write(&p, "README.md", "no script");
    struct err err = {0};
    struct script_set *set = script_set_read(p.dir, &err);
    bool ok = set != NULL && set->count == 2 && has(set, "lib/app.lua", "return 1") &&
              has(set, "jobs/tick.lua", "") && script_set_find(set, "lib/nope.lua") == NULL;
    script_set_release(set);
    place_close(&p);
    CHECK(ok);
}

void test_scriptset_refuses_links_and_what_is_too_large(void) {
    struct place p;
    place_open(&p);
    place_write(&p, "lib/app.lua", "");
    struct err link = {0}, large = {0};
    bool linked = symlink("/etc/passwd", place_path(&p, "lib/link.lua")) == 0;
    struct script_set *a = script_set_read(p.dir, &link);
    place_remove(&p, "lib/link.lua");
    char *text = calloc(1, SCRIPT_FILE_MAX + 1);
    place_write_n(&p, "lib/large.lua", text, SCRIPT_FILE_MAX + 1);
    struct script_set *b = script_set_read(p.dir, &large);
    place_write_n(&p, "lib/large.lua", text, SCRIPT_FILE_MAX);
    struct script_set *c = script_set_read(p.dir, NULL);
    bool fits = c != NULL && c->count == 2;
    script_set_release(c);
    free(text);
    place_close(&p);
    CHECK(linked && a == NULL && strstr(link.text, "lib/link.lua") != NULL);
    CHECK(b == NULL && strstr(large.text, "lib/large.lua is larger than 1048576 bytes") != NULL);
    CHECK(fits);
}

void test_scriptset_changes_make_a_new_set(void) {
    struct place p;
    place_open(&p);
    place_write(&p, "lib/a.lua", "a");
    place_write(&p, "lib/b.lua", "b");
    struct script_set *old = script_set_read(p.dir, NULL);
    const struct script_file_change changes[] = {{"lib/a.lua", NULL, 0}, {"lib/c.lua", "c", 1}};
    struct script_set *set = script_set_change(old, changes, 2);
    const struct script_file_change back[] = {{"lib/a.lua", "a", 1}, {"lib/c.lua", NULL, 0}};
    struct script_set *same = script_set_change(set, back, 2);
    bool ok = set->count == 2 && has(set, "lib/b.lua", "b") && has(set, "lib/c.lua", "c") &&
              has(old, "lib/a.lua", "a") && strcmp(set->hash, old->hash) != 0 &&
              strcmp(same->hash, old->hash) == 0;
    script_set_release(old);
    script_set_release(set);
    script_set_release(same);
    place_close(&p);
    CHECK(ok);
}

void test_scripts_disk_reads_an_edit(void) {
    static const char json[] = "{\"files\":{\"lib/a.lua\":\"x\\n\",\"lib/b.lua\":null},"
                               "\"if_match\":{\"lib/a.lua\":\"none\"}}";
    struct script_edit edit;
    bool ok = script_edit_parse(&edit, json, sizeof json - 1, NULL) && edit.count == 2 &&
              edit.match_count == 1 && strcmp(edit.changes[0].text, "x\n") == 0 &&
              edit.changes[1].text == NULL && strcmp(edit.matches[0].etag, "none") == 0;
    script_edit_clear(&edit);
    CHECK(ok);
    CHECK(edit_fails("{\"files\":{\"../a.lua\":\"\"}}", "'../a.lua' is not a script's path"));
    CHECK(edit_fails("{\"files\":{\"lib/a.lua\":\"\"}", "JSON"));
    CHECK(edit_fails("{\"files\":{\"lib/a.lua\":{\"x\":{}}}}", "too deep"));
}

void test_scripts_disk_writes_and_removes(void) {
    static const char json[] =
        "{\"files\":{\"lib/a.lua\":\"new\",\"lib/b.lua\":null,"
        "\"policies/idle/c.lua\":\"c\"},\"if_match\":{\"lib/b.lua\":\"none\"}}";
    struct place p;
    struct script_edit edit;
    struct err err = {0};
    struct stat st = {0}, made = {0};
    mode_t mask = umask(0077); /* as the host's */
    place_open(&p);
    place_write(&p, "lib/a.lua", "old");
    place_write(&p, "lib/b.lua", "b");
    chmod(place_path(&p, "lib/a.lua"), 0664);
    script_edit_parse(&edit, json, sizeof json - 1, NULL);
    struct script_set *before = script_set_read(p.dir, NULL);
    bool match = script_edit_match(&edit, before, &err);
    bool wrote = script_edit_write(&edit, p.dir, NULL);
    struct script_set *set = script_set_read(p.dir, NULL);
    bool ok =
        set->count == 2 && has(set, "lib/a.lua", "new") && has(set, "policies/idle/c.lua", "c");
    stat(place_path(&p, "lib/a.lua"), &st);
    stat(place_path(&p, "policies/idle/c.lua"), &made);
    script_set_release(before);
    script_set_release(set);
    script_edit_clear(&edit);
    place_close(&p);
    umask(mask);
    CHECK(!match && err.code == ERR_CONFLICT);
    CHECK(wrote && ok);
    CHECK((st.st_mode & 0777) == 0664); /* as it was */
    CHECK((made.st_mode & 0777) == 0644);
}

void test_scripts_disk_keeps_the_last_good_set(void) {
    struct place p;
    place_open(&p);
    place_write(&p, "scripts/lib/a.lua", "return \"\xc3\xbc\"\n");
    struct script_set *set = script_set_read(place_path(&p, "scripts"), NULL);
    set->generation = 41;
    script_set_save(p.dir, set);
    struct script_set *back = script_set_load(p.dir);
    bool same = back != NULL && back->generation == 41 && strcmp(back->hash, set->hash) == 0;
    script_set_release(back);
    script_set_release(set);
    place_close(&p);
    CHECK(same);
}

void test_scripts_disk_leaves_a_damaged_set_aside(void) {
    static const char *const damaged[] = {
        "", "{", "{\"generation\":1,\"files\":{\"lib/a.lua\":\"ret", "\xff\xfe", "[1,2"};
    struct place p;
    bool aside = true;
    place_open(&p);
    for (size_t i = 0; i < sizeof damaged / sizeof damaged[0]; i++) {
        place_write(&p, "last-good.json", damaged[i]);
        struct script_set *set = script_set_load(p.dir);
        aside = aside && set == NULL;
        script_set_release(set);
    }
    place_remove(&p, "last-good.json");
    aside = aside && script_set_load(p.dir) == NULL;
    place_close(&p);
    CHECK(aside);
}
