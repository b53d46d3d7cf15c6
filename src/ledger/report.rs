//! Reads the file of figures: sums by whatever is asked, and the comparison of the arms.

use std::path::Path;

use rusqlite::{Connection, Row, types::ToSql};
use serde::Serialize;

use super::{
    compare::{Comparison, Conversation, compare},
    figures::Arm,
    store::{StoreError, open_to_read},
};

/// By what figures are summed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum By {
    /// The day, in UTC.
    Day,
    /// The model asked for.
    Model,
    /// The tool whose results they are.
    Tool,
    /// The form that most of a text is of.
    Kind,
    /// The name that the operator gave to a credential.
    Tenant,
    /// Chat completions, Responses, Messages, or what another gateway handed over.
    Surface,
    /// Condensed or left alone.
    Arm,
    /// What was done with the request.
    Outcome,
}

impl By {
    /// All of them.
    pub const ALL: [Self; 8] =
        [Self::Day, Self::Model, Self::Tool, Self::Kind, Self::Tenant, Self::Surface, Self::Arm, Self::Outcome];

    /// The word used at the command line and in reports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Model => "model",
            Self::Tool => "tool",
            Self::Kind => "kind",
            Self::Tenant => "tenant",
            Self::Surface => "surface",
            Self::Arm => "arm",
            Self::Outcome => "outcome",
        }
    }

    /// A request has it as a whole, not each text for itself.
    const fn is_of_request(self) -> bool {
        !matches!(self, Self::Tool | Self::Kind)
    }

    const fn column(self) -> &'static str {
        match self {
            Self::Day => "date(hour * 3600, 'unixepoch')",
            other => other.as_str(),
        }
    }
}

/// What is asked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Query {
    /// From when on, in seconds since 1970; figures are kept by the hour.
    pub since_s: u64,
    /// By what they are summed, in this order.
    pub by: Vec<By>,
}

/// The answer.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// By what the rows are summed.
    pub by: Vec<By>,
    /// Whether the rows sum texts, which have no usage of their own, and not requests.
    pub of_texts: bool,
    /// The rows, in the order of what they are summed by.
    pub rows: Vec<Sums>,
    /// The sum of all requests.
    pub total: Sums,
    /// The arms; `None` where no conversation was left alone.
    pub comparison: Option<Comparison>,
    /// Of when the list prices are by which the last process reckoned; how many the configuration put before them; where
    /// they come from.
    pub prices: Option<(String, u64, String)>,
}

/// Sums of requests, or of texts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Sums {
    /// What they have in common, in the order of what they are summed by.
    pub of: Vec<String>,
    /// Requests.
    pub requests: u64,
    /// Requests whose answer was an error or never came.
    pub failed: u64,
    /// Requests whose answer told of tokens.
    pub told: u64,
    /// Of these, those of a model that has a price.
    pub priced: u64,
    /// Requests that fit their model's context only because they were condensed.
    pub beyond: u64,
    /// Tokens of prompts, as the provider reports them.
    pub prompt: u64,
    /// Of these, read from its cache.
    pub cached: u64,
    /// Of these, written to its cache.
    pub written: u64,
    /// Tokens of answers.
    pub completion: u64,
    /// Tokens of prompts as they are billed.
    pub billed: u64,
    /// Texts considered.
    pub texts: u64,
    /// Texts condensed.
    pub condensed: u64,
    /// Target tokens of the texts considered, as they came.
    pub before: u64,
    /// The same as they went on.
    pub after: u64,
    /// What the requests cost, in billionths of a dollar.
    pub paid_nano: i64,
    /// What the tokens left out would have cost besides.
    pub saved_nano: i64,
    /// Tokens of prompts whose model has no price.
    pub unpriced_prompt: u64,
    /// Reads of originals: how often the model needed what had been left out.
    pub reads: u64,
    /// Requests that were sent for the results of reads alone.
    pub read_turns: u64,
    /// Target tokens of the results of reads, and of their calls, in all requests in which they stand.
    pub read_tokens: u64,
    /// What of the cost was for reading again.
    pub read_nano: i64,
}

impl Sums {
    /// What is left of what was saved, after what was read again.
    #[must_use]
    pub const fn net_nano(&self) -> i64 {
        self.saved_nano - self.read_nano
    }

    /// The share of the bill that was saved, after what was read again, in per cent; `None` where there is none.
    #[must_use]
    pub fn saved_share(&self) -> Option<f64> {
        let whole = self.paid_nano.saturating_add(self.net_nano());
        (whole > 0).then(|| self.net_nano() as f64 * 100.0 / whole as f64)
    }
}

/// Reads the answer from a file.
///
/// # Errors
/// When it is not there, or no file of figures.
pub fn read(path: &Path, query: &Query) -> Result<Report, StoreError> {
    let (database, has_reads) = open_to_read(path)?;
    let hour = i64::try_from(query.since_s / 3600).unwrap_or(i64::MAX);
    let of_texts = !query.by.iter().all(|by| by.is_of_request());
    let requests = if has_reads { REQUESTS } else { without_reads(REQUESTS) };
    let table = if of_texts { TEXTS } else { requests };
    let by: Vec<By> = query.by.iter().copied().filter(|by| !(of_texts && *by == By::Outcome)).collect();
    let rows = sums(&database, table, &by, hour)?;
    let mut total = sums(&database, requests, &[], hour)?.pop().unwrap_or_default();
    if let Some(texts) = sums(&database, TEXTS, &[], hour)?.pop() {
        (total.texts, total.condensed) = (texts.texts, texts.condensed);
    }
    let conversations = conversations(&database, query.since_s)?;
    let held = conversations.iter().any(|one| one.arm == Arm::HeldOut);
    let comparison = held.then(|| compare(&conversations));
    Ok(Report { by, of_texts, rows, total, comparison, prices: prices(&database)? })
}

/// A table, and what of it is summed: in the order of [`Sums`], with nothing for what it does not have.
type Table = (&'static str, [&'static str; 21]);

const REQUESTS: Table = (
    "requests",
    [
        "requests",
        "failed",
        "told",
        "priced",
        "beyond",
        "prompt",
        "cached",
        "written",
        "completion",
        "billed",
        "0",
        "0",
        "before",
        "after",
        "paid_nano",
        "saved_nano",
        "unpriced_prompt",
        "reads",
        "read_turns",
        "read_tokens",
        "read_nano",
    ],
);

/// The same table where reads were not counted yet.
fn without_reads((table, mut columns): Table) -> Table {
    for column in &mut columns {
        if column.starts_with("read") {
            *column = "0";
        }
    }
    (table, columns)
}

const TEXTS: Table = (
    "texts",
    [
        "0",
        "0",
        "0",
        "0",
        "0",
        "0",
        "0",
        "0",
        "0",
        "0",
        "texts",
        "condensed",
        "before",
        "after",
        "0",
        "saved_nano",
        "0",
        "0",
        "0",
        "0",
        "0",
    ],
);

fn sums(database: &Connection, (table, columns): Table, by: &[By], hour: i64) -> rusqlite::Result<Vec<Sums>> {
    // Every word of it is from a list of ours.
    let of: Vec<&str> = by.iter().map(|by| by.column()).collect();
    let summed = columns.iter().map(|column| format!("coalesce(sum({column}), 0)"));
    let selected: Vec<String> = of.iter().map(|column| (*column).to_owned()).chain(summed).collect();
    let grouped = match of.as_slice() {
        [] => String::new(),
        of => format!("GROUP BY {0} ORDER BY {0}", of.join(", ")),
    };
    let sql = format!("SELECT {} FROM {table} WHERE hour >= ?1 {grouped}", selected.join(", "));
    let mut statement = database.prepare(&sql)?;
    let rows = statement.query_map([&hour as &dyn ToSql], |row| read_sums(row, by.len()))?;
    rows.collect()
}

fn read_sums(row: &Row<'_>, by: usize) -> rusqlite::Result<Sums> {
    let number = |at: usize| row.get::<_, i64>(by + at);
    let count = |at: usize| number(at).map(|number| u64::try_from(number).unwrap_or_default());
    Ok(Sums {
        of: (0..by).map(|at| row.get(at)).collect::<Result<_, _>>()?,
        requests: count(0)?,
        failed: count(1)?,
        told: count(2)?,
        priced: count(3)?,
        beyond: count(4)?,
        prompt: count(5)?,
        cached: count(6)?,
        written: count(7)?,
        completion: count(8)?,
        billed: count(9)?,
        texts: count(10)?,
        condensed: count(11)?,
        before: count(12)?,
        after: count(13)?,
        paid_nano: number(14)?,
        saved_nano: number(15)?,
        unpriced_prompt: count(16)?,
        reads: count(17)?,
        read_turns: count(18)?,
        read_tokens: count(19)?,
        read_nano: number(20)?,
    })
}

/// The conversations that can be compared, the latest first.
fn conversations(database: &Connection, since_s: u64) -> rusqlite::Result<Vec<Conversation>> {
    let sql = "SELECT arm, turns, retries, told, priced, prompt, cached, billed, paid_nano FROM conversations \
               WHERE eligible AND begun_s >= ?1 ORDER BY begun_s DESC, id LIMIT ?2";
    let mut statement = database.prepare(sql)?;
    let since = i64::try_from(since_s).unwrap_or(i64::MAX);
    let rows = statement.query_map([since, COMPARED], |row| {
        let count = |at: usize| row.get::<_, i64>(at).map(|number| u64::try_from(number).unwrap_or_default());
        let held_out = row.get::<_, String>(0)? == Arm::HeldOut.as_str();
        Ok(Conversation {
            arm: if held_out { Arm::HeldOut } else { Arm::Condensed },
            turns: count(1)?,
            retries: count(2)?,
            told: count(3)?,
            priced: count(4)?,
            prompt: count(5)?,
            cached: count(6)?,
            billed: count(7)?,
            paid_nano: row.get(8)?,
        })
    })?;
    rows.collect()
}

/// What the writing process noted of its prices.
fn prices(database: &Connection) -> rusqlite::Result<Option<(String, u64, String)>> {
    let mut statement = database.prepare("SELECT value FROM meta WHERE key = 'prices'")?;
    let noted: Option<String> = statement.query_map([], |row| row.get(0))?.next().transpose()?;
    Ok(noted.and_then(|noted| {
        let mut parts = noted.split('\t').map(str::to_owned);
        Some((parts.next()?, parts.next()?.parse().ok()?, parts.next()?))
    }))
}

/// Conversations compared at most.
const COMPARED: i64 = 200_000;
