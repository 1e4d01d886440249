#!/bin/sh
# Makes docs/report.png: the head of the HTML report on the office demo, as Chromium shows it, 1280 pixels wide.
# Needs chromium; makes the picture smaller with pngquant or optipng if there is one. Usage: docs/screenshot.sh
set -eu
cd "$(dirname "$0")/.."
target=${CARGO_TARGET_DIR:-target}
cargo build --locked --bin whoasked
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
"$target/debug/whoasked" read captures/office.pcap --indicators captures/flagged.txt --no-progress \
    --report "$scratch/report.html" >/dev/null || [ $? -eq 1 ]
chromium --headless=new --no-sandbox --disable-gpu --hide-scrollbars --user-data-dir="$scratch/profile" \
    --blink-settings=preferredColorScheme=1 --window-size=1280,"${HEIGHT:-1350}" \
    --screenshot="$scratch/report.png" "file://$scratch/report.html" 2>/dev/null
if command -v pngquant >/dev/null; then
    pngquant --force --output "$scratch/report.png" 64 "$scratch/report.png"
elif command -v optipng >/dev/null; then
    optipng -quiet "$scratch/report.png"
fi
cp "$scratch/report.png" docs/report.png
ls -l docs/report.png
