//! Holds a request's body in memory, within bounds: of the single body, and of all bodies held at the same time.

use std::{sync::Arc, time::Duration};

use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};

use super::error::Error;

/// Room for the bodies held at the same time.
#[derive(Debug, Clone)]
pub(crate) struct Room(Arc<Semaphore>);

impl Room {
    /// Room for this many MiB.
    pub(crate) fn new(mib: usize) -> Self {
        Self(Arc::new(Semaphore::new((mib << 20) / UNIT)))
    }

    /// Makes `share` large enough for `length` bytes, if there is room.
    pub(crate) fn enlarge(&self, share: &mut Share, length: usize) -> bool {
        let has = share.0.as_ref().map_or(0, OwnedSemaphorePermit::num_permits);
        let Ok(wants) = u32::try_from(length.div_ceil(UNIT).saturating_sub(has)) else { return false };
        if wants == 0 {
            return true;
        }
        let Ok(more) = Arc::clone(&self.0).try_acquire_many_owned(wants) else { return false };
        match &mut share.0 {
            Some(share) => share.merge(more),
            none => *none = Some(more),
        }
        true
    }
}

/// The room that one body takes; it is given back when this goes.
#[derive(Debug, Default)]
pub(crate) struct Share(Option<OwnedSemaphorePermit>);

impl Share {
    /// The same bytes, which keep the room until the last of them was sent.
    pub(crate) fn keep(self, bytes: Bytes) -> Bytes {
        Bytes::from_owner(Kept { bytes, _share: self })
    }
}

struct Kept {
    bytes: Bytes,
    _share: Share,
}

impl AsRef<[u8]> for Kept {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

/// A whole body.
#[derive(Debug)]
pub(crate) struct Held {
    pub(crate) bytes: Bytes,
    pub(crate) trailers: Option<HeaderMap>,
    pub(crate) share: Share,
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
    let mut share = Share::default();
    let mut trailers = None;
    while let Some(frame) = timeout(pause, body.frame()).await.map_err(|_| Error::ClientTooSlow)? {
        match frame.map_err(Error::ClientBroke)?.into_data() {
            Ok(data) => gathered.push(data, announced),
            Err(frame) => trailers = frame.into_trailers().ok(),
        }
        if gathered.len() > limit {
            return Ok(Read::TooLarge(gathered.bytes(), body));
        }
        if !room.enlarge(&mut share, gathered.len()) {
            return Ok(Read::NoRoom(gathered.bytes(), body));
        }
    }
    Ok(Read::Whole(Held { bytes: gathered.bytes(), trailers, share }))
}

/// The parts read so far; a single one is not copied.
#[derive(Debug, Default)]
struct Gathered {
    first: Bytes,
    all: BytesMut,
}

impl Gathered {
    fn push(&mut self, data: Bytes, announced: Option<u64>) {
        if self.len() == 0 {
            self.first = data;
            return;
        }
        if self.all.is_empty() {
            let announced = announced.and_then(|length| usize::try_from(length).ok());
            self.all.reserve(announced.unwrap_or_default().max(self.first.len() + data.len()));
            self.all.extend_from_slice(&std::mem::take(&mut self.first));
        }
        self.all.extend_from_slice(&data);
    }

    fn len(&self) -> usize {
        self.first.len() + self.all.len()
    }

    fn bytes(self) -> Bytes {
        if self.all.is_empty() { self.first } else { self.all.freeze() }
    }
}

/// Room is given in steps of this many bytes.
const UNIT: usize = 64 << 10;
