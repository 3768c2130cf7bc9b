#!/usr/bin/env bash
# Tries a clone of a repository on a bare Debian: debootstrap's minbase, git and make, nothing else. Needs root.
#
#   tests/support/bare-debian.sh REPOSITORY [COMMAND...]      COMMAND is `make run` unless given; `bash` lets you in
#   SUITE=trixie tests/support/bare-debian.sh . make test     another suite than bookworm
#
# The system lives in a temporary directory and in namespaces of its own for mounts and processes; it is entered by
# pivot_root, since bubblewrap refuses to work in a chroot. The network is this machine's, so a page that it serves on
# loopback opens in a browser here. When the command ends, every process of it and the directory are gone.
# The mirror is that of this machine's apt; the system as debootstrap left it is kept in vendor/.cache.
# SPDX-License-Identifier: Apache-2.0
. "$(dirname "$0")/../../vendor/lib.sh"

[ $# -ge 1 ] || die "usage: bare-debian.sh REPOSITORY [COMMAND...]"
[ "$(id -u)" -eq 0 ] || die "bare-debian.sh must be run by root: it makes a file system and namespaces"
command -v debootstrap >/dev/null || die "debootstrap is missing: apt-get install debootstrap"
repository=$1
shift
[ $# -gt 0 ] || set -- make run

suite=${SUITE:-bookworm}
archive=$cache/bare-$suite.tar.zst
root=$(mktemp -d)
trap 'rm -rf --one-file-system "$root"' EXIT

if [ ! -f "$archive" ]; then
    mirror=$(apt-get indextargets --no-release-info --format '$(REPO_URI)' 'Created-By: Packages' 'Component: main' |
        head -n 1)
    say "debootstrap $suite"
    quietly debootstrap --variant=minbase --include=git,make "$suite" "$root" "$mirror" || die "debootstrap failed"
    tar --zstd -cf "$archive.part" -C "$root" . && mv "$archive.part" "$archive"
else
    tar --zstd -xf "$archive" -C "$root"
fi

chmod 755 "$root" # mktemp made it for root alone; a sandbox's uid starts at /
git clone --quiet "$repository" "$root/root/gander"

# How this machine reaches the network, and whom its TLS trusts, holds inside too.
cp -L /etc/resolv.conf /etc/hosts "$root/etc/"
mkdir -p "$root/usr/local/share/ca-certificates"
cp /usr/local/share/ca-certificates/*.crt "$root/usr/local/share/ca-certificates/" 2>/dev/null || true
network=()
for name in http_proxy https_proxy no_proxy HTTP_PROXY HTTPS_PROXY NO_PROXY NODE_EXTRA_CA_CERTS PIP_CERT; do
    [ -z "${!name:-}" ] || network+=("$name=${!name}")
done

enter='set -e
    cd "$1"
    shift
    mount --bind . .
    cd "$PWD"
    mount -t proc proc proc
    mount --rbind /sys sys
    mount --rbind /dev dev
    mount -t tmpfs tmpfs run
    mkdir -p old
    pivot_root . old
    cd /root/gander
    umount --lazy /old
    rmdir /old
    exec env -i HOME=/root TERM="${TERM:-dumb}" PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$@"'

status=0
unshare --mount --pid --fork --propagation private bash -c "$enter" enter "$root" "${network[@]}" "$@" || status=$?
exit "$status"
