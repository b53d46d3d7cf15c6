//! The figures of requests: what they came to, what they cost, and what condensing saved of that.
//!
//! [`Figures`] are one request's, [`Prices`] what its tokens cost. Figures alone are kept, never text nor a credential.

mod figures;
mod name;
mod prices;

pub use figures::{Arm, Figures, Money, Texts, Turn, Usage};
pub use name::{Names, OTHER};
pub use prices::{Long, Named, Price, Prices, Rates};
