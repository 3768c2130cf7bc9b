#!/usr/bin/env bash
# Puts the sources of civetweb 1.16, with Debian's security fixes, into vendor/.cache/civetweb.
#
# Debian 12 has only civetweb 1.15, so the source package of a newer suite is read through a private source list made
# from the machine's own apt configuration (its mirror, its keys). That configuration itself is not touched.
# SPDX-License-Identifier: Apache-2.0
. "$(dirname "$0")/lib.sh"

version=1.16
sha256=41dbfd68cd3b914ce440a5813f21058813b61a972600cc04fb8233a0d2d04fe4 # of the upstream archive, in every revision

is_done civetweb "$0" && [ -f "$cache/civetweb/src/civetweb.c" ] && exit 0

. /etc/os-release
own_suite=${VERSION_CODENAME:-}
keyring=/usr/share/keyrings/$ID-archive-keyring.gpg
work=$(mktemp -d "$cache/civetweb.XXXXXX")
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/lists/partial" "$work/archives/partial"

# Prints "mirror component" of each source of the machine's own suite, whichever format its lists have.
mirrors() {
    apt-get indextargets --no-release-info --format '$(REPO_URI) $(COMPONENT)' \
        'Created-By: Packages' "Release: $own_suite" | sort -u
}

private_apt_get() {
    apt-get -q -o Dir::Etc::sourcelist="$work/sources.list" -o Dir::Etc::sourceparts=/dev/null \
        -o Dir::State::lists="$work/lists" -o Dir::Cache="$work" -o Acquire::Languages=none \
        -o Acquire::Retries=3 -o APT::Get::List-Cleanup=no "$@"
}

# fetch SUITE MIRROR COMPONENT: true when the pinned archive and Debian's part of the package lie in $work/source.
# The result of `source` does not count: mirrors were seen without the .dsc, which is not needed (apt checks each file).
fetch() {
    local suite=$1 mirror=$2 component=$3 signed_by=
    [ ! -f "$keyring" ] || signed_by="[signed-by=$keyring] "
    echo "deb-src $signed_by$mirror $suite $component" >"$work/sources.list"
    rm -rf "$work/source"
    mkdir "$work/source"
    private_apt_get update || return 1
    (cd "$work/source" && private_apt_get source --download-only --only-source "civetweb/$suite") || true
    compgen -G "$work/source/civetweb_$version*.debian.tar.*" >/dev/null || return 1
    echo "$sha256  $(echo "$work/source/civetweb_$version"*.orig.tar.*)" | sha256sum --check --status
}

fetch_from_any() {
    local suite mirror component
    for suite in trixie sid "$own_suite"; do
        while read -r mirror component; do
            fetch "$suite" "$mirror" "$component" && return 0
        done < <(mirrors)
    done
    echo "tried the suites trixie, sid and $own_suite at: $(mirrors | xargs)"
    return 1
}

say "civetweb $version: Debian's source package"
quietly fetch_from_any ||
    die "no suite of this machine's Debian mirror served civetweb $version with the pinned archive (sha256 $sha256)"

mkdir "$work/civetweb"
tar -xf "$work"/source/civetweb_*.orig.tar.* -C "$work/civetweb" --strip-components=1
tar -xf "$work"/source/civetweb_*.debian.tar.* -C "$work/civetweb"
grep -vE '^[[:space:]]*(#|$)' "$work/civetweb/debian/patches/series" | while read -r name _; do
    (cd "$work/civetweb" && quietly patch -p1 -F0 -i "debian/patches/$name") || die "Debian's patch $name does not apply"
done
rm -rf "$cache/civetweb"
mv "$work/civetweb" "$cache/civetweb"
mark_done civetweb "$0"
