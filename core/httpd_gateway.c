/* httpd_gateway.c - see httpd_gateway.h.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "httpd_gateway.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "log.h"

#define SOCKET_NAME "model.sock"

int gateway_open(const char *data, struct err *err) {
    struct buf path = BUF_INIT;
    buf_addf(&path, "%s/gateway", data);
    mkdir(path.data, 0755); /* a failure shows when it is opened */
    int dir = open(path.data, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir < 0 || fchmod(dir, 0755) != 0) {
        err_errno(err, errno, "model gateway: %s", path.data);
        if (dir >= 0) {
            close(dir);
        }
        dir = -1;
    } else {
        unlinkat(dir, SOCKET_NAME, 0); /* of a host that was killed; the data directory is ours */
    }
    buf_clear(&path);
    return dir;
}

void gateway_path(int dir, struct buf *path) {
    buf_addf(path, "/proc/self/fd/%d/" SOCKET_NAME, dir);
}

void gateway_ready(int dir) {
    if (fchmodat(dir, SOCKET_NAME, 0666, 0) != 0) {
        log_line(LOG_WARN, "model gateway: %s: %s", SOCKET_NAME, strerror(errno));
    }
}
