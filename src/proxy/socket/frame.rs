//! Frames of a WebSocket (RFC 6455, 5.2) as bytes: read head by head, so that whatever is not ours to read passes as it
//! came.

use std::{
    io::{self, Cursor},
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    time::timeout,
};
use tungstenite::protocol::frame::{
    FrameHeader,
    coding::{Data, OpCode},
};

/// Frames from one side.
#[derive(Debug)]
pub(super) struct Frames<R> {
    from: R,
    buffer: BytesMut,
}

/// What comes next.
#[derive(Debug)]
pub(super) enum Next {
    /// A frame, of which the head is there.
    Frame(Head),
    /// Something that is no frame.
    Garbage,
    /// The end.
    End,
}

/// A frame's head.
#[derive(Debug)]
pub(super) struct Head {
    pub(super) header: FrameHeader,
    /// Its own bytes.
    pub(super) bytes: usize,
    /// The payload's.
    pub(super) payload: u64,
}

impl Head {
    /// Reads a head from the front of what was received; `None` where not all of it is there.
    pub(super) fn read(bytes: &[u8]) -> Result<Option<Self>, tungstenite::Error> {
        let mut cursor = Cursor::new(bytes);
        let read = FrameHeader::parse(&mut cursor)?;
        // No head is longer than 14 bytes.
        let bytes = usize::try_from(cursor.position()).unwrap_or_default();
        Ok(read.map(|(header, payload)| Self { header, bytes, payload }))
    }

    /// The data that it carries; `None` for a control frame.
    pub(super) const fn data(&self) -> Option<Data> {
        match self.header.opcode {
            OpCode::Data(data) => Some(data),
            OpCode::Control(_) => None,
        }
    }

    /// The whole frame's bytes.
    pub(super) const fn length(&self) -> u64 {
        self.payload.saturating_add(self.bytes as u64)
    }
}

impl<R: AsyncRead + Unpin> Frames<R> {
    pub(super) fn new(from: R) -> Self {
        Self { from, buffer: BytesMut::with_capacity(CHUNK) }
    }

    /// Waits for the next head, and leaves it where it is.
    pub(super) async fn next(&mut self) -> io::Result<Next> {
        loop {
            match Head::read(&self.buffer) {
                Ok(Some(head)) => return Ok(Next::Frame(head)),
                Ok(None) => {}
                Err(_) => return Ok(Next::Garbage),
            }
            if self.fill().await? == 0 {
                return Ok(if self.buffer.is_empty() { Next::End } else { Next::Garbage });
            }
        }
    }

    /// Takes a whole frame; `pause` is the longest wait for its next part.
    pub(super) async fn take(&mut self, length: usize, pause: Duration) -> io::Result<Bytes> {
        self.buffer.reserve(length.saturating_sub(self.buffer.len()));
        while self.buffer.len() < length {
            if timeout(pause, self.fill()).await?? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        Ok(self.buffer.split_to(length).freeze())
    }

    /// Passes this many bytes on as they come.
    pub(super) async fn pass(&mut self, length: u64, to: &mut (impl AsyncWrite + Unpin)) -> io::Result<()> {
        let mut left = length;
        while left > 0 {
            if self.buffer.is_empty() && self.fill().await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            let now = usize::try_from(left).unwrap_or(usize::MAX).min(self.buffer.len());
            to.write_all(&self.buffer.split_to(now)).await?;
            to.flush().await?;
            left -= now as u64;
        }
        Ok(())
    }

    /// Passes on what is left, to the end.
    pub(super) async fn pass_all(&mut self, to: &mut (impl AsyncWrite + Unpin)) -> io::Result<()> {
        to.write_all(&self.buffer.split()).await?;
        to.flush().await?;
        tokio::io::copy(&mut self.from, to).await?;
        Ok(())
    }

    async fn fill(&mut self) -> io::Result<usize> {
        self.buffer.reserve(CHUNK);
        self.from.read_buf(&mut self.buffer).await
    }
}

/// A whole message in one plain frame, masked as the client masked its own.
pub(super) fn plain(data: Data, mask: Option<[u8; 4]>, payload: &[u8]) -> io::Result<Vec<u8>> {
    let header = FrameHeader { opcode: OpCode::Data(data), mask, ..FrameHeader::default() };
    let mut frame = Vec::with_capacity(payload.len() + 14);
    header.format(payload.len() as u64, &mut frame).map_err(io::Error::other)?;
    let head = frame.len();
    frame.extend_from_slice(payload);
    if let Some(mask) = mask {
        masked(frame.split_at_mut(head).1, mask);
    }
    Ok(frame)
}

/// Masks a payload, or takes its mask off (RFC 6455, 5.3).
pub(super) fn masked(payload: &mut [u8], mask: [u8; 4]) {
    payload.iter_mut().zip(mask.iter().cycle()).for_each(|(byte, mask)| *byte ^= mask);
}

/// Bytes read at a time.
const CHUNK: usize = 16 << 10;
