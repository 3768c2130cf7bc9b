#!/usr/bin/env bash
# Installs the npm packages that a directory's lock file names: setup-npm.sh DIRECTORY WHAT.
# SPDX-License-Identifier: Apache-2.0
. "$(dirname "$0")/lib.sh"

directory=$(cd "$1" && pwd)
what=$2
name=npm-$(tr / - <<<"${directory#"$(dirname "$vendor")"/}")
pins=("$directory/package.json" "$directory/package-lock.json")
is_done "$name" "${pins[@]}" && [ -d "$directory/node_modules" ] && exit 0

PATH=$cache/node/bin:$PATH
say "$what: npm packages by lock file"
# No package runs a script of its own here; none that is used needs to.
(cd "$directory" && quietly npm ci --ignore-scripts --no-audit --no-fund) ||
    die "npm ci failed in $1 (its last words are above)"
mark_done "$name" "${pins[@]}"
