//! Takes apart what one side of a WebSocket compresses (`permessage-deflate`, RFC 7692). What a message is compressed
//! with are the messages before it, so all of them have to be read.

use flate2::{Decompress, FlushDecompress, Status};

/// The messages of one side so far.
#[derive(Debug)]
pub(super) struct Inflater(Decompress);

/// It cannot be read: broken, or longer than the limit. Nor can what comes after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Lost;

impl Inflater {
    pub(super) fn new() -> Self {
        Self(Decompress::new(false))
    }

    /// The next message, of at most `limit` bytes.
    pub(super) fn message(&mut self, payload: &[u8], limit: usize) -> Result<Vec<u8>, Lost> {
        let mut message = Vec::new();
        // What the sender takes off its end.
        for part in [payload, &[0, 0, 0xff, 0xff]] {
            self.part(part, limit, &mut message)?;
        }
        Ok(message)
    }

    fn part(&mut self, part: &[u8], limit: usize, message: &mut Vec<u8>) -> Result<(), Lost> {
        let mut rest = part;
        loop {
            if message.len() > limit {
                return Err(Lost);
            }
            message.reserve(STEP);
            let (read, written) = (self.0.total_in(), message.len());
            let status = self.0.decompress_vec(rest, message, FlushDecompress::Sync).map_err(|_| Lost)?;
            let read = usize::try_from(self.0.total_in() - read).map_err(|_| Lost)?;
            rest = rest.get(read..).ok_or(Lost)?;
            match status {
                // A stream that says to be at its end is none that goes on.
                Status::StreamEnd => return Err(Lost),
                _ if rest.is_empty() && message.len() < message.capacity() => return Ok(()),
                _ if read == 0 && message.len() == written => return if rest.is_empty() { Ok(()) } else { Err(Lost) },
                _ => {}
            }
        }
    }
}

/// Bytes made room for at a time.
const STEP: usize = 32 << 10;

#[cfg(test)]
mod tests {
    use flate2::{Compress, Compression, FlushCompress};

    use super::*;

    fn deflated(by: &mut Compress, text: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(text.len() + 64);
        by.compress_vec(text, &mut out, FlushCompress::Sync).unwrap();
        assert!(out.ends_with(&[0, 0, 0xff, 0xff]));
        out.truncate(out.len() - 4);
        out
    }

    #[test]
    fn messages_that_refer_to_earlier_ones_are_read() {
        let (mut by, mut inflater) = (Compress::new(Compression::default(), false), Inflater::new());
        let long = "a text that is said again and again. ".repeat(5000);
        for text in ["", "one", &long, &long, "one"] {
            let payload = deflated(&mut by, text.as_bytes());
            assert_eq!(inflater.message(&payload, long.len()).unwrap(), text.as_bytes());
        }
    }

    #[test]
    fn a_bomb_is_given_up_at_the_limit() {
        let mut by = Compress::new(Compression::default(), false);
        let payload = deflated(&mut by, &vec![b'a'; 8 << 20]);
        assert_eq!(Inflater::new().message(&payload, 1 << 20), Err(Lost));
        assert_eq!(Inflater::new().message(b"{\"plain\": 1}", 1 << 20), Err(Lost));
    }
}
