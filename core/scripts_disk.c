/* scripts_disk.c - see scripts_disk.h.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "scripts_disk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "log.h"
#include "value.h"

#define LAST_GOOD "last-good.json"

static bool add_change(struct script_edit *edit, const char *path, const char *text, size_t len,
                       struct err *err) {
    if (!script_path_ok(path)) {
        return err_set(err, ERR_INVALID,
                       "'%s' is not a script's path: dir/name.lua of a-z, 0-9, '_' and '-'", path);
    }
    if (len > SCRIPT_FILE_MAX || edit->count == EDIT_FILES_MAX) {
        return err_set(err, ERR_INVALID, "at most %d files of %d bytes each", EDIT_FILES_MAX,
                       SCRIPT_FILE_MAX);
    }
    edit->changes = mem_grow(edit->changes, (edit->count + 1) * sizeof *edit->changes);
    edit->changes[edit->count++] =
        (struct script_file_change){mem_dup(path), text == NULL ? NULL : mem_dupn(text, len), len};
    return true;
}

static void add_match(struct script_edit *edit, const char *path, const char *etag) {
    edit->matches = mem_grow(edit->matches, (edit->match_count + 1) * sizeof *edit->matches);
    edit->matches[edit->match_count++] = (struct script_match){mem_dup(path), mem_dup(etag)};
}

bool script_edit_parse(struct script_edit *edit, const char *json, size_t len, struct err *err) {
    *edit = (struct script_edit){0};
    struct value_scan scan;
    value_scan_init(&scan, json, len, 2, err);
    char *key = NULL;
    bool files = false, ok = true;
    enum value_token token;
    do {
        token = value_next(&scan);
        const char *text = scan.text.data == NULL ? "" : scan.text.data;
        if (token == VALUE_KEY) {
            free(key);
            key = mem_dup(text);
            files = scan.depth == 1 ? strcmp(key, "files") == 0 : files;
        } else if (scan.depth == 2 && token == VALUE_STRING && !files) {
            add_match(edit, key, text);
        } else if (scan.depth == 2 && (token == VALUE_STRING || token == VALUE_NULL) && files) {
            ok = add_change(edit, key, token == VALUE_NULL ? NULL : text, scan.text.len, err);
        }
    } while (ok && token != VALUE_END && token != VALUE_ERROR);
    free(key);
    value_scan_clear(&scan);
    if (!ok || token == VALUE_ERROR) {
        script_edit_clear(edit);
        return false;
    }
    return true;
}

void script_edit_clear(struct script_edit *edit) {
    for (size_t i = 0; i < edit->count; i++) {
        free((void *)(uintptr_t)edit->changes[i].path);
        free((void *)(uintptr_t)edit->changes[i].text);
    }
    for (size_t i = 0; i < edit->match_count; i++) {
        free(edit->matches[i].path);
        free(edit->matches[i].etag);
    }
    free(edit->changes);
    free(edit->matches);
    *edit = (struct script_edit){0};
}

bool script_edit_match(const struct script_edit *edit, const struct script_set *set,
                       struct err *err) {
    for (size_t i = 0; i < edit->match_count; i++) {
        const struct script_file *f = script_set_find(set, edit->matches[i].path);
        if (strcmp(edit->matches[i].etag, f == NULL ? "none" : f->hash) != 0) {
            return err_set(err, ERR_CONFLICT, "%s changed since you read it: %s",
                           edit->matches[i].path, f == NULL ? "it is gone" : "read it again");
        }
    }
    return true;
}

static bool write_all(int fd, const char *text, size_t len) {
    while (len > 0) {
        ssize_t n = write(fd, text, len);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return false;
        }
        text += n;
        len -= (size_t)n;
    }
    return true;
}

/* Write beside the target under a hidden name, sync, rename over it.  The mode stays that of the
 * file that was there; the host's umask is for what it keeps to itself. */
static bool replace_file(const char *path, mode_t mode, const char *text, size_t len,
                         struct err *err) {
    struct buf temporary = BUF_INIT;
    const char *base = strrchr(path, '/') + 1;
    buf_addf(&temporary, "%.*s.%s.new", (int)(base - path), path, base);
    int fd = open(temporary.data, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, mode);
    struct stat old;
    mode = stat(path, &old) == 0 ? old.st_mode & 0777 : mode;
    bool ok = fd >= 0 && fchmod(fd, mode) == 0 && write_all(fd, text, len) && fsync(fd) == 0;
    int saved = errno;
    if (fd >= 0) {
        close(fd);
    }
    if (ok && rename(temporary.data, path) != 0) {
        ok = false;
        saved = errno;
    }
    if (!ok) {
        unlink(temporary.data);
        err_errno(err, saved, "write %s", path);
    }
    buf_clear(&temporary);
    return ok;
}

/* Make the directories of a path below dir. */
static void make_parents(const char *path, size_t from) {
    char *copy = mem_dup(path);
    for (char *at = strchr(copy + from, '/'); at != NULL; at = strchr(at + 1, '/')) {
        *at = '\0';
        if (mkdir(copy, 0755) == 0) { /* a failure shows when the file is written */
            chmod(copy, 0755);
        }
        *at = '/';
    }
    free(copy);
}

bool script_edit_write(const struct script_edit *edit, const char *dir, struct err *err) {
    bool ok = true;
    for (size_t i = 0; ok && i < edit->count; i++) {
        const struct script_file_change *c = &edit->changes[i];
        struct buf path = BUF_INIT;
        buf_addf(&path, "%s/%s", dir, c->path);
        if (c->text == NULL) {
            ok = unlink(path.data) == 0 || errno == ENOENT ||
                 err_errno(err, errno, "remove %s", c->path);
        } else {
            make_parents(path.data, strlen(dir) + 1);
            ok = replace_file(path.data, 0644, c->text, c->len, err);
        }
        buf_clear(&path);
    }
    return ok;
}

void script_set_save(const char *data, const struct script_set *set) {
    struct err err;
    struct buf path = BUF_INIT, json = BUF_INIT;
    buf_addf(&path, "%s/%s", data, LAST_GOOD);
    script_set_write(set, &json);
    if (!replace_file(path.data, 0600, json.data, json.len, &err)) {
        log_line(LOG_ERROR, "scripts: the last good set is not kept: %s", err.text);
    }
    buf_clear(&json);
    buf_clear(&path);
}

struct script_set *script_set_load(const char *data) {
    struct buf path = BUF_INIT, text = BUF_INIT;
    struct err err;
    struct script_set *set = NULL;
    buf_addf(&path, "%s/%s", data, LAST_GOOD);
    int fd = open(path.data, O_RDONLY | O_CLOEXEC);
    ssize_t n = 0;
    while (fd >= 0 && (n = read(fd, buf_room(&text, 65536), 65536)) > 0) {
        text.len += (size_t)n;
    }
    if (fd >= 0) {
        close(fd);
        set = n == 0 && text.len > 0 ? script_set_parse(text.data, text.len, &err) : NULL;
        if (set == NULL) {
            log_line(LOG_WARN, "scripts: %s cannot be read and is left aside", path.data);
        }
    }
    buf_clear(&text);
    buf_clear(&path);
    return set;
}
