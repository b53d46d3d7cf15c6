//! Decodes a request's body to look for slots in it. The decoded copy is sent only where slots were replaced, and then
//! plain, without `Content-Encoding`: every server takes a plain body, while encoding again would cost time for bytes
//! that were just saved.

use std::io;

use async_compression::tokio::bufread::{BrotliDecoder, GzipDecoder, ZlibDecoder, ZstdDecoder};
use bytes::Bytes;
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
    /// Longer than the limit once decoded.
    TooLarge,
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

    /// The plain body, of at most `limit` bytes. Computes; does not wait.
    pub(crate) fn decode(self, body: &Bytes, limit: usize) -> Result<Bytes, Undecoded> {
        let coded: &[u8] = body;
        let decoded = match self {
            Self::Plain => return Ok(body.clone()),
            Self::Gzip => {
                let mut decoder = GzipDecoder::new(coded);
                decoder.multiple_members(true);
                read(decoder, limit)
            }
            Self::Deflate => read(ZlibDecoder::new(coded), limit),
            Self::Brotli => read(BrotliDecoder::new(coded), limit),
            Self::Zstd => {
                let mut decoder = ZstdDecoder::new(coded);
                decoder.multiple_members(true);
                read(decoder, limit)
            }
        };
        let decoded = decoded.map_err(|_| Undecoded::Broken)?;
        if decoded.len() > limit { Err(Undecoded::TooLarge) } else { Ok(decoded.into()) }
    }
}

/// Reads one byte more than `limit` at most. The source is in memory, so the future is done when it is first polled.
fn read(decoder: impl AsyncRead + Unpin, limit: usize) -> io::Result<Vec<u8>> {
    let mut decoded = Vec::new();
    let mut source = decoder.take(limit as u64 + 1);
    source.read_to_end(&mut decoded).now_or_never().ok_or(io::ErrorKind::WouldBlock)??;
    Ok(decoded)
}

#[cfg(test)]
mod tests {
    use async_compression::tokio::bufread::{BrotliEncoder, GzipEncoder, ZlibEncoder, ZstdEncoder};

    use super::*;

    fn encoded(encoder: impl AsyncRead + Unpin) -> Bytes {
        read(encoder, usize::MAX >> 1).unwrap().into()
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
            assert_eq!(coding.decode(&body, plain.len()), Ok(Bytes::from(plain.clone())), "{coding:?}");
        }
    }

    #[test]
    fn a_bomb_is_given_up_at_the_limit() {
        let plain = vec![b'a'; 8 << 20];
        for (coding, body) in in_every_coding(&plain) {
            assert!(body.len() < 64 << 10);
            assert_eq!(coding.decode(&body, 1 << 20), Err(Undecoded::TooLarge), "{coding:?}");
        }
    }

    #[test]
    fn what_is_not_what_it_says_is_broken() {
        for (coding, body) in in_every_coding(b"some text that is long enough to be cut in the middle") {
            assert_eq!(coding.decode(&Bytes::from_static(b"{\"plain\": 1}"), 1 << 20), Err(Undecoded::Broken));
            let cut = body.slice(..body.len() / 2);
            assert_eq!(coding.decode(&cut, 1 << 20), Err(Undecoded::Broken), "{coding:?}");
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
