/* test_netns.c - sockets made inside another network namespace.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "check.h"

#include "netns.h"
#include "proc.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* A process that says so once it sits in a network of its own, its loopback up. */
static struct proc *dweller(void) {
    static const char *const argv[] = {
        "unshare", "-Urn", "sh", "-c", "ip link set lo up; echo up >&5; read line <&5", NULL};
    struct proc_fd hold = {.number = 5, .kind = PROC_FD_HOLD};
    struct proc_spec spec = {.argv = argv, .uid = -1, .fds = &hold, .fd_count = 1};
    struct err err;
    struct proc *p = proc_spawn(&spec, &err);
    char said[8];
    size_t got = 0;
    if (p != NULL && (!proc_hold_read(p, 5, said, sizeof said, 20000, &got, &err) || got == 0)) {
        proc_free(p);
        return NULL;
    }
    return p;
}

static struct sockaddr_in loopback(int port) {
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return a;
}

void test_netns_dials_inside(void) {
    struct proc *p = dweller();
    if (p == NULL) {
        check_skip("no user namespaces here");
        return;
    }
    struct err err;
    struct netns *n = netns_open(p, &err);
    int server = n == NULL ? -1 : netns_listen(n, 3001, &err);
    int inside = n == NULL ? -1 : netns_socket(n, AF_INET, SOCK_STREAM, 0, &err);
    struct sockaddr_in to = loopback(3001);
    bool reached = connect(inside, (struct sockaddr *)&to, sizeof to) == 0;
    /* The same address can be taken again outside: that is another network. */
    int outside = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in any = loopback(0);
    bool apart = bind(outside, (struct sockaddr *)&any, sizeof any) == 0 && listen(outside, 1) == 0;
    socklen_t size = sizeof any;
    getsockname(outside, (struct sockaddr *)&any, &size);
    int second = netns_socket(n, AF_INET, SOCK_STREAM, 0, &err);
    apart = apart && connect(second, (struct sockaddr *)&any, sizeof any) != 0;
    close(server);
    close(inside);
    close(outside);
    close(second);
    netns_free(n);
    proc_free(p);
    CHECK(n != NULL && server >= 0 && inside >= 0);
    CHECK(reached);
    CHECK(apart);
}

void test_netns_refuses_a_process_that_ended(void) {
    struct proc *p = dweller();
    if (p == NULL) {
        check_skip("no user namespaces here");
        return;
    }
    struct err err;
    struct proc_exit end;
    proc_kill(p, SIGKILL, NULL);
    proc_wait(p, 20000, &end, &err);
    struct netns *n = netns_open(p, &err);
    proc_free(p);
    CHECK(n == NULL && err.code == ERR_NOT_FOUND);
}
