/* files_tree.c - files.h for whole trees: list, remove, usage.
 *
 * Removal works on open directories (openat, unlinkat): a path swapped for a link meanwhile leads
 * nowhere.  Below LEVELS_MAX a directory is first moved up to the top of the tree, so that depth
 * costs neither stack nor descriptors.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LEVELS_MAX 32

bool files_list_fd(int fd, size_t max, struct buf *out);

static bool is_dots(const char *name) {
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

static char kind_of(const struct dirent *entry) {
    switch (entry->d_type) {
    case DT_REG:
        return 'f';
    case DT_DIR:
        return 'd';
    case DT_LNK:
        return 'l';
    default:
        return 'o';
    }
}

bool files_list_fd(int fd, size_t max, struct buf *out) {
    DIR *dir = fdopendir(fd);
    if (dir == NULL) {
        close(fd);
        return false;
    }
    size_t count = 0;
    const struct dirent *entry;
    while ((entry = readdir(dir)) != NULL) {
        if (is_dots(entry->d_name)) {
            continue;
        }
        if (count++ == max) {
            break;
        }
        buf_addc(out, kind_of(entry));
        buf_add(out, entry->d_name, strlen(entry->d_name) + 1);
    }
    closedir(dir);
    return true;
}

bool files_list(const char *path, size_t max, struct buf *out, struct err *err) {
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return (fd >= 0 && files_list_fd(fd, max, out)) || err_errno(err, errno, "list %s", path);
}

/* What one removal shares over all its levels. */
struct removal {
    int top;       /* the root of the tree */
    unsigned next; /* number of the next directory moved up */
    bool moved;    /* some were: the top must be gone through again */
};

static bool remove_children(struct removal *r, int dir, int level);

static bool remove_directory(struct removal *r, int dir, const char *name, int level) {
    if (level >= LEVELS_MAX) {
        char up[32];
        int result;
        r->moved = true;
        do {
            snprintf(up, sizeof up, ".gander-%u", r->next++);
            result = renameat(dir, name, r->top, up);
        } while (result != 0 && (errno == ENOTEMPTY || errno == EEXIST || errno == ENOTDIR));
        return result == 0 || errno == ENOENT;
    }
    int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 && errno == EACCES && fchmodat(dir, name, 0700, 0) == 0) {
        fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    }
    if (fd < 0) {
        return errno == ENOENT;
    }
    fchmod(fd, 0700); /* its owner may have taken the right to write away; refused: told below */
    return remove_children(r, fd, level + 1) &&
           (unlinkat(dir, name, AT_REMOVEDIR) == 0 || errno == ENOENT);
}

/* Closes dir, but not the top. */
static bool remove_children(struct removal *r, int dir, int level) {
    int own = dir == r->top ? fcntl(dir, F_DUPFD_CLOEXEC, 0) : dir;
    DIR *list = own < 0 ? NULL : fdopendir(own);
    if (list == NULL) {
        if (own >= 0) {
            close(own);
        }
        return false;
    }
    rewinddir(list);
    bool ok = true;
    const struct dirent *entry;
    while (ok && (entry = readdir(list)) != NULL) {
        if (is_dots(entry->d_name)) {
            continue;
        }
        if (unlinkat(dirfd(list), entry->d_name, 0) == 0 || errno == ENOENT) {
            continue;
        }
        ok = (errno == EISDIR || errno == EPERM) &&
             remove_directory(r, dirfd(list), entry->d_name, level);
    }
    int saved = errno;
    closedir(list);
    errno = saved;
    return ok;
}

bool files_remove(const char *path, struct err *err) {
    if (unlink(path) == 0 || errno == ENOENT) {
        return true;
    }
    if (errno != EISDIR && errno != EPERM) {
        return err_errno(err, errno, "remove %s", path);
    }
    struct removal r = {.top = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)};
    bool ok = r.top >= 0;
    do {
        r.moved = false;
        ok = ok && remove_children(&r, r.top, 0);
    } while (ok && r.moved);
    ok = ok && rmdir(path) == 0;
    if (!ok) {
        err_errno(err, errno, "remove %s", path);
    }
    if (r.top >= 0) {
        close(r.top);
    }
    return ok;
}

bool files_usage(const char *path, size_t max, int64_t *bytes, bool *whole, struct err *err) {
    char *start = mem_dup(path);
    char *paths[] = {start, NULL};
    FTS *walk = fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR | FTS_XDEV, NULL);
    size_t count = 0;
    *bytes = 0;
    *whole = true;
    FTSENT *entry;
    while (walk != NULL && (entry = fts_read(walk)) != NULL) {
        if (entry->fts_info == FTS_DP || entry->fts_info == FTS_NS) {
            continue;
        }
        if (count++ == max) {
            *whole = false;
            break;
        }
        *bytes += (int64_t)entry->fts_statp->st_blocks * 512;
    }
    free(start);
    if (walk == NULL) {
        return err_errno(err, errno, "usage of %s", path);
    }
    fts_close(walk);
    return true;
}
