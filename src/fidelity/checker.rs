//! Asks the model and compares: one text, one verdict.

use std::{
    ops::Range,
    sync::Arc,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use rustls::{ClientConfig, RootCertStore, crypto::ring};
use tokio::sync::Semaphore;

use super::{
    Config, Finding, Kind, State, Verdict, Why,
    answer::{Comparison, compare},
    budget::{Budget, Cost},
    protocol::{self, Reply},
    question::{Question, claims, losses},
};
use crate::{
    compress::{Condensation, CountTokens as _, Decision, Encoding, Form, Level, Unit, guard::plain},
    setting::Invalid,
    via,
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
        let wrong = || Invalid::url("base_url", &config.base_url, "a URL that a client can be made for");
        let client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(Duration::from_millis(config.timeout_ms))
            .tls_backend_preconfigured(tls().ok_or_else(wrong)?);
        let client = on_its_way(client, config)?.build().map_err(|_| wrong())?;
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
    /// With `losses`, any fact of a rewritten unit that the condensed text doesn't give is a finding; without, as for a
    /// caller who asked for a fixed ratio and so expects losses, only that of a word that turns the statement.
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
    pub async fn units(&self, units: &[(usize, &str, &str)], every_loss: bool) -> Verdict {
        let start = Instant::now();
        // What binds or allows in the same way reads alike.
        let plain: Vec<_> = units.iter().map(|unit| (unit.0, plain(unit.1), plain(unit.2))).collect();
        let units: Vec<(usize, &str, &str)> = plain.iter().map(|(at, old, new)| (*at, &**old, &**new)).collect();
        let units = units.as_slice();
        let mut verdict = Verdict { state: State::Passed, ..Verdict::unchecked(Why::NothingToAsk, Level::Full) };
        let mut claimed = Vec::new();
        let mut lost = Vec::new();
        for (unit, original, condensed) in units {
            let (doubtful, sure) = claims(*unit, original, condensed);
            verdict.sure += sure;
            claimed.extend(doubtful);
            lost.extend(losses(*unit, original, condensed, every_loss));
        }
        // The claims of the condensed text, read from the original; then the facts that it lost, looked for in it.
        let claimed = most_doubtful(claimed, self.most);
        let left = self.most - claimed.len();
        let asked = match self.ask(&mut verdict, units, &claimed, false).await {
            Ok(()) => {
                lost.retain(|question| !verdict.findings.iter().any(|finding| finding.unit == question.unit));
                self.ask(&mut verdict, units, &most_doubtful(lost, left), true).await
            }
            failed => failed,
        };
        // What was found counts even if a later call failed.
        verdict.state = match asked {
            _ if !verdict.findings.is_empty() => State::Flagged,
            Err(why) => State::Unchecked(why),
            Ok(()) if verdict.questions + verdict.sure == 0 => State::Unchecked(Why::NothingToAsk),
            Ok(()) => State::Passed,
        };
        verdict.took = start.elapsed();
        verdict
    }

    /// Asks a few questions a call, compares, and adds what was found. With `forward`, the questions are the originals',
    /// read from the condensed texts.
    async fn ask(
        &self,
        verdict: &mut Verdict,
        units: &[(usize, &str, &str)],
        questions: &[Question],
        forward: bool,
    ) -> Result<(), Why> {
        for (read, asked) in calls(units, questions, forward) {
            let (answers, cost) = self.call(&read, asked).await?;
            verdict.tokens += cost.given + cost.received;
            verdict.questions += asked.len();
            for (question, answer) in asked.iter().zip(answers) {
                let kind = match (compare(question, &answer, &read), forward) {
                    (Comparison::Same, _) => continue,
                    (Comparison::Void, _) => {
                        verdict.false_alarms += 1;
                        continue;
                    }
                    (Comparison::Other, _) => Kind::Changed,
                    (Comparison::None, true) => Kind::Lost,
                    (Comparison::None, false) => Kind::Invented,
                };
                verdict.findings.push(Finding { unit: question.unit, kind, quote: question.answer.clone(), answer });
            }
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
    unit.decision == Decision::Rewritten && unit.form == Form::Prose
}

/// The body, if it is no longer than an answer may be.
/// With the proxy that stands on the way, if there is one.
fn on_its_way(client: reqwest::ClientBuilder, config: &Config) -> Result<reqwest::ClientBuilder, Invalid> {
    let host = reqwest::Url::parse(&config.base_url).ok().and_then(|url| url.host_str().map(str::to_owned));
    match config.via.as_str() {
        via::ENVIRONMENT if !host.is_some_and(|host| via::is_here(&host)) => Ok(client),
        via::ENVIRONMENT | via::DIRECT => Ok(client.no_proxy()),
        url => {
            let proxy = reqwest::Proxy::all(url).map_err(|_| Invalid::url("via", url, via::FORM))?;
            Ok(client.no_proxy().proxy(proxy))
        }
    }
}

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

/// At most so many questions, those with the most doubt, in the order of the text.
fn most_doubtful(mut questions: Vec<Question>, most: usize) -> Vec<Question> {
    questions.sort_by(|a, b| a.fit.total_cmp(&b.fit));
    let mut kept: Vec<Question> = Vec::new();
    for question in questions {
        if kept.len() < most && kept.iter().filter(|q| q.unit == question.unit).count() < MOST_A_UNIT {
            kept.push(question);
        }
    }
    kept.sort_by_key(|question| question.unit);
    kept
}

/// Most questions about one unit in one direction.
const MOST_A_UNIT: usize = 3;

/// Questions that go into one call, with the text to read: neighbours together, as much as a small model reads well.
fn calls<'q>(units: &[(usize, &str, &str)], questions: &'q [Question], forward: bool) -> Vec<(String, &'q [Question])> {
    let text_of = |question: &Question| {
        let unit = units.iter().find(|unit| unit.0 == question.unit);
        unit.map_or("", |unit| if forward { unit.2 } else { unit.1 }).trim()
    };
    let mut calls: Vec<(String, Range<usize>)> = Vec::new();
    for (at, question) in questions.iter().enumerate() {
        let text = text_of(question);
        let known = at > 0 && questions.get(at - 1).is_some_and(|before| before.unit == question.unit);
        match calls.last_mut() {
            Some((read, asked)) if asked.len() < MOST_A_CALL && (known || read.len() + text.len() <= LONGEST_READ) => {
                if !known {
                    read.push('\n');
                    read.push_str(text);
                }
                asked.end = at + 1;
            }
            _ => calls.push((text.to_owned(), at..at + 1)),
        }
    }
    calls.into_iter().filter_map(|(read, asked)| Some((read, questions.get(asked)?))).collect()
}

/// Bytes of the texts of one call, and its questions.
const LONGEST_READ: usize = 1_200;
const MOST_A_CALL: usize = 4;

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
