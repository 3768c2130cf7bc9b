#!/usr/bin/env bash
# Installs the Debian packages of the named groups of packages.txt (all but test and node, if none is named).
# Asks dpkg what is missing and does nothing, without network, when nothing is.
# SPDX-License-Identifier: Apache-2.0
. "$(dirname "$0")/lib.sh"

[ $# -gt 0 ] || set -- build run

command -v dpkg-query >/dev/null ||
    die "this set-up knows Debian and Ubuntu only. Install the like of vendor/packages.txt by hand, then: make core console"

wanted=$(awk -v groups=" $* " '!/^#/ && NF && index(groups, " " $1 " ") { print $2 }' "$vendor/packages.txt")
have=$(dpkg-query -W -f '${Package} ${db:Status-Status}\n' 2>/dev/null | awk '$2 == "installed" { print $1 }')
missing=$(comm -23 <(sort -u <<<"$wanted") <(sort -u <<<"$have") | xargs)
[ -n "$missing" ] || exit 0

as_root=()
if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null ||
        die "neither root nor sudo, and these Debian packages are missing: $missing. Ask an administrator for: apt-get install $missing"
    as_root=(sudo)
fi

apt_get() {
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
        apt-get -q -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 "$@"
}

say "Debian packages: $missing"
# The lists may be old, or absent on a fresh machine; so update first.
# shellcheck disable=SC2086
{ quietly apt_get update && quietly apt_get install -y --no-install-recommends $missing; } ||
    die "apt-get could not install: $missing (its last words are above)"
