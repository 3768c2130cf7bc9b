#!/usr/bin/env bash
# Puts the goose binary, pinned by its lock file, into vendor/goose/node_modules.
# SPDX-License-Identifier: Apache-2.0
. "$(dirname "$0")/lib.sh"

pins=("$vendor/goose/package.json" "$vendor/goose/package-lock.json")
is_done goose "${pins[@]}" && [ -d "$vendor/goose/node_modules" ] && exit 0

PATH=$cache/node/bin:$PATH
say "goose $(sed -n 's/.*goose-binary-linux-x64": "\(.*\)"/\1/p' "${pins[0]}"): its binary from npm"
(cd "$vendor/goose" && quietly npm ci --ignore-scripts) || die "npm ci failed in vendor/goose (its last words are above)"
compgen -G "$vendor/goose/node_modules/@aaif/*/bin/goose" >/dev/null ||
    say "goose is not published for $(uname -m): the echo engine will answer"
mark_done goose "${pins[@]}"
