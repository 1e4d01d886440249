# Two commands on a fresh machine with Rust and a package manager: `make demo` and `make test`.

TARGET := $(or $(CARGO_TARGET_DIR),target)
NEXTEST := $(shell cargo nextest --version 2>/dev/null)

.PHONY: demo test format lint docs check benches budget setup-build setup-test

# What the demo explains: the alerts of the office's firewall, by what the mirror port of its DNS server showed.
DEMO := --alerts captures/office-alerts.txt captures/office.pcap --tz UTC --report $(TARGET)/office.html

# Who in the office is behind Monday's alerts? Exit code 1 of whoasked says that alerts were answered.
demo: setup-build
	cargo build --locked --release --bin whoasked
	@echo
	@echo '$$ whoasked explain $(DEMO)'
	@$(TARGET)/release/whoasked explain $(DEMO) || [ $$? -eq 1 ]
	@echo
	@echo 'The same as a page to forward: $(TARGET)/office.html'
	@echo 'The program: $(TARGET)/release/whoasked (cargo install --path . puts it on your path)'

# All that must hold. The captures in ../shared are optional; tests that need them say when they skip.
test: format lint docs check benches budget

format: setup-test
	cargo fmt --all --check

lint: setup-test
	cargo clippy --locked --all-targets -- -D warnings
	cargo clippy --locked --no-default-features -- -D warnings

docs: setup-test
	RUSTDOCFLAGS='-D warnings' cargo doc --locked --no-deps --lib

check: setup-test
ifneq ($(NEXTEST),)
	cargo nextest run --locked --no-fail-fast
	cargo test --locked --doc
else
	cargo test --locked --no-fail-fast
endif

# Each benchmark once, over little, so that it cannot rot; as the tests are built, so that little is built for it.
benches: setup-test
	cargo test --locked --benches

# Instructions a packet. After `check`, all that is built for it is the program itself as a release.
budget: setup-test
	benches/instructions.sh

setup-build:
	@.ci/setup build

setup-test:
	@.ci/setup test
