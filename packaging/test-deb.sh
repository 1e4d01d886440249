#!/bin/sh
# Builds the Debian package of a binary and holds it to this: it installs, runs, is removed with its files kept, and
# leaves nothing when it is purged. packaging/test-deb.sh [BINARY]. All of it happens in a throw-away copy of this
# system (an overlay in a mount namespace of its own): nothing of it is changed. Needs root, cargo-deb and dpkg;
# says `skipped` and why when something is missing.
set -eu
cd "$(dirname "$0")/.."

skip() {
    echo "skipped: $*"
    exit 0
}
[ "$(id -u)" -eq 0 ] || skip "not root"
for needed in cargo-deb dpkg dpkg-deb unshare adduser strip; do
    command -v "$needed" >/dev/null 2>&1 || skip "no $needed"
done
dpkg -s whoasked >/dev/null 2>&1 && skip "whoasked is installed on this system"

package=$(packaging/build-deb.sh "${1:-}")
echo "built $(basename "$package")"

scratch=$(mktemp -d)
trap 'rmdir "$scratch"' EXIT
cp packaging/inside-deb.sh target/packaging/
unshare -m sh -eu -c '
    scratch=$1 package=$2 script=$3
    mount -t tmpfs scratch "$scratch"
    cd "$scratch"
    mkdir upper work root
    if ! mount -t overlay overlay -o lowerdir=/,upperdir=upper,workdir=work root 2>/dev/null; then
        echo "skipped: no overlay can be mounted here"
        exit 0
    fi
    cp "$package" root/whoasked.deb
    cp "$script" root/inside-deb.sh
    mount -t proc proc root/proc
    mount -t tmpfs dev root/dev
    mknod -m 666 root/dev/null c 1 3
    exec chroot root sh -eu /inside-deb.sh
' sh "$scratch" "$package" "$(pwd)/target/packaging/inside-deb.sh"
