#!/bin/sh
# Builds the Debian package: packaging/build-deb.sh [BINARY]. With a binary that is built already it takes that
# one; else it builds what is shipped. Needs cargo-deb (cargo install cargo-deb --locked). Prints the package's path.
set -eu
cd "$(dirname "$0")/.."

target=$(pwd)/target
staged=$target/packaging
binary=${1:-}
if [ -z "$binary" ]; then
    cargo build --locked --profile dist --bin whoasked >&2
    binary=${CARGO_TARGET_DIR:-$target}/dist/whoasked
fi
rm -rf "$staged"
mkdir -p "$staged/completions"
strip -o "$staged/whoasked" "$binary"
"$staged/whoasked" man "$staged/man"
for shell in bash zsh fish; do
    "$staged/whoasked" completions "$shell" >"$staged/completions/whoasked.$shell"
done
gzip -9 -n "$staged"/man/*.1
CARGO_TARGET_DIR=$target cargo deb --no-build --no-strip --quiet --output "$target/debian/"
