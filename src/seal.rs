//! Seals what lies where others may read or change it: ChaCha20-Poly1305 (RFC 8439) under a random nonce, which stands
//! at the end.

use ring::{
    aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    rand::{SecureRandom as _, SystemRandom},
};

/// The bytes, so that only who has the key can read them, and only as what they are `bound` to. `None` where the system
/// gives no random bytes.
pub(crate) fn seal(key: &[u8; 32], bound: &[u8], mut bytes: Vec<u8>) -> Option<Vec<u8>> {
    let mut nonce = [0; NONCE_LEN];
    SystemRandom::new().fill(&mut nonce).ok()?;
    bytes.reserve_exact(CHACHA20_POLY1305.tag_len() + NONCE_LEN);
    let aad = Aad::from(bound);
    cipher(key)?.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), aad, &mut bytes).ok()?;
    bytes.extend_from_slice(&nonce);
    Some(bytes)
}

/// The bytes again; `None` where another key sealed them, or bound to something else.
pub(crate) fn open(key: &[u8; 32], bound: &[u8], mut sealed: Vec<u8>) -> Option<Vec<u8>> {
    let nonce = sealed.split_off(sealed.len().checked_sub(NONCE_LEN)?);
    let nonce = Nonce::try_assume_unique_for_key(&nonce).ok()?;
    let length = cipher(key)?.open_in_place(nonce, Aad::from(bound), &mut sealed).ok()?.len();
    sealed.truncate(length);
    Some(sealed)
}

fn cipher(key: &[u8; 32]) -> Option<LessSafeKey> {
    UnboundKey::new(&CHACHA20_POLY1305, key).ok().map(LessSafeKey::new)
}
