//! Decodes a request's body to look for slots in it. The decoded copy is sent only where slots were replaced, and then
//! plain, without `Content-Encoding`: every server takes a plain body, while encoding again would cost time for bytes
//! that were just saved.

use async_compression::{
    tokio::bufread::{BrotliDecoder, GzipDecoder, ZlibDecoder, ZstdDecoder},
    zstd::DParameter,
};
use bytes::{BufMut as _, Bytes};
use futures_util::FutureExt as _;
use http::{HeaderMap, header};
use tokio::io::{AsyncRead, AsyncReadExt as _};

/// How a body is coded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Coding {
    Plain,
    Gzip,
    Deflate,
    Brotli,
    Zstd,
}

/// Why a body cannot be looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Undecoded {
    /// A coding that is not known here, or several.
    Unsupported,
    /// Not what its coding says.
    Broken,
    /// Longer than the limit once decoded, or more than a text can be.
    TooLarge,
    /// There is no room for it or for what is read from it.
    NoRoom,
}

impl Coding {
    /// The coding that the headers name.
    pub(crate) fn of(headers: &HeaderMap) -> Result<Self, Undecoded> {
        let mut codings = Vec::new();
        for value in headers.get_all(header::CONTENT_ENCODING) {
            let value = value.to_str().map_err(|_| Undecoded::Unsupported)?;
            codings.extend(value.split(',').map(|coding| coding.trim().to_ascii_lowercase()));
        }
        codings.retain(|coding| !matches!(coding.as_str(), "" | "identity"));
        match codings.as_slice() {
            [] => Ok(Self::Plain),
            [one] => match one.as_str() {
                "gzip" | "x-gzip" => Ok(Self::Gzip),
                "deflate" => Ok(Self::Deflate),
                "br" => Ok(Self::Brotli),
                "zstd" => Ok(Self::Zstd),
                _ => Err(Undecoded::Unsupported),
            },
            _ => Err(Undecoded::Unsupported),
        }
    }

    /// The plain body, of at most `limit` bytes. `room` is asked before memory is taken: for how many bytes in all.
    /// Computes; does not wait.
    pub(crate) fn decode(
        self,
        body: &Bytes,
        limit: usize,
        room: impl FnMut(usize) -> bool,
    ) -> Result<Bytes, Undecoded> {
        let coded: &[u8] = body;
        let bounds = Bounds { coded: coded.len(), limit, window: self.window() };
        let decoded = match self {
            Self::Plain if coded.len() > limit => return Err(Undecoded::TooLarge),
            Self::Plain => return Ok(body.clone()),
            Self::Gzip => {
                let mut decoder = GzipDecoder::new(coded);
                decoder.multiple_members(true);
                read(decoder, &bounds, room)
            }
            Self::Deflate => read(ZlibDecoder::new(coded), &bounds, room),
            Self::Brotli => read(BrotliDecoder::new(coded), &bounds, room),
            Self::Zstd => {
                let mut decoder = ZstdDecoder::with_params(coded, &[DParameter::window_log_max(ZSTD_WINDOW_LOG)]);
                decoder.multiple_members(true);
                read(decoder, &bounds, room)
            }
        };
        decoded.map(Bytes::from)
    }

    /// Bytes that a decoder takes itself, at most.
    const fn window(self) -> usize {
        match self {
            Self::Plain => 0,
            Self::Gzip | Self::Deflate => 64 << 10,
            // RFC 7932: a window of 16 MiB.
            Self::Brotli => 17 << 20,
            Self::Zstd => (1 << ZSTD_WINDOW_LOG) + (1 << 20),
        }
    }
}

/// What a decoder is held to.
struct Bounds {
    coded: usize,
    limit: usize,
    window: usize,
}

/// Reads in steps, each asked for before it is taken. The source is in memory, so a future is done when it is first
/// polled.
fn read(
    mut source: impl AsyncRead + Unpin,
    bounds: &Bounds,
    mut room: impl FnMut(usize) -> bool,
) -> Result<Vec<u8>, Undecoded> {
    let mut decoded: Vec<u8> = Vec::new();
    loop {
        let (length, capacity) = (decoded.len(), decoded.capacity());
        if length > bounds.limit || length > MODEST.max(bounds.coded.saturating_mul(MOST_RATIO)) {
            return Err(Undecoded::TooLarge);
        }
        if length == capacity {
            // One byte more than the limit tells that there is more.
            let next = (capacity * 2).clamp(FIRST, bounds.limit.saturating_add(1).max(FIRST));
            // Both are there while one is copied into the other.
            if !room(bounds.window + capacity + next) {
                return Err(Undecoded::NoRoom);
            }
            decoded.reserve_exact(next - length);
        }
        let space = (decoded.capacity() - length).min(STEP);
        let read = source.read_buf(&mut (&mut decoded).limit(space)).now_or_never();
        match read {
            Some(Ok(0)) => return Ok(decoded),
            Some(Ok(_)) => {}
            Some(Err(_)) | None => return Err(Undecoded::Broken),
        }
    }
}

/// Bytes to begin with.
const FIRST: usize = 64 << 10;

/// Bytes between two looks at the bounds.
const STEP: usize = 256 << 10;

/// Up to this many decoded bytes any ratio will do.
const MODEST: usize = 1 << 20;

/// Decoded bytes for each coded one at most. Texts reach some 20, logs that repeat themselves some 100; the formats allow
/// from 1,000 (gzip) to a million.
const MOST_RATIO: usize = 400;

/// RFC 8878 asks every decoder for windows of 8 MiB; a frame may ask for more, and is then not looked into.
pub(super) const ZSTD_WINDOW_LOG: u32 = 23;

#[cfg(test)]
mod tests {
    use async_compression::tokio::bufread::{BrotliEncoder, GzipEncoder, ZlibEncoder, ZstdEncoder};

    use super::*;

    fn encoded(encoder: impl AsyncRead + Unpin) -> Bytes {
        read(encoder, &Bounds { coded: usize::MAX, limit: usize::MAX >> 1, window: 0 }, |_| true).unwrap().into()
    }

    fn in_every_coding(plain: &[u8]) -> [(Coding, Bytes); 4] {
        [
            (Coding::Gzip, encoded(GzipEncoder::new(plain))),
            (Coding::Deflate, encoded(ZlibEncoder::new(plain))),
            (Coding::Brotli, encoded(BrotliEncoder::new(plain))),
            (Coding::Zstd, encoded(ZstdEncoder::new(plain))),
        ]
    }

    #[test]
    fn every_known_coding_is_decoded() {
        let plain = "twenty times the same. ".repeat(20);
        for (coding, body) in in_every_coding(plain.as_bytes()) {
            assert_eq!(coding.decode(&body, plain.len(), |_| true), Ok(Bytes::from(plain.clone())), "{coding:?}");
        }
    }

    #[test]
    fn a_bomb_is_given_up_at_the_limit() {
        let plain = vec![b'a'; 8 << 20];
        for (coding, body) in in_every_coding(&plain) {
            assert!(body.len() < 64 << 10);
            assert_eq!(coding.decode(&body, 1 << 20, |_| true), Err(Undecoded::TooLarge), "{coding:?}");
        }
    }

    #[test]
    fn no_step_is_taken_before_there_is_room_for_it() {
        // Letters in no order, so that no coding blows up by much.
        let mut state = 1u32;
        let letter = |_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            b'a' + (state >> 28) as u8
        };
        let plain: Vec<u8> = (0..1 << 20).map(letter).collect();
        for (coding, body) in in_every_coding(&plain) {
            let mut asked = Vec::new();
            let decoded = coding.decode(&body, 64 << 20, |bytes| {
                asked.push(bytes);
                true
            });
            assert_eq!(decoded.unwrap().len(), plain.len(), "{coding:?}");
            assert!(*asked.last().unwrap() >= coding.window() + plain.len(), "{coding:?}");
            let most = coding.window() + (256 << 10);
            assert_eq!(coding.decode(&body, 64 << 20, |bytes| bytes <= most), Err(Undecoded::NoRoom), "{coding:?}");
            assert_eq!(coding.decode(&body, 64 << 20, |_| false), Err(Undecoded::NoRoom), "{coding:?}");
        }
    }

    #[test]
    fn what_blows_up_more_than_any_text_is_given_up() {
        let plain = vec![b'a'; 8 << 20];
        for (coding, body) in in_every_coding(&plain) {
            let mut most = 0;
            let decoded = coding.decode(&body, 64 << 20, |bytes| {
                most = most.max(bytes);
                true
            });
            assert_eq!(decoded, Err(Undecoded::TooLarge), "{coding:?}");
            let bound = (1 << 20).max(body.len() * MOST_RATIO) + STEP;
            assert!(most <= coding.window() + 3 * bound, "{coding:?}: {most}");
        }
    }

    #[test]
    fn what_is_not_what_it_says_is_broken() {
        for (coding, body) in in_every_coding(b"some text that is long enough to be cut in the middle") {
            assert_eq!(
                coding.decode(&Bytes::from_static(b"{\"plain\": 1}"), 1 << 20, |_| true),
                Err(Undecoded::Broken)
            );
            let cut = body.slice(..body.len() / 2);
            assert_eq!(coding.decode(&cut, 1 << 20, |_| true), Err(Undecoded::Broken), "{coding:?}");
        }
    }

    #[test]
    fn a_chain_of_codings_is_not_looked_into() {
        let mut headers = HeaderMap::new();
        headers.insert("content-encoding", "gzip, br".parse().unwrap());
        assert_eq!(Coding::of(&headers), Err(Undecoded::Unsupported));
        headers.insert("content-encoding", "Identity, GZIP".parse().unwrap());
        assert_eq!(Coding::of(&headers), Ok(Coding::Gzip));
    }
}
