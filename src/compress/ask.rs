//! What is addressed to the model, and what it wants to know.

mod frame;
mod parts;
mod query;
mod seen;
mod wanted;

#[cfg(test)]
pub(super) use frame::Asked;
pub(super) use frame::{Frame, frame, unaddressed};
pub use query::{Query, ToolCall};
pub use seen::{Given, Nth, Passages, Place, Seen};
pub(super) use wanted::Wanted;
