#!/usr/bin/env bash
# What whoasked costs, beside others that read DNS captures, as a Markdown table, and which targets are met.
#
#   benches/compare.sh [--packets N] [--indicators N] [--rounds N] [--record]
#
# Installs the others where packages are Debian's (with sudo when not root), makes the capture, and has each read it in
# turn with whoasked, several rounds interleaved. whoasked does its whole job, with a list loaded; tcpdump only copies,
# dnscap and dnstop only count, tshark prints. Who is not there is left out. A target that is missed is said, no failure.
# With --record the table goes into README.md.
#
# WHOASKED: another program to be measured, for instance one of an older version.
set -euo pipefail
cd "$(dirname "$0")/.."

missing=()
for tool in tcpdump tshark dnstop dnscap; do
    command -v "$tool" > /dev/null || missing+=("$tool")
done
if [ ${#missing[@]} -gt 0 ] && command -v apt-get > /dev/null; then
    as_root=()
    [ "$(id -u)" = 0 ] || as_root=(sudo)
    # One by one: a distribution need not have all of them.
    for tool in "${missing[@]}"; do
        echo "installing $tool" >&2
        DEBIAN_FRONTEND=noninteractive "${as_root[@]}" \
            apt-get install -y --no-install-recommends "$tool" > /dev/null ||
            echo "$tool cannot be installed; after apt-get update perhaps" >&2
    done
fi

target=${CARGO_TARGET_DIR:-target}
if [ -z "${WHOASKED:-}" ]; then
    # As it is shipped.
    cargo build --quiet --locked --profile dist --bin whoasked >&2
    WHOASKED=$target/dist/whoasked
fi
# As the tests have it: the octets are the same in any profile, and it is built already.
cargo build --quiet --locked --example traffic >&2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -B benches/compare.py --whoasked "$WHOASKED" --traffic "$target/debug/examples/traffic" \
    --work "$work" "$@"
