//! Where the two worlds meet: an async handle over the pure pipeline with a cache, single-flight, a bounded queue,
//! worker threads and deadlines.

use std::{sync::Arc, time::Duration};

use crate::compress::{Condensation, Encoding, Policy, Query};

/// One text to condense for one tenant.
#[derive(Debug, Clone)]
pub struct Job {
    /// The slot's text.
    pub text: Arc<str>,
    /// What precedes it or shares its turn.
    pub query: Query,
    /// What is allowed.
    pub policy: Policy,
    /// The target model's encoding.
    pub encoding: Encoding,
    /// Whose text it is; decisions are never shared between tenants.
    pub tenant: Tenant,
}

/// A tenant: the hash of a credential, never the credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Tenant(pub [u8; 16]);

/// A decision and where it came from.
#[derive(Debug, Clone)]
pub struct Reply {
    /// What became of the text.
    pub condensation: Arc<Condensation>,
    /// Whether it was known before.
    pub cache: Cache,
    /// Time that the pipeline took when it was computed.
    pub took: Duration,
}

/// Where a decision came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Cache {
    /// Known before, or being computed for an equal request.
    Hit,
    /// Computed for this request.
    Miss,
}
