//! What makes two jobs equal.

use crate::{
    compress::{Encoding, Kinds, Level, PIPELINE_VERSION, Policy, Query, Ratio, Seen, ToolCall},
    engine::{Job, Text},
};

/// A hash of everything that a decision depends on, the model aside: a raw decision holds whatever model comes next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Key {
    hash: [u8; 32],
    share: Share,
}

/// Names a decision: a key under one model, one version of the pipeline and one level of the ratio.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct DecisionId {
    hash: [u8; 32],
    share: Share,
}

/// Tells tenants apart in what they share; it tells nothing of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub(super) struct Share(pub(super) [u8; 4]);

/// Names what is remembered of a key or a decision: as much of its hash as tells them apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub(super) struct Name {
    pub(super) share: Share,
    pub(super) hash: [u8; 16],
}

impl Name {
    /// The name of what belongs to no tenant.
    pub(super) fn shared(hash: [u8; 16]) -> Self {
        Self { share: Share::default(), hash }
    }
}

/// Names a model by its fingerprint.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) struct ModelId([u8; 8]);

impl ModelId {
    /// The model of this fingerprint; the default is none.
    pub(super) fn of(fingerprint: &str) -> Self {
        Self(first(blake3::hash(fingerprint.as_bytes()).as_bytes()))
    }
}

impl Key {
    pub(super) fn of(job: &Job) -> Self {
        let Job { text, query, policy, encoding, tenant } = job;
        let Query { siblings, preceding, call, seen, original } = query;
        // What was seen before is part of the query where it counts.
        let Policy { ratio, style, min_tokens, rewrite, redundancy, references: _ } = policy;
        let Kinds { lexical, structural } = *redundancy;
        let mut hash = Fields::new();
        hash.field(&tenant.0).field(text.hash()).text(siblings).text(preceding);
        match call {
            Some(ToolCall { name, arguments }) => hash.field(&[1]).field(name.as_bytes()).text(arguments),
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
        for Seen { span, place, lines, earlier, numbered, whole, verbatim } in seen {
            let (from, to) = lines.unwrap_or_default();
            let ends = [span.start, span.end, from, to, earlier.0, earlier.1].map(|end| (end as u64).to_le_bytes());
            hash.field(ends.as_flattened()).field(place.as_bytes());
            hash.field(&[lines.is_some(), *numbered, *whole, *verbatim].map(u8::from));
        }
        if let Some(original) = original {
            hash.field(&original.number().to_le_bytes());
        }
        let share = blake3::derive_key("headroom share of a tenant, version 1", &tenant.0);
        Self { hash: hash.finish(), share: Share(first(&share)) }
    }

    /// The decision that this model gives at this level.
    pub(super) fn under(self, model: ModelId, level: Level) -> DecisionId {
        let mut hash = Fields::new();
        hash.field(&self.hash).field(&PIPELINE_VERSION.to_le_bytes()).field(&model.0);
        if level != Level::Full {
            hash.field(level.as_str().as_bytes());
        }
        DecisionId { hash: hash.finish(), share: self.share }
    }

    pub(super) fn name(self) -> Name {
        Name { share: self.share, hash: first(&self.hash) }
    }

    /// The key of what is told to other replicas under this name. It can't be told from the name.
    pub(super) fn sealing(self) -> [u8; 32] {
        blake3::derive_key("headroom decisions of replicas, version 1", &self.hash)
    }

    /// A hash of `bytes` that only who knows the whole key can compute.
    pub(super) fn seal(self, bytes: &[u8]) -> [u8; 8] {
        first(blake3::keyed_hash(&self.hash, bytes).as_bytes())
    }
}

impl DecisionId {
    pub(super) fn name(self) -> Name {
        Name { share: self.share, hash: first(&self.hash) }
    }
}

fn first<const N: usize>(hash: &[u8; 32]) -> [u8; N] {
    let mut short = [0; N];
    short.iter_mut().zip(hash).for_each(|(to, from)| *to = *from);
    short
}

/// Bytes up to which a text is hashed with the others.
const LONG: usize = 1024;

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

    /// A text that may be long: then its hash stands for it, since of one text alone many parts are computed side by side.
    fn text(&mut self, text: &str) -> &mut Self {
        match text.len() {
            0..=LONG => self.field(text.as_bytes()),
            length => {
                self.0.update(&(length as u64).to_le_bytes()).update(&Text::hash_of(text));
                self
            }
        }
    }

    fn finish(self) -> [u8; 32] {
        self.0.finalize().into()
    }
}
