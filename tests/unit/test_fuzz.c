/* test_fuzz.c - the fuzz targets over their seeds: whole, cut off at each byte, each byte changed.
 *
 * A target aborts when something is wrong.  The seeds are found from the working directory or
 * beside the program (build/<variant>/unit/run). SPDX-License-Identifier: Apache-2.0
 */
#include "check.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../fuzz/fuzz.h"
#include "buf.h"

typedef int target(const uint8_t *data, size_t size);

/* Each run gets an allocation of its exact size, so that the sanitizer sees a byte too many. */
static void run_exact(target *run, const char *data, size_t size) {
    uint8_t *copy = malloc(size == 0 ? 1 : size);
    if (size > 0) {
        memcpy(copy, data, size);
    }
    run(copy, size);
    free(copy);
}

static void run_seed(target *run, struct buf *seed) {
    static const char odd[] = {'\0', '"', '\\', '%', '/', '\n', '9', (char)0xff};
    for (size_t n = 0; n <= seed->len; n++) {
        run_exact(run, seed->data, n);
    }
    for (size_t i = 0; i < seed->len; i++) {
        char was = seed->data[i];
        for (size_t o = 0; o < sizeof odd; o++) {
            seed->data[i] = odd[o];
            run_exact(run, seed->data, seed->len);
        }
        seed->data[i] = was;
    }
}

static void corpus_path(const char *name, char *path, size_t size) {
    char self[400];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    self[n > 0 ? n : 0] = '\0';
    for (int up = 0; up < 4; up++) {
        char *slash = strrchr(self, '/');
        *(slash == NULL ? self : slash) = '\0';
    }
    snprintf(path, size, "%s/tests/fuzz/corpus/%s", self, name);
}

/* The number of seeds that were run. */
static int run_corpus(const char *name, target *run) {
    char path[600];
    corpus_path(name, path, sizeof path);
    DIR *dir = opendir(path);
    int count = 0;
    struct dirent *entry;
    while (dir != NULL && (entry = readdir(dir)) != NULL) {
        char file[900];
        snprintf(file, sizeof file, "%s/%s", path, entry->d_name);
        FILE *f = entry->d_name[0] == '.' ? NULL : fopen(file, "re");
        if (f != NULL) {
            struct buf seed = BUF_INIT;
            seed.len = fread(buf_room(&seed, 65536), 1, 65536, f);
            run_seed(run, &seed);
            buf_clear(&seed);
            fclose(f);
            count++;
        }
    }
    if (dir != NULL) {
        closedir(dir);
    }
    return count;
}

void test_fuzz_value_scan_over_its_seeds(void) {
    CHECK(run_corpus("value_scan", fuzz_value_scan) > 0);
}

void test_fuzz_date_over_its_seeds(void) {
    CHECK(run_corpus("date", fuzz_date) > 0);
}

void test_fuzz_router_over_its_seeds(void) {
    CHECK(run_corpus("router", fuzz_router) > 0);
}

void test_fuzz_script_edit_over_its_seeds(void) {
    CHECK(run_corpus("script_edit", fuzz_script_edit) > 0);
}

void test_fuzz_follow_parse_over_its_seeds(void) {
    CHECK(run_corpus("follow_parse", fuzz_follow_parse) > 0);
}
