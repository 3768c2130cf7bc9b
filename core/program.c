/* program.c - what every program of the host begins with: its description and the sealing key.
 * SPDX-License-Identifier: Apache-2.0
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "cli.h"
#include "version.h"
#include "wait.h"

void host_init(struct host *host, const char *home, const struct config *config) {
    *host = (struct host){.config_json = config->json,
                          .data = config->data,
                          .home = home,
                          .version = gander_version,
                          .commit = gander_commit,
                          .started_at = clock_now_ms()};
}

static bool parse_key(const char *hex, uint8_t key[32]) {
    if (strlen(hex) < 64) {
        return false;
    }
    for (int i = 0; i < 32; i++) {
        unsigned byte;
        if (strspn(hex + 2 * i, "0123456789abcdefABCDEF") < 2 ||
            sscanf(hex + 2 * i, "%2x", &byte) != 1) {
            return false;
        }
        key[i] = (uint8_t)byte;
    }
    return hex[64] == '\0' || hex[64] == '\n';
}

static bool make_key(const char *path, uint8_t key[32], struct err *err) {
    if (getrandom(key, 32, 0) != 32) {
        return err_errno(err, errno, "no random bytes for the key");
    }
    char hex[66];
    for (int i = 0; i < 32; i++) {
        snprintf(hex + 2 * i, 3, "%02x", key[i]);
    }
    hex[64] = '\n';
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    bool ok = fd >= 0 && write(fd, hex, 65) == 65 && fsync(fd) == 0;
    int saved = errno;
    if (fd >= 0) {
        close(fd);
    }
    return ok || err_errno(err, saved, "the sealing key %s", path);
}

bool host_key(struct host *host, struct err *err) {
    const char *env = getenv("GANDER_KEY");
    if (env != NULL && env[0] != '\0') {
        return parse_key(env, host->key) ||
               err_set(err, ERR_INVALID, "GANDER_KEY must be 64 hex digits (32 bytes)");
    }
    struct buf path = BUF_INIT;
    buf_addf(&path, "%s/key", host->data);
    char hex[80] = "";
    int fd = open(path.data, O_RDONLY | O_CLOEXEC);
    bool ok;
    if (fd < 0 && errno == ENOENT) {
        ok = make_key(path.data, host->key, err);
    } else if (fd < 0) {
        ok = err_errno(err, errno, "the sealing key %s", path.data);
    } else {
        ssize_t n = read(fd, hex, sizeof hex - 1);
        ok = (n > 0 && parse_key(hex, host->key)) ||
             err_set(err, ERR_INVALID, "%s is not 64 hex digits", path.data);
        close(fd);
    }
    buf_clear(&path);
    return ok;
}
