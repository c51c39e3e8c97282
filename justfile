# The commands people type daily. `just` lists them.

default:
    @just --list

# Run pmdev itself on something: just run fixtures/projects/node/app.js
run *args:
    cargo run -- start {{ args }}

# All tests, or those whose name contains a word
test *filter:
    cargo test {{ filter }}

# What the gate asks for before the tests
lint:
    cargo fmt --check
    cargo clippy --all-targets -- -D warnings

# The gate, as on a fresh machine
ci:
    .ci/run

# Save → running, beside the peers that are installed
bench *args:
    cargo bench --bench latency -- {{ args }}
