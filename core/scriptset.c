/* scriptset.c - see scriptset.h.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "scriptset.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "value.h"
#include "wait.h"

#define PATH_PARTS_MAX 6

bool script_path_ok(const char *path) {
    size_t len = strlen(path);
    if (len < 5 || len > 200 || strcmp(path + len - 4, ".lua") != 0) {
        return false;
    }
    int parts = 1;
    for (size_t i = 0; i < len - 4; i++) {
        char c = path[i];
        bool word = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
        bool slash = c == '/' && i > 0 && path[i - 1] != '/' && i + 1 < len - 4;
        parts += slash;
        if (!word && !slash) {
            return false;
        }
    }
    return path[len - 5] != '/' && parts <= PATH_PARTS_MAX;
}

static void hex(const unsigned char *bytes, size_t n, char *out) {
    for (size_t i = 0; i < n; i++) {
        snprintf(out + 2 * i, 3, "%02x", bytes[i]);
    }
}

static void file_hash(struct script_file *f) {
    unsigned char digest[32];
    EVP_Digest(f->text, f->len, digest, NULL, EVP_sha256(), NULL);
    hex(digest, sizeof digest, f->hash);
}

static int by_path(const void *a, const void *b) {
    return strcmp(((const struct script_file *)a)->path, ((const struct script_file *)b)->path);
}

static void add_file(struct script_set *set, const char *path, const char *text, size_t len,
                     int64_t modified_ms) {
    set->files = mem_grow(set->files, (set->count + 1) * sizeof *set->files);
    struct script_file *f = &set->files[set->count++];
    *f = (struct script_file){
        .path = mem_dup(path), .text = mem_dupn(text, len), .len = len, .modified_ms = modified_ms};
    file_hash(f);
}

/* Sort, and make the hash of the whole from the files' paths and hashes. */
static struct script_set *finish(struct script_set *set) {
    if (set->count > 0) {
        qsort(set->files, set->count, sizeof *set->files, by_path);
    }
    struct buf all = BUF_INIT;
    for (size_t i = 0; i < set->count; i++) {
        buf_addf(&all, "%s %s\n", set->files[i].hash, set->files[i].path);
    }
    unsigned char digest[32];
    EVP_Digest(all.data == NULL ? "" : all.data, all.len, digest, NULL, EVP_sha256(), NULL);
    hex(digest, sizeof digest, set->hash);
    buf_clear(&all);
    return set;
}

static struct script_set *set_new(void) {
    struct script_set *set = mem_alloc(sizeof *set);
    atomic_init(&set->users, 1);
    set->loaded_ms = clock_now_ms();
    return set;
}

struct script_set *script_set_retain(struct script_set *set) {
    atomic_fetch_add(&set->users, 1);
    return set;
}

void script_set_release(struct script_set *set) {
    if (set == NULL || atomic_fetch_sub(&set->users, 1) > 1) {
        return;
    }
    for (size_t i = 0; i < set->count; i++) {
        free(set->files[i].path);
        free(set->files[i].text);
    }
    free(set->files);
    free(set);
}

const struct script_file *script_set_find(const struct script_set *set, const char *path) {
    struct script_file key = {.path = (char *)(uintptr_t)path};
    return set->count == 0 ? NULL : bsearch(&key, set->files, set->count, sizeof key, by_path);
}

static bool read_file(struct script_set *set, int dirfd, const char *name, const char *path,
                      struct err *err) {
    int fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0 && errno == ENOENT) {
        return true; /* removed or renamed while the directory was read */
    }
    if (fd < 0) {
        return err_errno(err, errno, "script %s", path);
    }
    struct stat st;
    struct buf text = BUF_INIT;
    bool ok = false;
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        err_set(err, ERR_INVALID, "script %s is not a regular file", path);
        goto out;
    }
    for (;;) {
        ssize_t n = read(fd, buf_room(&text, 65536), 65536);
        if (n < 0) {
            err_errno(err, errno, "script %s", path);
            goto out;
        }
        if (n == 0) {
            break;
        }
        text.len += (size_t)n;
        if (text.len > SCRIPT_FILE_MAX) {
            err_set(err, ERR_INVALID, "script %s is larger than %d bytes", path, SCRIPT_FILE_MAX);
            goto out;
        }
    }
    add_file(set, path, text.data, text.len,
             (int64_t)st.st_mtim.tv_sec * 1000 + st.st_mtim.tv_nsec / 1000000);
    ok = true;
out:
    close(fd);
    buf_clear(&text);
    return ok;
}

static bool read_dir(struct script_set *set, int fd, const char *prefix, int depth,
                     struct err *err) {
    DIR *dir = fdopendir(fd);
    if (dir == NULL) {
        close(fd);
        return err_errno(err, errno, "scripts directory %s", prefix);
    }
    bool ok = true;
    struct dirent *entry;
    while (ok && (entry = readdir(dir)) != NULL) {
        if (entry->d_name[0] == '.') {
            continue; /* hidden files, and what an editor leaves while it saves */
        }
        struct buf path = BUF_INIT;
        buf_addf(&path, "%s%s%s", prefix, prefix[0] == '\0' ? "" : "/", entry->d_name);
        struct stat st;
        bool known = fstatat(dirfd(dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0;
        if (known && S_ISDIR(st.st_mode) && depth < PATH_PARTS_MAX) {
            int sub = openat(dirfd(dir), entry->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
            ok = sub >= 0 ? read_dir(set, sub, path.data, depth + 1, err)
                          : err_errno(err, errno, "scripts directory %s", path.data);
        } else if (known && script_path_ok(path.data)) {
            ok = set->count < SCRIPT_FILES_MAX
                     ? read_file(set, dirfd(dir), entry->d_name, path.data, err)
                     : err_set(err, ERR_INVALID, "more than %d scripts", SCRIPT_FILES_MAX);
        }
        buf_clear(&path);
    }
    closedir(dir);
    return ok;
}

struct script_set *script_set_read(const char *dir, struct err *err) {
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        err_errno(err, errno, "scripts directory %s", dir);
        return NULL;
    }
    struct script_set *set = set_new();
    if (!read_dir(set, fd, "", 1, err)) {
        script_set_release(set);
        return NULL;
    }
    return finish(set);
}

struct script_set *script_set_change(const struct script_set *base,
                                     const struct script_file_change *changes, size_t count) {
    struct script_set *set = set_new();
    for (size_t i = 0; i < base->count; i++) {
        const struct script_file *f = &base->files[i];
        size_t c = 0;
        while (c < count && strcmp(changes[c].path, f->path) != 0) {
            c++;
        }
        if (c == count) {
            add_file(set, f->path, f->text, f->len, f->modified_ms);
        }
    }
    for (size_t c = 0; c < count; c++) {
        if (changes[c].text != NULL) {
            add_file(set, changes[c].path, changes[c].text, changes[c].len, set->loaded_ms);
        }
    }
    return finish(set);
}

void script_set_write(const struct script_set *set, struct buf *json) {
    buf_adds(json, "{\"generation\":");
    value_integer(json, set->generation);
    buf_adds(json, ",\"files\":{");
    for (size_t i = 0; i < set->count; i++) {
        buf_adds(json, i > 0 ? ",\n" : "\n");
        value_string(json, set->files[i].path, strlen(set->files[i].path));
        buf_addc(json, ':');
        value_string(json, set->files[i].text, set->files[i].len);
    }
    buf_adds(json, "}}\n");
}

struct script_set *script_set_parse(const char *json, size_t len, struct err *err) {
    struct script_set *set = set_new();
    struct value_scan scan;
    value_scan_init(&scan, json, len, 3, err);
    char *path = NULL;
    enum value_token token;
    do {
        token = value_next(&scan);
        if (token == VALUE_KEY) {
            free(path);
            path = mem_dup(scan.text.data == NULL ? "" : scan.text.data);
        } else if (token == VALUE_INTEGER && path != NULL && strcmp(path, "generation") == 0) {
            set->generation = scan.integer;
        } else if (token == VALUE_STRING && path != NULL && script_path_ok(path)) {
            add_file(set, path, scan.text.data == NULL ? "" : scan.text.data, scan.text.len, 0);
        }
    } while (token != VALUE_END && token != VALUE_ERROR);
    free(path);
    value_scan_clear(&scan);
    if (token == VALUE_ERROR) {
        script_set_release(set);
        return NULL;
    }
    return finish(set);
}
