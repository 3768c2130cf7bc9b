/* files.c - see files.h: one file at a time.  Trees are in files_tree.c.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "files.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

static bool read_fd(int fd, int64_t offset, size_t max, bool part, struct buf *out) {
    size_t total = 0;
    for (;;) {
        size_t want = max - total < 65536 ? max - total : 65536;
        if (want == 0 && part) {
            return true;
        }
        want = want == 0 ? 1 : want; /* is there more than allowed? */
        ssize_t n = pread(fd, buf_room(out, want), want, (off_t)(offset + (int64_t)total));
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return n == 0;
        }
        if (total == max) {
            errno = EFBIG;
            return false;
        }
        out->len += (size_t)n;
        total += (size_t)n;
    }
}

static bool is_regular(int fd) {
    struct stat st;
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode)) {
        return true;
    }
    errno = EINVAL;
    return false;
}

static bool read_failed(const char *path, size_t max, struct err *err) {
    return errno == EFBIG ? err_set(err, ERR_INVALID, "%s is longer than %zu bytes", path, max)
                          : err_errno(err, errno, "read %s", path);
}

bool files_read_fd(int fd, const char *path, size_t max, bool part, struct buf *out,
                   struct err *err) {
    return read_fd(fd, 0, max, part, out) || read_failed(path, max, err);
}

bool files_read(const char *path, int64_t offset, size_t max, bool part, struct buf *out,
                struct err *err) {
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    bool ok = (fd >= 0 && read_fd(fd, offset, max, part, out)) || read_failed(path, max, err);
    if (fd >= 0) {
        close(fd);
    }
    return ok;
}

static bool write_all(int fd, const char *data, size_t len) {
    while (len > 0) {
        ssize_t n = write(fd, data, len);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return false;
        }
        data += n;
        len -= (size_t)n;
    }
    return true;
}

/* Write beside the name, then rename over it; both within the open directory. */
static bool replace_at(int dir, const char *name, const char *data, size_t len,
                       struct files_make how) {
    char temporary[64];
    uint64_t random;
    if (getrandom(&random, sizeof random, 0) != sizeof random) {
        return false;
    }
    snprintf(temporary, sizeof temporary, ".gander-%016llx.tmp", (unsigned long long)random);
    int fd = openat(dir, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0) {
        return false;
    }
    bool ok = write_all(fd, data, len) &&
              (how.uid < 0 || fchown(fd, (uid_t)how.uid, (gid_t)how.uid) == 0) &&
              fchmod(fd, how.mode) == 0 && (!how.sync || fsync(fd) == 0);
    ok = close(fd) == 0 && ok;
    ok = ok && renameat(dir, temporary, dir, name) == 0 && (!how.sync || fsync(dir) == 0);
    if (!ok) {
        int saved = errno;
        unlinkat(dir, temporary, 0);
        errno = saved;
    }
    return ok;
}

bool files_write(const char *path, const char *data, size_t len, struct files_make how,
                 struct err *err) {
    char *for_dir = mem_dup(path), *for_name = mem_dup(path);
    int dir = open(dirname(for_dir), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool ok = dir >= 0 && replace_at(dir, basename(for_name), data, len, how);
    if (!ok) {
        err_errno(err, errno, "write %s", path);
    }
    if (dir >= 0) {
        close(dir);
    }
    free(for_dir);
    free(for_name);
    return ok;
}

bool files_poke(const char *path, const char *data, size_t len, struct err *err) {
    int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
    bool ok = fd >= 0 && write(fd, data, len) == (ssize_t)len;
    if (!ok) {
        err_errno(err, errno, "write %s", path);
    }
    if (fd >= 0) {
        close(fd);
    }
    return ok;
}

bool files_claim(const char *path, const char *data, size_t len, struct err *err) {
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) {
        return err_errno(err, errno, "make %s", path);
    }
    bool ok = write_all(fd, data, len) && fsync(fd) == 0;
    if (!ok) {
        err_errno(err, errno, "write %s", path);
        unlink(path);
    }
    close(fd);
    return ok;
}

bool files_mkdir(const char *path, mode_t mode, long uid, struct err *err) {
    char *part = mem_dup(path);
    size_t len = strlen(part);
    bool ok = len > 0, made = false;
    errno = ok ? 0 : ENOENT;
    for (size_t i = 1; ok && i <= len; i++) {
        if (path[i] == '/' || path[i] == '\0') {
            part[i] = '\0';
            made = mkdir(part, 0700) == 0;
            ok = made || errno == EEXIST || errno == EROFS;
            part[i] = path[i];
        }
    }
    struct stat st;
    ok = ok && stat(path, &st) == 0;
    if (ok && !S_ISDIR(st.st_mode)) {
        errno = ENOTDIR;
        ok = false;
    }
    /* A directory that was there keeps its owner and mode. */
    ok = ok && (!made ||
                ((uid < 0 || lchown(path, (uid_t)uid, (gid_t)uid) == 0) && chmod(path, mode) == 0));
    if (!ok) {
        err_errno(err, errno, "make directory %s", path);
    }
    free(part);
    return ok;
}

bool files_free(const char *path, int64_t *bytes, struct err *err) {
    struct statvfs fs;
    if (statvfs(path, &fs) != 0) {
        return err_errno(err, errno, "free space of %s", path);
    }
    *bytes = (int64_t)fs.f_bavail * (int64_t)fs.f_frsize;
    return true;
}

static int open_beneath(int root, const char *path, int flags, mode_t mode) {
    struct open_how how = {
        .flags = (unsigned)(flags | O_CLOEXEC),
        .mode = mode,
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS,
    };
    while (*path == '/') {
        path++; /* "/a" of a tree is "a" in it */
    }
    long fd;
    do {
        fd = syscall(SYS_openat2, root, *path == '\0' ? "." : path, &how, sizeof how);
    } while (fd < 0 && errno == EAGAIN); /* a rename raced with ".." */
    return (int)fd;
}

static int open_root(const char *root, struct err *err) {
    int fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        err_errno(err, errno, "%s", root);
    }
    return fd;
}

int files_open_beneath(const char *root, const char *path, struct err *err) {
    int dir = open_root(root, err);
    if (dir < 0) {
        return -1;
    }
    int fd = open_beneath(dir, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);
    int saved = errno;
    close(dir);
    if (fd >= 0 && !is_regular(fd)) {
        close(fd);
        err_set(err, ERR_INVALID, "%s is not a regular file", path);
        return -1;
    }
    if (fd < 0 && saved == EXDEV) {
        err_set(err, ERR_DENIED, "%s leads out of its directory", path);
    } else if (fd < 0) {
        err_errno(err, saved, "%s", path);
    }
    return fd;
}

bool files_list_fd(int fd, size_t max, struct buf *out); /* files_tree.c; closes fd */

bool files_list_beneath(const char *root, const char *path, size_t max, struct buf *out,
                        struct err *err) {
    int dir = open_root(root, err);
    if (dir < 0) {
        return false;
    }
    int fd = open_beneath(dir, path, O_RDONLY | O_DIRECTORY, 0);
    int saved = errno;
    close(dir);
    if (fd < 0 && saved == EXDEV) {
        return err_set(err, ERR_DENIED, "%s leads out of its directory", path);
    }
    errno = saved;
    return (fd >= 0 && files_list_fd(fd, max, out)) || err_errno(err, errno, "%s", path);
}

/* The directory that holds `path`, made where it is missing; *name is the last part. */
static int parent_beneath(int root, char *path, long uid, const char **name) {
    char *last = strrchr(path, '/');
    *name = last == NULL ? path : last + 1;
    if (**name == '\0' || strcmp(*name, ".") == 0 || strcmp(*name, "..") == 0) {
        errno = EINVAL;
        return -1;
    }
    int dir = open_beneath(root, ".", O_RDONLY | O_DIRECTORY, 0);
    for (char *at = path; dir >= 0 && last != NULL && at <= last;) {
        char *end = strchr(at, '/');
        *end = '\0';
        if (end > at) {
            bool made = mkdirat(dir, at, 0755) == 0;
            close(dir);
            /* From the root each time: a link on the way must not lead out of it. */
            dir = open_beneath(root, path, O_RDONLY | O_DIRECTORY, 0);
            if (dir >= 0 && made && uid >= 0 && fchown(dir, (uid_t)uid, (gid_t)uid) != 0) {
                close(dir);
                dir = -1;
            }
        }
        *end = '/';
        at = end + 1;
    }
    return dir;
}

bool files_write_beneath(const char *root, const char *path, const char *data, size_t len,
                         struct files_make how, struct err *err) {
    int top = open_root(root, err);
    if (top < 0) {
        return false;
    }
    while (*path == '/') {
        path++;
    }
    char *copy = mem_dup(path);
    const char *name;
    int dir = parent_beneath(top, copy, how.uid, &name);
    bool ok = dir >= 0 && replace_at(dir, name, data, len, how);
    if (!ok && errno == EXDEV) {
        err_set(err, ERR_DENIED, "%s leads out of its directory", path);
    } else if (!ok) {
        err_errno(err, errno, "write %s", path);
    }
    if (dir >= 0) {
        close(dir);
    }
    free(copy);
    close(top);
    return ok;
}

bool files_lock_holder(const char *path, pid_t *pid, struct err *err) {
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    bool ok = fd >= 0 && fcntl(fd, F_GETLK, &lock) == 0;
    if (ok) {
        *pid = lock.l_type == F_UNLCK ? 0 : lock.l_pid;
    } else {
        err_errno(err, errno, "lock of %s", path);
    }
    if (fd >= 0) {
        close(fd);
    }
    return ok;
}

bool files_punch(const char *path, int64_t offset, struct err *err) {
    int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
    bool ok = fd >= 0 &&
              (offset <= 0 ||
               fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, (off_t)offset) == 0 ||
               errno == EOPNOTSUPP); /* it just stays on disk */
    if (!ok) {
        err_errno(err, errno, "free the start of %s", path);
    }
    if (fd >= 0) {
        close(fd);
    }
    return ok;
}
