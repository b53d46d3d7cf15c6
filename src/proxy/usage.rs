//! Reads the token usage out of an answer that passes by. The answer is never held up or changed; only its first and its
//! last bytes are kept. A JSON answer and a stream's last event have their `usage` at the end; a stream of Messages tells
//! of the prompt in its first event and of the answer in its last.

mod decoded;

use std::sync::Arc;

use http::{HeaderMap, header};
use tokio::sync::Semaphore;

use crate::{
    ledger::Usage,
    telemetry::{Metrics, metrics::TokenLabel},
    wire::Surface,
};
use decoded::Decoder;

/// Watches an answer that passes by.
#[derive(Debug)]
pub(crate) struct UsageWatch {
    kept: Kept,
    /// For an answer that is coded; `None` inside once it cannot be read.
    decoder: Option<Option<Decoder>>,
}

/// The bytes of an answer that are kept: of its beginning and of its end.
#[derive(Debug)]
struct Kept {
    surface: Surface,
    head: Vec<u8>,
    tail: Vec<u8>,
}

/// Adds it to the figures; a cached token costs this share of a fresh one.
pub(crate) fn count(usage: Usage, metrics: &Metrics, cached_price: f64) {
    for (kind, tokens) in [
        ("input", usage.prompt),
        ("input_cached", usage.cached),
        ("input_cache_written", usage.written),
        ("output", usage.completion),
    ] {
        metrics.usage.get_or_create(&TokenLabel { gen_ai_token_type: kind }).inc_by(tokens);
    }
    metrics.billed.inc_by(billed(usage, cached_price));
}

/// Prompt tokens as they are billed.
fn billed(usage: Usage, cached_price: f64) -> f64 {
    usage.prompt.saturating_sub(usage.cached) as f64 + usage.cached as f64 * cached_price
}

impl UsageWatch {
    /// A watch over an answer with these headers, if it can be read; `decoders` bounds how many are decoded at once.
    pub(crate) fn over(surface: Surface, headers: &HeaderMap, decoders: &Arc<Semaphore>) -> Option<Self> {
        let kind = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
        let readable = kind.starts_with("application/json") || kind.starts_with("text/event-stream");
        let decoder = Decoder::of(headers, decoders);
        (readable && decoder != Err(decoded::Unreadable))
            .then(|| Self::new(surface))
            .map(|watch| Self { decoder: decoder.ok().flatten().map(Some), ..watch })
    }

    /// A watch over an answer that is plain.
    pub(crate) const fn new(surface: Surface) -> Self {
        Self { kept: Kept { surface, head: Vec::new(), tail: Vec::new() }, decoder: None }
    }

    /// Sees the next bytes.
    pub(crate) fn see(&mut self, data: &[u8]) {
        match &mut self.decoder {
            None => self.kept.see(data),
            Some(Some(decoder)) => {
                if decoder.see(data, |plain| self.kept.see(plain)).is_err() {
                    self.decoder = Some(None);
                }
            }
            Some(None) => {}
        }
    }

    /// The last usage seen.
    pub(crate) fn usage(&mut self) -> Option<Usage> {
        if let Some(Some(decoder)) = &mut self.decoder {
            decoder.end(|plain| self.kept.see(plain));
        }
        self.kept.usage()
    }

    /// The name by which the provider stores what it answered.
    pub(crate) fn stored(&self) -> Option<String> {
        if self.kept.surface != Surface::Responses {
            return None;
        }
        let head = &*self.kept.head;
        let at = memchr::memmem::find(head, ID)?;
        let value = head.get(at + ID.len()..)?.trim_ascii_start().strip_prefix(b":")?;
        serde_json::Deserializer::from_slice(value).into_iter().next()?.ok()
    }
}

impl Kept {
    fn see(&mut self, data: &[u8]) {
        if self.surface != Surface::ChatCompletions {
            let room = HEAD.saturating_sub(self.head.len()).min(data.len());
            self.head.extend_from_slice(data.split_at(room).0);
        }
        let data = data.split_at(data.len().saturating_sub(TAIL)).1;
        let surplus = (self.tail.len() + data.len()).saturating_sub(2 * TAIL);
        if surplus > 0 {
            let keep = TAIL.saturating_sub(data.len()).min(self.tail.len());
            self.tail.drain(..self.tail.len() - keep);
        }
        self.tail.extend_from_slice(data);
    }

    fn usage(&self) -> Option<Usage> {
        let last = last(&self.tail);
        if self.surface != Surface::Messages {
            return last.map(|wire| wire.usage());
        }
        // What one event leaves out the other has.
        let (first, last) = (self::last(&self.head), last?);
        Some(last.over(first.unwrap_or_default()).of_messages())
    }
}

/// The last usage within these bytes.
fn last(bytes: &[u8]) -> Option<Wire> {
    let mut end = bytes.len();
    loop {
        let at = memchr::memmem::rfind(bytes.get(..end)?, KEY)?;
        // A backslash before it: a string that talks about usage.
        let escaped = at.checked_sub(1).and_then(|before| bytes.get(before)) == Some(&b'\\');
        if let Some(usage) = bytes.get(at + KEY.len()..).filter(|_| !escaped).and_then(parse) {
            return Some(usage);
        }
        end = at;
    }
}

/// Reads `: {…}` from the front of `rest`.
fn parse(rest: &[u8]) -> Option<Wire> {
    let value = rest.trim_ascii_start().strip_prefix(b":")?;
    let wire: Wire = serde_json::Deserializer::from_slice(value).into_iter().next()?.ok()?;
    (wire != Wire::default()).then_some(wire)
}

/// A usage as any of the surfaces writes it.
#[derive(Debug, Default, PartialEq, serde::Deserialize)]
#[serde(default)]
struct Wire {
    prompt_tokens: Option<u64>,
    completion_tokens: Option<u64>,
    prompt_tokens_details: Option<Details>,
    // Responses and Messages; some servers write both.
    input_tokens: Option<u64>,
    output_tokens: Option<u64>,
    input_tokens_details: Option<Details>,
    cache_read_input_tokens: Option<u64>,
    cache_creation_input_tokens: Option<u64>,
    cache_creation: Option<Creation>,
    // DeepSeek's.
    prompt_cache_hit_tokens: Option<u64>,
}

/// What was written to the cache, by how long it is kept.
#[derive(Debug, Clone, Copy, Default, PartialEq, serde::Deserialize)]
#[serde(default)]
struct Creation {
    ephemeral_1h_input_tokens: Option<u64>,
}

#[derive(Debug, Default, PartialEq, serde::Deserialize)]
#[serde(default)]
struct Details {
    cached_tokens: Option<u64>,
    cache_write_tokens: Option<u64>,
}

impl Wire {
    /// OpenAI's: cached tokens are among the prompt's.
    fn usage(self) -> Usage {
        let details = self.prompt_tokens_details.or(self.input_tokens_details);
        let Details { cached_tokens, cache_write_tokens } = details.unwrap_or_default();
        Usage {
            prompt: self.prompt_tokens.or(self.input_tokens).unwrap_or(0),
            cached: cached_tokens.or(self.prompt_cache_hit_tokens).unwrap_or(0),
            written: cache_write_tokens.unwrap_or(0),
            written_long: 0,
            completion: self.completion_tokens.or(self.output_tokens).unwrap_or(0),
        }
    }

    /// Anthropic's: cached tokens are counted beside the prompt's.
    fn of_messages(self) -> Usage {
        let (cached, written) =
            (self.cache_read_input_tokens.unwrap_or(0), self.cache_creation_input_tokens.unwrap_or(0));
        let fresh = self.input_tokens.unwrap_or(0);
        let prompt = fresh.saturating_add(cached).saturating_add(written);
        let written_long = self.cache_creation.and_then(|creation| creation.ephemeral_1h_input_tokens).unwrap_or(0);
        Usage { prompt, cached, written, written_long, completion: self.output_tokens.unwrap_or(0) }
    }

    /// This, and what only an earlier event said.
    fn over(self, earlier: Self) -> Self {
        Self {
            input_tokens: self.input_tokens.or(earlier.input_tokens),
            output_tokens: self.output_tokens.or(earlier.output_tokens),
            cache_read_input_tokens: self.cache_read_input_tokens.or(earlier.cache_read_input_tokens),
            cache_creation_input_tokens: self.cache_creation_input_tokens.or(earlier.cache_creation_input_tokens),
            cache_creation: self.cache_creation.or(earlier.cache_creation),
            ..self
        }
    }
}

/// Bytes of the beginning that are kept: the first events of a stream.
const HEAD: usize = 8 << 10;

/// Bytes of the end that are kept at least. A usage has a few hundred; behind it a response repeats its `metadata`, of up
/// to 16 pairs of 64 and 512 characters.
const TAIL: usize = 16 << 10;

const KEY: &[u8] = br#""usage""#;

const ID: &[u8] = br#""id""#;

#[cfg(test)]
mod tests {
    use super::*;

    const USAGE: &str = r#""usage": {"prompt_tokens": 9, "completion_tokens": 4,
        "prompt_tokens_details": {"cached_tokens": 6}}, "x": 1}"#;

    fn seen_on(surface: Surface, chunks: &[&str]) -> Option<Usage> {
        let mut watch = UsageWatch::new(surface);
        for chunk in chunks {
            watch.see(chunk.as_bytes());
        }
        watch.usage()
    }

    fn seen(chunks: &[&str]) -> Option<Usage> {
        seen_on(Surface::ChatCompletions, chunks)
    }

    #[test]
    fn usage_is_read_from_the_end_of_an_answer_of_any_length() {
        let expected = Some(Usage { prompt: 9, cached: 6, completion: 4, ..Usage::default() });
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
        assert_eq!(seen(&[event]), Some(Usage { prompt: 3, completion: 2, ..Usage::default() }));
    }

    #[test]
    fn a_response_tells_its_usage_when_it_is_completed() {
        let stream = "data: {\"type\":\"response.created\",\"response\":{\"usage\":null}}\n\n\
            data: {\"type\":\"response.completed\",\"response\":{\"usage\":{\"input_tokens\":70,\
            \"input_tokens_details\":{\"cached_tokens\":64,\"cache_write_tokens\":5},\"output_tokens\":2,\
            \"output_tokens_details\":{\"reasoning_tokens\":0},\"total_tokens\":72},\"user\":null}}\n\n";
        let expected = Usage { prompt: 70, cached: 64, written: 5, written_long: 0, completion: 2 };
        assert_eq!(seen_on(Surface::Responses, &[stream]), Some(expected));
    }

    #[test]
    fn a_stream_of_messages_tells_of_the_prompt_first_and_of_the_answer_last() {
        let start = "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"m\",\"usage\":\
            {\"input_tokens\":10,\"cache_creation_input_tokens\":20,\"cache_read_input_tokens\":300,\"output_tokens\":1}}}\n\n";
        let end = "event: message_delta\ndata: {\"type\":\"message_delta\",\"usage\":{\"output_tokens\":15}}\n\n\
            event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n";
        let expected = Usage { prompt: 330, cached: 300, written: 20, written_long: 0, completion: 15 };
        let long = "x".repeat(5 * TAIL);
        assert_eq!(seen_on(Surface::Messages, &[start, &long, end]), Some(expected));
        let whole = r#"{"type":"message","usage":{"input_tokens":10,"cache_read_input_tokens":300,"cache_creation_input_tokens":20,"output_tokens":15}}"#;
        assert_eq!(seen_on(Surface::Messages, &[whole]), Some(expected));
    }

    #[test]
    fn cached_tokens_are_billed_at_their_share() {
        let usage = Usage { prompt: 100, cached: 40, ..Usage::default() };
        assert!((billed(usage, 0.1) - 64.0).abs() < 1e-9);
    }

    #[test]
    fn usage_is_found_before_the_metadata_that_a_response_repeats() {
        let pairs: Vec<String> = (0..16).map(|at| format!("\"{at:064}\":\"{}\"", "v".repeat(512))).collect();
        let body = format!(
            "{{\"id\":\"resp_7\",\"output\":[],\"usage\":{{\"input_tokens\":8,\"output_tokens\":1}},\"metadata\":{{{}}}}}",
            pairs.join(",")
        );
        let mut watch = UsageWatch::new(Surface::Responses);
        body.as_bytes().chunks(1000).for_each(|chunk| watch.see(chunk));
        assert_eq!(watch.usage(), Some(Usage { prompt: 8, completion: 1, ..Usage::default() }));
        assert_eq!(watch.stored().as_deref(), Some("resp_7"));
    }

    #[test]
    fn what_is_kept_in_the_cache_for_an_hour_is_told_apart() {
        let usage = r#"{"usage":{"input_tokens":1,"cache_creation_input_tokens":30,"cache_read_input_tokens":0,
            "cache_creation":{"ephemeral_5m_input_tokens":10,"ephemeral_1h_input_tokens":20},"output_tokens":2}}"#;
        let expected = Usage { prompt: 31, cached: 0, written: 30, written_long: 20, completion: 2 };
        assert_eq!(seen_on(Surface::Messages, &[usage]), Some(expected));
    }
}
