/* test_assets.c - the console's files in memory.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "check.h"

#include <string.h>
#include <unistd.h>

#include "assets.h"
#include "place.h"

static void fill(struct place *p) {
    char text[4000];
    memset(text, 'a', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    place_open(p);
    place_write(p, "dist/index.html", "<p>page");
    place_write(p, "dist/assets/x-1a2b.js", text);
    place_write_n(p, "dist/assets/dot.png", "\x89PNG", 4);
    place_write(p, "secret.txt", "not below dist");
}

void test_assets_serve_files_with_type_and_tag(void) {
    struct place p;
    fill(&p);
    struct assets *a = assets_open(place_path(&p, "dist"));
    const struct asset *page = assets_find(a, "/index.html");
    const struct asset *code = assets_find(a, "/assets/x-1a2b.js");
    const struct asset *image = assets_find(a, "/assets/dot.png");
    bool ok = page != NULL && strcmp(page->type, "text/html; charset=utf-8") == 0 &&
              !page->immutable && page->gzip.len == 0 && code != NULL && code->immutable &&
              code->gzip.len > 0 && code->gzip.len < 100 && image != NULL && image->data.len == 4 &&
              strcmp(code->etag, page->etag) != 0 && strlen(code->etag) == 10;
    assets_free(a);
    place_close(&p);
    CHECK(ok);
}

void test_assets_give_the_page_for_its_own_addresses(void) {
    struct place p;
    fill(&p);
    struct assets *a = assets_open(place_path(&p, "dist"));
    const struct asset *page = assets_find(a, "/index.html");
    bool ok = assets_find(a, "/") == page && assets_find(a, "/projects/7") == page &&
              assets_find(a, "/assets/gone.js") == NULL;
    assets_free(a);
    place_close(&p);
    CHECK(ok);
}

void test_assets_stay_below_their_directory(void) {
    static const char *const odd[] = {"/../secret.txt", "/%2e%2e/secret.txt",
                                      "/a%2fb",         "/a%5cb",
                                      "/a%00",          "/assets/../../secret.txt"};
    struct place p;
    fill(&p);
    bool linked = symlink("../secret.txt", place_path(&p, "dist/link.txt")) == 0;
    struct assets *a = assets_open(place_path(&p, "dist"));
    bool none = linked && assets_find(a, "/link.txt") == assets_find(a, "/");
    for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++) {
        none = none && assets_find(a, odd[i]) == NULL;
    }
    assets_free(a);
    place_close(&p);
    CHECK(none);
}

void test_assets_may_be_absent_or_behind_a_link(void) {
    struct place p;
    fill(&p);
    bool linked = symlink("dist", place_path(&p, "link")) == 0;
    struct assets *none = assets_open(place_path(&p, "nowhere"));
    struct assets *some = assets_open(place_path(&p, "link"));
    bool ok = linked && assets_empty(none) && assets_find(none, "/") == NULL &&
              assets_find(some, "/index.html") != NULL;
    assets_free(none);
    assets_free(some);
    place_close(&p);
    CHECK(ok);
}
