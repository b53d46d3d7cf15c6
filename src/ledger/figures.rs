//! What one request came to, in figures: the one type that whoever keeps, sums or shows them reads.

use std::sync::Arc;

use serde::Serialize;

/// The figures of one request, once its answer has ended. No text, no credential: names of models and tools are the
/// only words that come from a request, and only where they look like names (see [`Names`](super::Names)).
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Figures {
    /// When the answer ended, in seconds since 1970.
    pub at_s: u64,
    /// `chat_completions`, `responses`, `messages`, or `handed` for what another gateway sends on.
    pub surface: &'static str,
    /// The model asked for; empty where none was named.
    pub model: Arc<str>,
    /// What the operator calls whoever brought the credential; empty where nobody has a name.
    pub tenant: Arc<str>,
    /// As in `x-headroom-outcome`.
    pub outcome: &'static str,
    /// Whether the answer was an error, or never came.
    pub failed: bool,
    /// In which arm of the comparison its conversation is; `None` outside of one.
    pub arm: Option<Arm>,
    /// Its place in its conversation; `None` where that is not known.
    pub turn: Option<Turn>,
    /// Tokens as the provider reports them; `None` where it did not.
    pub usage: Option<Usage>,
    /// Tokens of the prompt as they are billed: one read from the cache or written to it counts by its price, in fresh
    /// ones. `None` without usage.
    pub billed: Option<u64>,
    /// What it cost, and what it would have; `None` without usage, or without a price of the model.
    pub money: Option<Money>,
    /// Whether the conversation, as the client has it, is longer than the model's context: it only fits condensed.
    pub beyond_context: bool,
    /// The texts considered, by tool and kind.
    pub texts: Vec<Texts>,
    /// What was read again of what had been left out.
    pub reads: Reads,
}

impl Figures {
    /// Target tokens of the texts considered, as they came and as they went on.
    #[must_use]
    pub fn tokens(&self) -> (u64, u64) {
        self.texts.iter().fold((0, 0), |(before, after), texts| (before + texts.before, after + texts.after))
    }
}

/// Texts of one request, of one tool and kind.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Texts {
    /// The tool that gave them; empty for what a user said, and where the call is not known.
    pub tool: Arc<str>,
    /// The form that most of the text is of; empty where it was not read.
    pub kind: &'static str,
    /// How many.
    pub texts: u64,
    /// How many of them went on condensed.
    pub condensed: u64,
    /// Target tokens as they came.
    pub before: u64,
    /// Target tokens as they went on.
    pub after: u64,
    /// What the difference would have cost, in billionths of a dollar; 0 where that is not known.
    pub saved_nano: i64,
}

/// The way back in one request: what the model read again of what had been left out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Reads {
    /// Reads whose results are new in it.
    pub reads: u64,
    /// Whether it was sent for these results alone: without them the answer before it would have been the last.
    pub turn: bool,
    /// Target tokens of all results of reads in it, and of the calls that asked for them.
    pub tokens: u64,
}

/// The arm of a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Arm {
    /// Its texts are condensed.
    Condensed,
    /// It is left alone.
    HeldOut,
}

impl Arm {
    /// The word used in the database and reports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Condensed => "condensed",
            Self::HeldOut => "held_out",
        }
    }
}

/// The place of a request in its conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Turn {
    /// Names the conversation: a hash of how it begins and of whose it is.
    pub conversation: [u8; 16],
    /// Names what it says this time: one that says the same once more is a retry.
    pub said: [u8; 8],
    /// Whether any text was long enough to be condensed; the same in both arms.
    pub eligible: bool,
}

/// Tokens as the provider reports them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Usage {
    /// Of the prompt, cached ones included.
    pub prompt: u64,
    /// Of the prompt, those read from the provider's cache.
    pub cached: u64,
    /// Of the prompt, those written to the provider's cache.
    pub written: u64,
    /// Of those written, the ones that are kept for an hour.
    pub written_long: u64,
    /// Of the answer.
    pub completion: u64,
}

impl Usage {
    /// Tokens of the prompt that were neither read from the cache nor written to it.
    #[must_use]
    pub const fn fresh(&self) -> u64 {
        self.prompt.saturating_sub(self.cached).saturating_sub(self.written)
    }
}

/// Money, in billionths of a dollar (a token of the cheapest model costs five).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Money {
    /// What the request cost: prompt and answer.
    pub paid_nano: i64,
    /// What the tokens left out would have cost besides, each at the price of the place where it stood.
    pub saved_nano: i64,
    /// What of this reading originals again has cost.
    pub read_nano: i64,
}

impl Money {
    /// What is left of what was saved, after what was read again.
    #[must_use]
    pub const fn net_nano(&self) -> i64 {
        self.saved_nano - self.read_nano
    }
}
