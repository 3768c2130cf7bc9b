#!/usr/bin/env bash
# Puts the goose binary, pinned by its lock file, into vendor/goose/node_modules.
# SPDX-License-Identifier: Apache-2.0
. "$(dirname "$0")/lib.sh"

"$vendor/setup-npm.sh" "$vendor/goose" goose
compgen -G "$vendor/goose/node_modules/@aaif/*/bin/goose" >/dev/null ||
    say "goose is not published for $(uname -m): the echo engine will answer"
