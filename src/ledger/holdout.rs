//! Which conversations are left alone, so that the others can be compared with something.
//!
//! A conversation is known by whose it is and by what its first user message says: what comes later, a system prompt with
//! the time in it and the restart of a process change neither, so it stays in its arm for good, and on every replica. A
//! larger share only adds conversations to those left alone. What goes on from a response that the provider stored does not
//! bring its beginning along; it belongs to where that response did.

use moka::sync::Cache;

use super::figures::Arm;

/// Chooses the arm of conversations.
#[derive(Debug)]
pub struct Holdout {
    share: f64,
    /// Conversations by the responses that they may go on from.
    responses: Cache<[u8; 16], [u8; 16]>,
}

/// Where a request belongs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Place {
    /// Outside of the comparison.
    #[default]
    Outside,
    /// In this conversation, and so in this arm.
    In([u8; 16], Arm),
    /// In a conversation whose beginning is not known any more: it is left alone, since it may have been, and not
    /// compared.
    Lost,
}

impl Place {
    /// Whether the request is left alone.
    #[must_use]
    pub const fn is_held_out(self) -> bool {
        matches!(self, Self::Lost | Self::In(_, Arm::HeldOut))
    }

    /// The arm, where it is in one.
    #[must_use]
    pub const fn arm(self) -> Option<Arm> {
        match self {
            Self::In(_, arm) => Some(arm),
            Self::Outside | Self::Lost => None,
        }
    }
}

impl Holdout {
    /// Leaves this share of conversations alone; `None` where it is nothing.
    #[must_use]
    pub fn new(share: f64) -> Option<Self> {
        (share > 0.0).then(|| Self { share, responses: Cache::new(RESPONSES) })
    }

    /// Where a request belongs: by the first thing that its user says, or by the response that it goes on from.
    #[must_use]
    pub fn place(&self, tenant: [u8; 16], begins: Option<&str>, from: Option<&str>) -> Place {
        let conversation = match (from, begins) {
            (Some(response), _) => match self.responses.get(&name(RESPONSE, tenant, response)) {
                Some(conversation) => conversation,
                None => return Place::Lost,
            },
            (None, Some(begins)) => name(CONVERSATION, tenant, begins),
            (None, None) => return Place::Outside,
        };
        Place::In(conversation, self.arm(&conversation))
    }

    /// A conversation may go on from this response.
    pub fn remember(&self, tenant: [u8; 16], response: &str, conversation: [u8; 16]) {
        self.responses.insert(name(RESPONSE, tenant, response), conversation);
    }

    fn arm(&self, conversation: &[u8; 16]) -> Arm {
        // Another hash than the name, so that no part of the name depends on the arm.
        let hash = blake3::derive_key("headroom arm of a conversation, version 1", conversation);
        let [a, b, c, d, ..] = hash;
        let point = f64::from(u32::from_le_bytes([a, b, c, d])) / (f64::from(u32::MAX) + 1.0);
        if point < self.share { Arm::HeldOut } else { Arm::Condensed }
    }
}

fn name(what: &str, tenant: [u8; 16], said: &str) -> [u8; 16] {
    let mut hash = blake3::Hasher::new_derive_key(what);
    hash.update(&tenant).update(said.as_bytes());
    let mut name = [0; 16];
    name.copy_from_slice(hash.finalize().as_bytes().split_at(16).0);
    name
}

const CONVERSATION: &str = "headroom conversation, version 1";
const RESPONSE: &str = "headroom response of a conversation, version 1";

/// Responses from which a conversation may go on.
const RESPONSES: u64 = 100_000;

#[cfg(test)]
mod tests {
    use super::*;

    const TENANT: [u8; 16] = [7; 16];

    #[test]
    fn a_conversation_stays_in_its_arm_and_a_larger_share_only_adds() {
        let (few, many) = (Holdout::new(0.1).unwrap(), Holdout::new(0.4).unwrap());
        let mut held = [0, 0];
        for at in 0..2000 {
            let begins = format!("question {at}");
            let place = |holdout: &Holdout| holdout.place(TENANT, Some(&begins), None);
            assert_eq!(place(&few), place(&Holdout::new(0.1).unwrap()));
            let (in_few, in_many) = (place(&few).is_held_out(), place(&many).is_held_out());
            assert!(in_many || !in_few);
            held = [held[0] + usize::from(in_few), held[1] + usize::from(in_many)];
        }
        assert!((150..250).contains(&held[0]) && (720..880).contains(&held[1]), "{held:?}");
        assert!(Holdout::new(0.0).is_none());
    }

    #[test]
    fn tenants_who_say_the_same_have_conversations_of_their_own() {
        let holdout = Holdout::new(0.5).unwrap();
        assert_ne!(holdout.place(TENANT, Some("hi"), None), holdout.place([8; 16], Some("hi"), None));
        assert_eq!(holdout.place(TENANT, None, None), Place::Outside);
    }

    #[test]
    fn what_goes_on_from_a_stored_response_belongs_where_that_did() {
        let holdout = Holdout::new(0.5).unwrap();
        let place = holdout.place(TENANT, Some("hi"), None);
        let Place::In(conversation, _) = place else { panic!("{place:?}") };
        holdout.remember(TENANT, "resp_1", conversation);
        assert_eq!(holdout.place(TENANT, Some("and then?"), Some("resp_1")), place);
        assert_eq!(holdout.place([8; 16], Some("and then?"), Some("resp_1")), Place::Lost, "another tenant's");
        assert!(holdout.place(TENANT, None, Some("resp_2")).is_held_out());
        assert_eq!(holdout.place(TENANT, None, Some("resp_2")).arm(), None);
    }
}
