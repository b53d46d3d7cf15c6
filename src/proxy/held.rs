//! Holds a request's body in memory, within bounds: of the single body, and of the process's account.

use std::time::{Duration, Instant};

use bytes::Bytes;
use http::HeaderMap;
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use tokio::time::timeout;

use super::{
    coding::{Coding, Undecoded},
    error::Error,
    room::{Coming, Room, Share},
    seen::Begun,
    slots::{Why, stage},
};

/// A whole body.
#[derive(Debug)]
pub(crate) struct Held {
    pub(crate) bytes: Bytes,
    pub(crate) trailers: Option<HeaderMap>,
    pub(crate) share: Share,
}

/// A body without its coding.
#[derive(Debug)]
pub(crate) struct Plain {
    /// Whoever holds it holds the room for what is built from it.
    pub(crate) bytes: Bytes,
    /// The same without room, for what is kept past the request.
    pub(crate) alone: Bytes,
    /// What is known of its beginning.
    pub(crate) begun: Option<Begun>,
}

impl From<Bytes> for Plain {
    fn from(bytes: Bytes) -> Self {
        Self { alone: bytes.clone(), bytes, begun: None }
    }
}

/// What reading a body came to.
#[derive(Debug)]
pub(crate) enum Read {
    /// It is there.
    Whole(Held),
    /// It is longer than `limit`: what was read, and the rest.
    TooLarge(Bytes, Incoming),
    /// There was no room for it: what was read, and the rest.
    NoRoom(Bytes, Incoming),
}

/// Reads a body of at most `limit` bytes; `announced` is its length as the headers give it, `pause` the longest wait
/// for its next part.
///
/// # Errors
/// When the client breaks off or is too slow.
pub(crate) async fn read(
    mut body: Incoming,
    announced: Option<u64>,
    limit: usize,
    pause: Duration,
    room: &Room,
) -> Result<Read, Error> {
    if announced.is_some_and(|announced| announced > limit as u64) {
        return Ok(Read::TooLarge(Bytes::new(), body));
    }
    let mut gathered = Gathered::default();
    let mut coming = room.begin(Instant::now());
    let give_way = coming.give_way();
    let mut trailers = None;
    loop {
        let frame = tokio::select! {
            biased;
            frame = timeout(pause, body.frame()) => frame.map_err(|_| Error::ClientTooSlow)?,
            () = give_way.notified() => return Ok(Read::NoRoom(kept(coming, gathered), body)),
        };
        let Some(frame) = frame else { break };
        match frame.map_err(|_| Error::ClientBroke)?.into_data() {
            Ok(data) => {
                coming.moved(data.len(), Instant::now());
                let fits = coming.make_room(gathered.room_with(&data, announced)).await;
                gathered.push(data, announced);
                if gathered.len() > limit {
                    return Ok(Read::TooLarge(kept(coming, gathered), body));
                }
                if !fits {
                    return Ok(Read::NoRoom(kept(coming, gathered), body));
                }
            }
            Err(frame) => trailers = frame.into_trailers().ok(),
        }
    }
    Ok(Read::Whole(Held { bytes: gathered.bytes(), trailers, share: coming.arrived() }))
}

/// What was read of a body that goes on unread; it is accounted for until it was sent.
fn kept(coming: Coming, gathered: Gathered) -> Bytes {
    coming.arrived().keep(gathered.bytes())
}

/// The body without its coding, to be read; `begun` tells what is known of its beginning, for which no room is taken.
pub(crate) async fn plain(
    headers: &HeaderMap,
    held: &Held,
    limit: usize,
    begun: impl FnOnce(&Bytes) -> Option<Begun> + Send + 'static,
) -> Result<Plain, Why> {
    let coding = Coding::of(headers).map_err(Why::Undecoded)?;
    let mut share = held.share.room().share();
    let coded = held.bytes.clone();
    // Decoded bytes are many times the coded ones. The share goes along: the work is not broken off with the request.
    let decoded = stage(coded.len() * 8, move || {
        let plain = coding.decode(&coded, limit, |bytes| share.grow_to(bytes))?;
        let own = if coding == Coding::Plain { 0 } else { plain.len() };
        share.shrink_to(own);
        let begun = begun(&plain);
        let granted = share.grow_to(own.saturating_add(to_read(&plain, begun.as_ref().map_or(0, Begun::bytes))));
        let alone = plain.clone();
        if granted { Ok(Plain { alone, bytes: share.hold(plain), begun }) } else { Err(Undecoded::NoRoom) }
    });
    decoded.await.ok_or(Why::Fault)?.map_err(Why::Undecoded)
}

/// Bytes that reading a body may take at most: its texts as they are held, asked about and replaced, and a place for each
/// item of its lists and objects, but for the first bytes that are `known`.
pub(crate) fn to_read(body: &[u8], known: usize) -> usize {
    let bytes = |commas: usize| body.len().saturating_mul(TEXTS).saturating_add((commas + 1).saturating_mul(ITEM));
    let new = body.get(known..).unwrap_or_default();
    let most = bytes(memchr::memchr_iter(b',', new).count());
    // To tell the commas of texts takes longer, and is not worth it where it saves little.
    if most <= MODEST { most } else { bytes(commas(new)) }
}

/// The commas outside of strings: each parts two items.
fn commas(body: &[u8]) -> usize {
    let (mut commas, mut rest) = (0, body);
    while let Some(begin) = memchr::memchr(b'"', rest) {
        let (outside, string) = rest.split_at(begin);
        commas += memchr::memchr_iter(b',', outside).count();
        rest = after(string.get(1..).unwrap_or_default());
    }
    commas + memchr::memchr_iter(b',', rest).count()
}

/// What follows the string that has begun.
fn after(mut string: &[u8]) -> &[u8] {
    while let Some(at) = memchr::memchr2(b'"', b'\\', string) {
        let escapes = string.get(at) == Some(&b'\\');
        string = string.get(at + 1 + usize::from(escapes)..).unwrap_or_default();
        if !escapes {
            return string;
        }
    }
    &[]
}

/// Copies of a text: unescaped, located, as a job, as the record of it.
const TEXTS: usize = 4;

/// What an item comes to: where it stands in a vector that may be twice as long, or its part of a message with its slot.
const ITEM: usize = 160;

/// Bytes that need not be told more closely.
const MODEST: usize = 16 << 20;

/// The parts read so far; a single one is not copied.
#[derive(Debug, Default)]
struct Gathered {
    first: Bytes,
    all: Vec<u8>,
}

impl Gathered {
    fn push(&mut self, data: Bytes, announced: Option<u64>) {
        if self.len() == 0 {
            self.first = data;
            return;
        }
        let room = self.room_with(&data, announced);
        self.all.reserve_exact(room - self.all.len());
        if !self.first.is_empty() {
            self.all.extend_from_slice(&std::mem::take(&mut self.first));
        }
        self.all.extend_from_slice(&data);
    }

    /// Bytes that it takes together with `data`: it grows by doubling, but not past what was announced, since to announce
    /// a body costs nothing.
    fn room_with(&self, data: &Bytes, announced: Option<u64>) -> usize {
        let (needed, has) = (self.len() + data.len(), self.all.capacity());
        if self.len() == 0 || needed <= has {
            return needed.max(has);
        }
        let doubled = needed.max(has.saturating_mul(2));
        match announced.and_then(|length| usize::try_from(length).ok()) {
            Some(announced) if announced >= needed => doubled.min(announced),
            _ => doubled,
        }
    }

    fn len(&self) -> usize {
        self.first.len() + self.all.len()
    }

    fn bytes(self) -> Bytes {
        if self.all.is_empty() { self.first } else { self.all.into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(coding: &'static str) -> HeaderMap {
        let value = http::HeaderValue::from_static(coding);
        [(http::header::CONTENT_ENCODING, value)].into_iter().collect()
    }

    fn held(bytes: &Bytes, room: &Room) -> Held {
        Held { bytes: bytes.clone(), trailers: None, share: room.share() }
    }

    /// Gzip of so many MiB of one letter, without an encoder at hand: members of one MiB each, one after another.
    async fn gzip(mib: usize) -> Bytes {
        use async_compression::tokio::bufread::GzipEncoder;
        use tokio::io::AsyncReadExt as _;
        // Mixed enough to stay below the greatest ratio.
        let plain: Vec<u8> =
            (0..1u32 << 20).map(|at| if at % 61 == 0 { (at / 61 % 251) as u8 } else { b'a' }).collect();
        let mut member = Vec::new();
        GzipEncoder::new(plain.as_slice()).read_to_end(&mut member).await.unwrap();
        member.repeat(mib).into()
    }

    #[tokio::test]
    async fn many_bodies_that_blow_up_are_granted_no_more_than_there_is() {
        let (room, body) = (Room::new(64 << 20, 1 << 20), gzip(16).await);
        assert!(body.len() < 1 << 20);
        let (mut granted, mut refused) = (Vec::new(), 0);
        for _ in 0..8 {
            match plain(&headers("gzip"), &held(&body, &room), 64 << 20, |_| None).await {
                Ok(plain) => granted.push(plain),
                Err(why) => {
                    assert_eq!(why, Why::Undecoded(Undecoded::NoRoom));
                    refused += 1;
                }
            }
            assert!(room.held() <= 64 << 20);
        }
        // One of 16 MiB takes 5 times that to be read, which is more than there is.
        assert_eq!((granted.len(), refused), (0, 8));
        let small = plain(&headers("gzip"), &held(&gzip(1).await, &room), 64 << 20, |_| None).await.unwrap();
        assert!(room.held() > 5 << 20);
        drop(small);
        assert_eq!(room.held(), 0);
    }

    #[tokio::test]
    async fn a_body_of_many_items_is_accounted_for_before_it_is_read() {
        let room = Room::new(32 << 20, 1 << 20);
        let text: Bytes = "a".repeat(1 << 20).into();
        let items: Bytes = "0,".repeat(1 << 19).into();
        assert!(plain(&HeaderMap::new(), &held(&text, &room), 64 << 20, |_| None).await.is_ok());
        assert_eq!(
            plain(&HeaderMap::new(), &held(&items, &room), 64 << 20, |_| None).await.err(),
            Some(Why::Undecoded(Undecoded::NoRoom)),
            "160 bytes for each 2"
        );
        assert_eq!(room.held(), 0);
    }

    #[test]
    fn commas_of_texts_are_no_items() {
        for (body, expected) in [
            (r#"{"a": "1,2,3", "b": [1, 2]}"#, 2),
            (r#"["\",\\", "x"]"#, 1),
            (r#"["\\", "," , 1"#, 2),
            (r#","open, and never closed"#, 1),
            (r#","ends in an escape\"#, 1),
            ("", 0),
        ] {
            assert_eq!(commas(body.as_bytes()), expected, "{body}");
        }
    }

    #[test]
    fn what_was_announced_is_not_taken_before_it_comes() {
        let mut gathered = Gathered::default();
        let part = Bytes::from_static(&[0; 1000]);
        for parts in 1..=16 {
            let room = gathered.room_with(&part, Some(1 << 30));
            gathered.push(part.clone(), Some(1 << 30));
            assert!(room <= 2 * 1000 * parts && gathered.all.capacity() <= room.max(64), "{room}");
        }
        assert_eq!(gathered.room_with(&part, Some(17_000)), 17_000);
        assert_eq!(gathered.bytes().len(), 16_000);
    }
}
