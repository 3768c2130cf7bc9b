# Shared by the set-up scripts: where things are, how they speak, and stamps that make a second run a no-op.
# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash

set -euo pipefail
vendor=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=$vendor/.cache
mkdir -p "$cache"

say() { printf '  %-7s %s\n' SETUP "$*"; }

die() {
    printf 'set-up: %s\n' "$*" >&2
    exit 1
}

# Runs a command silently; what it printed is shown only if it fails.
quietly() {
    local log
    log=$(mktemp)
    if "$@" >"$log" 2>&1; then
        rm -f "$log"
        return 0
    fi
    tail -n 40 "$log" >&2
    rm -f "$log"
    return 1
}

# A stamp holds the checksum of the files that decide a step's result.
pins_of() { cat "$@" | sha256sum | cut -d ' ' -f 1; }

# is_done NAME FILE...: true when step NAME was finished with exactly these pins.
is_done() {
    local name=$1
    shift
    [ "$(cat "$cache/$name.stamp" 2>/dev/null)" = "$(pins_of "$@")" ]
}

mark_done() {
    local name=$1
    shift
    pins_of "$@" >"$cache/$name.stamp"
}
