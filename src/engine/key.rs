//! What makes two jobs equal.

use crate::{
    compress::{Encoding, Kinds, Level, PIPELINE_VERSION, Policy, Query, Ratio, ToolCall},
    engine::Job,
};

/// A hash of everything that a decision depends on, the model aside: a raw decision holds whatever model comes next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Key([u8; 32]);

/// Names a decision: a key under one model, one version of the pipeline and one level of the ratio.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct DecisionId([u8; 32]);

impl Key {
    pub(super) fn of(job: &Job) -> Self {
        let Job { text, query, policy, encoding, tenant } = job;
        let Query { siblings, preceding, call } = query;
        let Policy { ratio, style, min_tokens, rewrite, redundancy } = policy;
        let Kinds { lexical, structural } = *redundancy;
        let mut hash = Fields::new();
        hash.field(&tenant.0).field(text.as_bytes()).field(siblings.as_bytes()).field(preceding.as_bytes());
        match call {
            Some(ToolCall { name, arguments }) => hash.field(&[1]).field(name.as_bytes()).field(arguments.as_bytes()),
            None => hash.field(&[0]),
        };
        match ratio {
            Ratio::Auto => hash.field(&[]),
            Ratio::By(factor) => hash.field(&factor.value().to_le_bytes()),
        };
        let encoding = match encoding {
            Encoding::O200k => 0,
            Encoding::Cl100k => 1,
        };
        hash.field(&(*min_tokens as u64).to_le_bytes()).field(&[u8::from(*rewrite), encoding]);
        hash.field(&[lexical, structural].map(u8::from)).field(style.as_str().as_bytes());
        Self(hash.finish())
    }

    /// The decision that the model of this fingerprint gives at this level.
    pub(super) fn under(self, fingerprint: &str, level: Level) -> DecisionId {
        let mut hash = Fields::new();
        hash.field(&self.0).field(&PIPELINE_VERSION.to_le_bytes()).field(fingerprint.as_bytes());
        if level != Level::Full {
            hash.field(level.as_str().as_bytes());
        }
        DecisionId(hash.finish())
    }

    /// The first 15 bytes, which are enough to tell keys apart.
    pub(super) fn short(self) -> [u8; 15] {
        first(&self.0)
    }
}

impl DecisionId {
    /// The first 12 bytes, which are enough to tell decisions apart.
    pub(super) fn short(self) -> [u8; 12] {
        first(&self.0)
    }
}

fn first<const N: usize>(hash: &[u8; 32]) -> [u8; N] {
    let mut short = [0; N];
    short.iter_mut().zip(hash).for_each(|(to, from)| *to = *from);
    short
}

/// Fields with their lengths before them, so that no two lists of fields read alike.
struct Fields(blake3::Hasher);

impl Fields {
    fn new() -> Self {
        Self(blake3::Hasher::new())
    }

    fn field(&mut self, bytes: &[u8]) -> &mut Self {
        self.0.update(&(bytes.len() as u64).to_le_bytes()).update(bytes);
        self
    }

    fn finish(self) -> [u8; 32] {
        self.0.finalize().into()
    }
}
