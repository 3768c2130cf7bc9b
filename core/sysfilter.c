/* sysfilter.c - see sysfilter.h.  libseccomp makes the BPF; a memory file carries it.  No state.
 * SPDX-License-Identifier: Apache-2.0
 */
#include "sysfilter.h"

#include <errno.h>
#include <sched.h>
#include <seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

/* By name, since an older libseccomp may not know one: that one is skipped. */
static const char refused[] =
    "unshare setns mount umount umount2 pivot_root chroot move_mount open_tree mount_setattr "
    "fsopen fsconfig fsmount fspick ptrace process_vm_readv process_vm_writev kcmp bpf "
    "perf_event_open userfaultfd keyctl add_key request_key io_uring_setup io_uring_enter "
    "io_uring_register open_by_handle_at name_to_handle_at init_module finit_module delete_module "
    "kexec_load kexec_file_load reboot swapon swapoff acct quotactl syslog lookup_dcookie iopl "
    "ioperm settimeofday clock_settime adjtimex clock_adjtime vhangup fanotify_init ";

static int add_rules(scmp_filter_ctx ctx) {
    const uint32_t no = SCMP_ACT_ERRNO(EPERM);
    int failed = 0;
    for (const char *at = refused; *at != '\0'; at += strcspn(at, " ") + 1) {
        char name[32];
        snprintf(name, sizeof name, "%.*s", (int)strcspn(at, " "), at);
        int number = seccomp_syscall_resolve_name(name);
        if (number != __NR_SCMP_ERROR) {
            failed |= seccomp_rule_add(ctx, no, number, 0);
        }
    }
    const int namespaces[] = {CLONE_NEWUSER, CLONE_NEWNS,  CLONE_NEWPID,   CLONE_NEWNET,
                              CLONE_NEWIPC,  CLONE_NEWUTS, CLONE_NEWCGROUP};
    for (size_t i = 0; i < sizeof namespaces / sizeof namespaces[0]; i++) {
        const scmp_datum_t flag = (scmp_datum_t)namespaces[i];
        failed |=
            seccomp_rule_add(ctx, no, SCMP_SYS(clone), 1, SCMP_A0(SCMP_CMP_MASKED_EQ, flag, flag));
    }
    failed |= seccomp_rule_add(ctx, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
    /* The kernel looks at the low half of the request only, so does the rule. */
    const scmp_datum_t requests[] = {TIOCSTI, TIOCLINUX};
    for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++) {
        failed |= seccomp_rule_add(ctx, no, SCMP_SYS(ioctl), 1,
                                   SCMP_A1(SCMP_CMP_MASKED_EQ, 0xffffffff, requests[i]));
    }
    /* These families are not bound by the network namespace. */
    const scmp_datum_t families[] = {AF_VSOCK, AF_ALG, AF_BLUETOOTH, AF_NFC};
    for (size_t i = 0; i < sizeof families / sizeof families[0]; i++) {
        failed |= seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EAFNOSUPPORT), SCMP_SYS(socket), 1,
                                   SCMP_A0(SCMP_CMP_MASKED_EQ, 0xffffffff, families[i]));
    }
    return failed;
}

bool sysfilter_make(struct buf *out, struct err *err) {
    scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ALLOW);
    int fd = memfd_create("seccomp", MFD_CLOEXEC);
    bool ok = ctx != NULL && fd >= 0 && add_rules(ctx) == 0 && seccomp_export_bpf(ctx, fd) == 0 &&
              lseek(fd, 0, SEEK_SET) == 0;
    if (ctx != NULL) {
        seccomp_release(ctx);
    }
    ssize_t n = ok ? 1 : -1;
    while (n > 0) {
        n = read(fd, buf_room(out, 4096), 4096);
        out->len += n > 0 ? (size_t)n : 0;
    }
    if (fd >= 0) {
        close(fd);
    }
    return n == 0 || err_set(err, ERR_INTERNAL, "the system call filter could not be made");
}
