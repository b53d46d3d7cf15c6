//! Black-box promises of the proxy: raw bytes in, raw bytes out, against an upstream that the test plays itself.
//!
//! Every wait is for an event; nothing sleeps, and every port is the operating system's choice.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::string_slice,
    reason = "a test that cannot go on is to fail"
)]

mod access;
mod architecture;
mod breaking;
mod checker;
mod corporate;
mod doctor;
mod explain;
mod fidelity;
mod handed;
mod interception;
mod ledger;
mod life_cycle;
mod model_faults;
mod own_pages;
mod planted;
mod program;
mod reload;
mod rules;
mod secrets;
mod seen;
mod socket;
mod streaming;
mod support;
mod surfaces;
mod tls;
mod transparency;
mod upgrades;
mod upstreams;
mod wrap;
