//! Headroom: a transparent, OpenAI-compatible reverse proxy that condenses long messages before they are forwarded.
//!
//! Two worlds meet here. HTTP moves bytes and waits ([`server`], [`proxy`]); compression is arithmetic on text and
//! never waits ([`compress`], [`model`]). They meet in one place, [`engine`].
//!
//! The way of a request: [`server`] accepts it, [`proxy`] decides between passthrough and interception, [`wire`]
//! locates the slots (the JSON strings that may be replaced), [`engine`] looks each one up or has a worker condense it
//! with [`compress`] and a [`model`], [`wire`] splices the shorter strings into the original bytes, and the answer is
//! relayed untouched.

pub mod audit;
pub mod compress;
pub mod config;
pub mod engine;
pub mod explain;
pub mod fidelity;
pub mod ledger;
pub mod model;
pub mod originals;
mod private;
pub mod proxy;
pub mod redact;
pub mod savings;
mod seal;
pub mod server;
pub mod setting;
pub mod telemetry;
pub mod via;
pub mod wire;
