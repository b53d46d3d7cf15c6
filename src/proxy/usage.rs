//! Reads the token usage out of an answer that passes by. The answer is never held up or changed; only its last bytes
//! are kept, where both a JSON answer and a stream's last event have their `usage`.

use http::{HeaderMap, header};

/// The last bytes of an answer.
#[derive(Debug, Default)]
pub(crate) struct UsageWatch {
    tail: Vec<u8>,
}

/// Tokens as the upstream reports them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Usage {
    /// Of the prompt, cached ones included.
    pub(crate) prompt: u64,
    /// Of the prompt, those read from the provider's cache.
    pub(crate) cached: u64,
    /// Of the answer.
    pub(crate) completion: u64,
}

impl Usage {
    /// Prompt tokens as they are billed.
    pub(crate) fn billed(self, cached_price: f64) -> f64 {
        self.prompt.saturating_sub(self.cached) as f64 + self.cached as f64 * cached_price
    }
}

impl UsageWatch {
    /// A watch over an answer with these headers, if it can be read.
    pub(crate) fn over(headers: &HeaderMap) -> Option<Self> {
        let kind = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
        let readable = kind.starts_with("application/json") || kind.starts_with("text/event-stream");
        (readable && !headers.contains_key(header::CONTENT_ENCODING)).then(Self::default)
    }

    /// Sees the next bytes.
    pub(crate) fn see(&mut self, data: &[u8]) {
        let data = data.split_at(data.len().saturating_sub(TAIL)).1;
        let surplus = (self.tail.len() + data.len()).saturating_sub(2 * TAIL);
        if surplus > 0 {
            let keep = TAIL.saturating_sub(data.len()).min(self.tail.len());
            self.tail.drain(..self.tail.len() - keep);
        }
        self.tail.extend_from_slice(data);
    }

    /// The last usage seen.
    pub(crate) fn usage(&self) -> Option<Usage> {
        let mut end = self.tail.len();
        loop {
            let at = memchr::memmem::rfind(self.tail.get(..end)?, KEY)?;
            // A backslash before it: a string that talks about usage.
            let escaped = at.checked_sub(1).and_then(|before| self.tail.get(before)) == Some(&b'\\');
            if let Some(usage) = self.tail.get(at + KEY.len()..).filter(|_| !escaped).and_then(parse) {
                return Some(usage);
            }
            end = at;
        }
    }
}

/// Reads `: {…}` from the front of `rest`.
fn parse(rest: &[u8]) -> Option<Usage> {
    #[derive(serde::Deserialize)]
    struct Wire {
        prompt_tokens: u64,
        #[serde(default)]
        completion_tokens: u64,
        #[serde(default)]
        prompt_tokens_details: Option<Details>,
    }
    #[derive(serde::Deserialize)]
    struct Details {
        #[serde(default)]
        cached_tokens: Option<u64>,
    }
    let value = rest.trim_ascii_start().strip_prefix(b":")?;
    let wire: Wire = serde_json::Deserializer::from_slice(value).into_iter().next()?.ok()?;
    let cached = wire.prompt_tokens_details.and_then(|details| details.cached_tokens).unwrap_or(0);
    Some(Usage { prompt: wire.prompt_tokens, cached, completion: wire.completion_tokens })
}

/// The bytes kept at least; a usage object has a few hundred.
const TAIL: usize = 4 << 10;

const KEY: &[u8] = br#""usage""#;

#[cfg(test)]
mod tests {
    use super::*;

    const USAGE: &str = r#""usage": {"prompt_tokens": 9, "completion_tokens": 4,
        "prompt_tokens_details": {"cached_tokens": 6}}, "x": 1}"#;

    fn seen(chunks: &[&str]) -> Option<Usage> {
        let mut watch = UsageWatch::default();
        for chunk in chunks {
            watch.see(chunk.as_bytes());
        }
        watch.usage()
    }

    #[test]
    fn usage_is_read_from_the_end_of_an_answer_of_any_length() {
        let expected = Some(Usage { prompt: 9, cached: 6, completion: 4 });
        assert_eq!(seen(&["{", USAGE]), expected);
        let long = "x".repeat(3 * TAIL);
        assert_eq!(seen(&[&long, USAGE]), expected);
        let bytes: Vec<String> = format!("{long}{USAGE}").chars().map(String::from).collect();
        assert_eq!(seen(&bytes.iter().map(String::as_str).collect::<Vec<_>>()), expected);
    }

    #[test]
    fn a_text_that_talks_of_usage_is_no_usage() {
        assert_eq!(seen(&[r#"{"content": "say \"usage\": {\"prompt_tokens\": 5}"}"#]), None);
        assert_eq!(seen(&[r#"data: {"usage": null}"#, "\n\ndata: [DONE]\n\n"]), None);
    }

    #[test]
    fn a_stream_tells_its_usage_in_its_last_event() {
        let event =
            "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":2}}\n\ndata: [DONE]\n\n";
        assert_eq!(seen(&[event]), Some(Usage { prompt: 3, cached: 0, completion: 2 }));
    }

    #[test]
    fn cached_tokens_are_billed_at_their_share() {
        assert!((Usage { prompt: 100, cached: 40, completion: 0 }.billed(0.1) - 64.0).abs() < 1e-9);
    }
}
