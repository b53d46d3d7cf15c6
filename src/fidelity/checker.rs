//! Asks the model and compares: one text, one verdict.

use std::{
    sync::Arc,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use rustls::{ClientConfig, RootCertStore, crypto::ring};
use tokio::sync::Semaphore;

use super::{
    Config, Finding, Kind, State, Verdict, Why,
    budget::{Budget, Cost},
    protocol::{self, Reply},
    question::{Comparison, Question, compare, questions},
};
use crate::{
    compress::{Condensation, CountTokens as _, Decision, Encoding, Level, Unit},
    setting::Invalid,
};

/// Checks condensed texts with a model of its own.
#[derive(Debug)]
pub struct Checker {
    client: reqwest::Client,
    url: String,
    model: String,
    key: Option<String>,
    most: usize,
    budget: Budget,
    calls: Semaphore,
}

impl Checker {
    /// A checker that calls the configured endpoint, with `key` as its bearer token.
    ///
    /// # Errors
    /// A setting that cannot be used.
    pub fn new(config: &Config, key: Option<String>) -> Result<Self, Invalid> {
        config.check()?;
        let wrong = || Invalid::new("base_url", &config.base_url, "a URL that a client can be made for");
        let client = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(Duration::from_millis(config.timeout_ms))
            .tls_backend_preconfigured(tls().ok_or_else(wrong)?)
            .build()
            .map_err(|_| wrong())?;
        Ok(Self {
            client,
            url: format!("{}/chat/completions", config.base_url.trim_end_matches('/')),
            model: config.model.clone(),
            key,
            most: config.questions,
            budget: Budget::new(config),
            calls: Semaphore::new(config.concurrency),
        })
    }

    /// Compares what the rewritten units say with what `source` says. Units that stand verbatim need no check, and
    /// dropped ones were dropped on purpose.
    ///
    /// With `losses`, a fact of a rewritten unit that the condensed text doesn't give is a finding too; a caller who was
    /// asked for a fixed ratio expects losses.
    pub async fn check(&self, source: &str, condensation: &Condensation, losses: bool) -> Verdict {
        let rewritten: Vec<(usize, &str, &str)> = condensation
            .units
            .iter()
            .enumerate()
            .filter(|(_, unit)| is_checked(unit))
            .filter_map(|(at, unit)| Some((at, source.get(unit.span.clone())?, unit.text.as_deref()?)))
            .collect();
        self.units(&rewritten, losses).await
    }

    /// Whether there is anything to check.
    #[must_use]
    pub fn has_work(condensation: &Condensation) -> bool {
        condensation.units.iter().any(is_checked)
    }

    /// The same over units given as index, original and condensed text.
    pub async fn units(&self, units: &[(usize, &str, &str)], losses: bool) -> Verdict {
        let start = Instant::now();
        let mut verdict = Verdict { state: State::Passed, ..Verdict::unchecked(Why::NothingToAsk, Level::Full) };
        let mut left = self.most;
        // Spread over the text, so that no claim at its end is safe.
        let each = (self.most / units.len().max(1)).clamp(1, MOST_A_UNIT);
        for group in groups(units) {
            let (original, condensed) = (joined(group, |u| u.1), joined(group, |u| u.2));
            let claims: Vec<Question> = group.iter().flat_map(|u| questions(u.0, u.2, each)).take(left).collect();
            left -= claims.len();
            // The claims of the condensed text, read from the original.
            if let Err(why) = self.ask(&mut verdict, &original, &claims, false).await {
                verdict.state = State::Unchecked(why);
                break;
            }
            if losses {
                let facts: Vec<Question> = group.iter().flat_map(|u| questions(u.0, u.1, each)).take(left).collect();
                left -= facts.len();
                if let Err(why) = self.ask(&mut verdict, &condensed, &facts, true).await {
                    verdict.state = State::Unchecked(why);
                    break;
                }
            }
            if left == 0 {
                break;
            }
        }
        // What was found counts even if a later call failed.
        if !verdict.findings.is_empty() {
            verdict.state = State::Flagged;
        } else if verdict.questions == 0 && verdict.state == State::Passed {
            verdict.state = State::Unchecked(Why::NothingToAsk);
        }
        verdict.took = start.elapsed();
        verdict
    }

    /// Asks, compares, and adds what was found. With `forward`, the questions are the original's, read from the
    /// condensed text.
    async fn ask(&self, verdict: &mut Verdict, read: &str, asked: &[Question], forward: bool) -> Result<(), Why> {
        if asked.is_empty() {
            return Ok(());
        }
        let (answers, cost) = self.call(read, asked).await?;
        verdict.tokens += cost.given + cost.received;
        verdict.questions += asked.len();
        for (question, answer) in asked.iter().zip(answers) {
            let kind = match (compare(question, &answer, read), forward) {
                (Comparison::Same, _) => continue,
                (Comparison::Void, _) => {
                    verdict.false_alarms += 1;
                    continue;
                }
                (Comparison::Other, _) => Kind::Changed,
                (Comparison::None, true) => Kind::Lost,
                (Comparison::None, false) => Kind::Invented,
            };
            // Whether the words are there needs no model: "lost" or "invented" words that stand in the text are a
            // question that the model could not answer.
            if kind != Kind::Changed && has(read, &question.answer) {
                verdict.false_alarms += 1;
                continue;
            }
            verdict.findings.push(Finding { unit: question.unit, kind, quote: question.answer.clone(), answer });
        }
        Ok(())
    }

    async fn call(&self, read: &str, asked: &[Question]) -> Result<(Vec<String>, Cost), Why> {
        let body = protocol::request(&self.model, read, asked);
        let bytes = body.to_string();
        let reserved = Cost {
            given: Encoding::O200k.count(&bytes) as u64,
            received: protocol::longest_answer(asked.len()) as u64,
        };
        let day = day();
        if !self.budget.reserve(reserved, day) {
            return Err(Why::OverBudget);
        }
        let sent = async {
            let _permit = self.calls.acquire().await.map_err(|_| Why::Down)?;
            let mut request = self.client.post(&self.url).header("content-type", "application/json").body(bytes);
            if let Some(key) = &self.key {
                request = request.bearer_auth(key);
            }
            let failed = |error: reqwest::Error| if error.is_timeout() { Why::Slow } else { Why::Down };
            let response = request.send().await.map_err(failed)?;
            if !response.status().is_success() {
                return Err(Why::Down);
            }
            if response.content_length().is_some_and(|length| length > LONGEST_REPLY) {
                return Err(Why::Nonsense);
            }
            bounded(response).await
        };
        let reply = sent.await.and_then(|bytes| serde_json::from_slice::<Reply>(&bytes).map_err(|_| Why::Nonsense));
        let used = reply.as_ref().ok().and_then(|reply| reply.usage);
        let real = match (&reply, used) {
            (_, Some(usage)) => Cost { given: usage.prompt_tokens, received: usage.completion_tokens },
            // What failed on the way there cost nothing; what may have been worked on counts in full.
            (Err(Why::Down), None) => Cost::default(),
            _ => reserved,
        };
        self.budget.settle(reserved, real, day);
        let answers = protocol::answers(&reply?, asked.len()).ok_or(Why::Nonsense)?;
        Ok((answers, real))
    }
}

/// Units whose words are sentences and were changed. Other kinds are brought into another form by code, which invents
/// nothing, and don't read as sentences with gaps.
fn is_checked(unit: &Unit) -> bool {
    unit.decision == Decision::Rewritten && matches!(unit.kind, "prose" | "heading" | "list")
}

/// The body, if it is no longer than an answer may be.
async fn bounded(mut response: reqwest::Response) -> Result<Vec<u8>, Why> {
    let mut bytes = Vec::new();
    loop {
        let chunk = response.chunk().await.map_err(|e| if e.is_timeout() { Why::Slow } else { Why::Down })?;
        let Some(chunk) = chunk else { return Ok(bytes) };
        if bytes.len() + chunk.len() > LONGEST_REPLY as usize {
            return Err(Why::Nonsense);
        }
        bytes.extend_from_slice(&chunk);
    }
}

/// Bytes of the longest reply that is read.
const LONGEST_REPLY: u64 = 1024 * 1024;

/// Most questions about one unit in one direction.
const MOST_A_UNIT: usize = 4;

/// Units that fit into one call, neighbours together so that a pronoun has something to stand for.
fn groups<'u>(units: &'u [(usize, &'u str, &'u str)]) -> Vec<&'u [(usize, &'u str, &'u str)]> {
    let mut groups = Vec::new();
    let (mut start, mut bytes) = (0, 0);
    for (at, unit) in units.iter().enumerate() {
        if at > start && (bytes + unit.1.len() > LONGEST_GROUP || at - start == MOST_UNITS) {
            groups.extend(units.get(start..at));
            (start, bytes) = (at, 0);
        }
        bytes += unit.1.len();
    }
    groups.extend(units.get(start..).filter(|rest| !rest.is_empty()));
    groups
}

/// Bytes of the originals of one call, and their number: what a small model reads well at once.
const LONGEST_GROUP: usize = 2_000;
const MOST_UNITS: usize = 4;

fn joined<'u>(units: &[(usize, &'u str, &'u str)], text: impl Fn(&(usize, &'u str, &'u str)) -> &'u str) -> String {
    units.iter().map(|u| text(u).trim()).collect::<Vec<_>>().join("\n")
}

/// Whether a text has an answer's atoms.
fn has(text: &str, answer: &str) -> bool {
    use crate::compress::atoms::Scan;
    let (text, answer) = (Scan::new(text), Scan::new(answer));
    let words = |key: &str| text.words.iter().any(|w| w.key == key);
    answer.found.iter().filter(|f| f.counts()).all(|f| words(&f.key) || text.found.iter().any(|t| t.key == f.key))
}

/// TLS by rustls with the system's roots.
fn tls() -> Option<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
    Some(builder.with_safe_default_protocol_versions().ok()?.with_root_certificates(roots).with_no_client_auth())
}

/// The number of the day, UTC.
fn day() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs() / (24 * 60 * 60))
}
