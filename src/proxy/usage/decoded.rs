//! Reads an answer that the provider has coded, while it passes by as it came. What is decoded is a copy, and all that
//! is kept of it is what the watch keeps.

use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use async_compression::{
    tokio::write::{BrotliDecoder, GzipDecoder, ZlibDecoder, ZstdDecoder},
    zstd::DParameter,
};
use futures_util::FutureExt as _;
use http::HeaderMap;
use tokio::{
    io::{AsyncWrite, AsyncWriteExt as _},
    sync::{OwnedSemaphorePermit, Semaphore},
};

use crate::proxy::coding::{Coding, ZSTD_WINDOW_LOG};

/// Decodes a copy. It holds its permit for as long as it lives, since each takes memory of its own.
#[derive(Debug)]
pub(super) struct Decoder {
    kind: Kind,
    coded: usize,
    _permit: OwnedSemaphorePermit,
}

#[derive(Debug)]
enum Kind {
    Gzip(Box<GzipDecoder<Plain>>),
    Deflate(Box<ZlibDecoder<Plain>>),
    Brotli(Box<BrotliDecoder<Plain>>),
    Zstd(Box<ZstdDecoder<Plain>>),
}

/// It cannot be read: of a coding that is not known here, broken, or there is no room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Unreadable;

impl PartialEq for Decoder {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self, other)
    }
}

impl Decoder {
    /// For an answer with these headers; `None` where it is plain.
    pub(super) fn of(headers: &HeaderMap, decoders: &Arc<Semaphore>) -> Result<Option<Self>, Unreadable> {
        let coding = Coding::of(headers).map_err(|_| Unreadable)?;
        if coding == Coding::Plain {
            return Ok(None);
        }
        let permit = Arc::clone(decoders).try_acquire_owned().map_err(|_| Unreadable)?;
        let plain = Plain::default();
        let kind = match coding {
            Coding::Plain => return Ok(None),
            Coding::Gzip => Kind::Gzip(Box::new(GzipDecoder::new(plain))),
            Coding::Deflate => Kind::Deflate(Box::new(ZlibDecoder::new(plain))),
            Coding::Brotli => Kind::Brotli(Box::new(BrotliDecoder::new(plain))),
            Coding::Zstd => {
                let bounds = [DParameter::window_log_max(ZSTD_WINDOW_LOG)];
                Kind::Zstd(Box::new(ZstdDecoder::with_params(plain, &bounds)))
            }
        };
        Ok(Some(Self { kind, coded: 0, _permit: permit }))
    }

    /// Decodes the next bytes, and shows what they say.
    pub(super) fn see(&mut self, data: &[u8], show: impl FnMut(&[u8])) -> Result<(), Unreadable> {
        self.coded = self.coded.saturating_add(data.len());
        let most = MODEST.saturating_add(self.coded.saturating_mul(MOST_RATIO));
        let writer = self.writer();
        writer.plain().left = most.saturating_sub(writer.plain().seen);
        // Whatever it writes to is ready, so a write is done when it is first polled.
        let written = writer.write(data);
        self.show(show);
        if written { Ok(()) } else { Err(Unreadable) }
    }

    /// The answer has ended: shows what was still held back.
    pub(super) fn end(&mut self, show: impl FnMut(&[u8])) {
        self.writer().finish();
        self.show(show);
    }

    fn show(&mut self, mut show: impl FnMut(&[u8])) {
        let plain = self.writer().plain();
        show(&plain.bytes);
        plain.bytes.clear();
    }

    fn writer(&mut self) -> &mut dyn Writer {
        match &mut self.kind {
            Kind::Gzip(writer) => &mut **writer,
            Kind::Deflate(writer) => &mut **writer,
            Kind::Brotli(writer) => &mut **writer,
            Kind::Zstd(writer) => &mut **writer,
        }
    }
}

/// What the decoders of all codings have in common.
trait Writer {
    fn plain(&mut self) -> &mut Plain;
    fn write(&mut self, data: &[u8]) -> bool;
    fn finish(&mut self);
}

macro_rules! writers {
    ($($decoder:ident),*) => {$(
        impl Writer for $decoder<Plain> {
            fn plain(&mut self) -> &mut Plain {
                self.get_mut()
            }

            fn write(&mut self, data: &[u8]) -> bool {
                let done = async {
                    self.write_all(data).await?;
                    self.flush().await
                };
                matches!(Box::pin(done).now_or_never(), Some(Ok(())))
            }

            fn finish(&mut self) {
                let _ = self.flush().now_or_never();
            }
        }
    )*};
}

writers!(GzipDecoder, ZlibDecoder, BrotliDecoder, ZstdDecoder);

/// Takes what is decoded, up to a bound.
#[derive(Debug, Default)]
struct Plain {
    bytes: Vec<u8>,
    seen: usize,
    left: usize,
}

impl AsyncWrite for Plain {
    fn poll_write(mut self: Pin<&mut Self>, _: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<usize>> {
        if data.len() > self.left {
            return Poll::Ready(Err(io::ErrorKind::FileTooLarge.into()));
        }
        self.left -= data.len();
        self.seen += data.len();
        // The watch keeps less of it than this.
        if self.bytes.len() > LONGEST {
            let end = self.bytes.len() - LONGEST / 2;
            self.bytes.drain(FIRST..end);
        }
        self.bytes.extend_from_slice(data);
        Poll::Ready(Ok(data.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// Up to this many decoded bytes any ratio will do.
const MODEST: usize = 1 << 20;

/// Decoded bytes for each coded one at most; a stream of events that repeat themselves reaches some 50.
const MOST_RATIO: usize = 400;

/// Decoded bytes that wait to be shown at most: the first of them and the last.
const LONGEST: usize = 256 << 10;

/// Of these, the first.
const FIRST: usize = 16 << 10;

#[cfg(test)]
mod tests {
    use async_compression::tokio::write::{BrotliEncoder, GzipEncoder, ZlibEncoder, ZstdEncoder};

    use super::*;

    fn coded(coding: &str, parts: &[Vec<u8>]) -> Vec<u8> {
        macro_rules! with {
            ($encoder:ident) => {{
                let mut encoder = $encoder::new(Vec::new());
                let all = async {
                    for part in parts {
                        encoder.write_all(part).await.unwrap();
                        encoder.flush().await.unwrap();
                    }
                    encoder.shutdown().await.unwrap();
                };
                Box::pin(all).now_or_never().unwrap();
                encoder.into_inner()
            }};
        }
        match coding {
            "gzip" => with!(GzipEncoder),
            "deflate" => with!(ZlibEncoder),
            "br" => with!(BrotliEncoder),
            _ => with!(ZstdEncoder),
        }
    }

    fn decoder(coding: &'static str, decoders: &Arc<Semaphore>) -> Result<Option<Decoder>, Unreadable> {
        let value = http::HeaderValue::from_static(coding);
        Decoder::of(&[(http::header::CONTENT_ENCODING, value)].into_iter().collect(), decoders)
    }

    #[test]
    fn a_stream_of_any_coding_is_read_in_whatever_pieces_it_comes() {
        let parts: Vec<Vec<u8>> = (0..300).map(|at| format!("data: {{\"delta\": {at}}}\n\n").into_bytes()).collect();
        let decoders = Arc::new(Semaphore::new(1));
        for coding in ["gzip", "deflate", "br", "zstd"] {
            let body = coded(coding, &parts);
            for length in [1, 7, 1000, body.len()] {
                let mut decoder = decoder(coding, &decoders).unwrap().unwrap();
                let mut seen = Vec::new();
                for piece in body.chunks(length) {
                    decoder.see(piece, |plain| seen.extend_from_slice(plain)).unwrap();
                }
                decoder.end(|plain| seen.extend_from_slice(plain));
                assert_eq!(seen, parts.concat(), "{coding} {length}");
            }
        }
    }

    #[test]
    fn a_bomb_is_given_up_and_what_waits_is_bounded() {
        let decoders = Arc::new(Semaphore::new(1));
        for coding in ["gzip", "deflate", "br", "zstd"] {
            let body = coded(coding, &[vec![b'a'; 64 << 20]]);
            let mut decoder = decoder(coding, &decoders).unwrap().unwrap();
            let (mut refused, mut most) = (false, 0);
            for piece in body.chunks(16 << 10) {
                refused |= decoder.see(piece, |plain| most = most.max(plain.len())).is_err();
                if refused {
                    break;
                }
            }
            assert!(refused && most <= LONGEST + (64 << 10), "{coding} {most}");
        }
    }

    #[test]
    fn what_cannot_be_read_says_so() {
        let decoders = Arc::new(Semaphore::new(1));
        assert_eq!(decoder("gzip, br", &decoders).unwrap_err(), Unreadable);
        assert_eq!(decoder("identity", &decoders).unwrap(), None);
        let mut one = decoder("gzip", &decoders).unwrap().unwrap();
        assert_eq!(decoder("gzip", &decoders).unwrap_err(), Unreadable, "one at a time");
        assert_eq!(one.see(b"{\"plain\": 1}", |_| {}), Err(Unreadable));
    }
}
