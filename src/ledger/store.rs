//! The file of figures: an SQLite database.
//!
//! SQLite, because several processes write one file and others read it meanwhile, none waits long for another, a crash
//! leaves what was committed, and every operator has a program to look into it (`sqlite3 ledger.sqlite`). An engine in
//! Rust, such as redb, is held by one process alone. Sums are kept by the hour and not a row for each request, so the
//! file stays small whatever the traffic; conversations have a row each, for the comparison of arms.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, Read as _},
    path::Path,
    sync::Arc,
    time::Duration,
};

use rusqlite::{Connection, OpenFlags, ToSql, Transaction, TransactionBehavior, params};

use crate::private;

use super::figures::{Figures, Texts, Turn};

/// Why the file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// It is something else, which must not be overwritten.
    #[error("it is there already and is no file of figures: name another one, or move it away")]
    Foreign,
    /// A later version has written it.
    #[error("a later version of headroom has written it")]
    Later,
    /// The file system refuses.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The database refuses.
    #[error(transparent)]
    Database(#[from] rusqlite::Error),
}

/// The file, open to be written.
#[derive(Debug)]
pub(super) struct Store(Connection);

impl Store {
    /// Opens the file, and makes it if it is missing; its folder is for the user's eyes alone where it is `own`.
    pub(super) fn open(path: &Path, own: bool) -> Result<Self, StoreError> {
        private::folder_of(path, own)?;
        refuse_foreign(path)?;
        private::options().append(true).create(true).open(path)?;
        let mut database = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE | QUIET)?;
        database.busy_timeout(PATIENCE)?;
        let setup = database.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let version: i64 = setup.pragma_query_value(None, "user_version", |row| row.get(0))?;
        match version {
            0 => setup.execute_batch(SCHEMA)?,
            1 => setup.execute_batch(READS)?,
            VERSION => {}
            _ => return Err(StoreError::Later),
        }
        setup.commit()?;
        // After the first commit, so that what says whose the file is stands in the file itself.
        database.pragma_update(None, "journal_mode", "WAL")?;
        // A crash of the machine may cost the last commits, and never the file.
        database.pragma_update(None, "synchronous", "NORMAL")?;
        Ok(Self(database))
    }

    /// Adds the figures of some requests, all or none.
    pub(super) fn add(&mut self, all: &[Figures]) -> Result<(), StoreError> {
        let write = self.0.transaction_with_behavior(TransactionBehavior::Immediate)?;
        requests(&write, all)?;
        texts(&write, all)?;
        for figures in all {
            if let Some(turn) = &figures.turn {
                conversation(&write, figures, turn)?;
            }
        }
        write.commit()?;
        Ok(())
    }

    /// Notes which prices are in effect.
    pub(super) fn note_prices(&mut self, told: &str) -> Result<(), StoreError> {
        let sql = "INSERT INTO meta VALUES ('prices', ?1) ON CONFLICT DO UPDATE SET value = excluded.value";
        self.0.execute(sql, [told])?;
        Ok(())
    }

    /// Forgets what is older than so many seconds since 1970, and what is too much.
    pub(super) fn forget(&mut self, before_s: u64) -> Result<(), StoreError> {
        let before = whole(before_s);
        let write = self.0.transaction_with_behavior(TransactionBehavior::Immediate)?;
        write.execute("DELETE FROM requests WHERE hour < ?1", [before / 3600])?;
        write.execute("DELETE FROM texts WHERE hour < ?1", [before / 3600])?;
        write.execute("DELETE FROM conversations WHERE last_s < ?1", [before])?;
        for table in ["requests", "texts"] {
            // The oldest hours go first, a whole one at a time.
            let sql = format!(
                "DELETE FROM {table} WHERE hour <= (SELECT hour FROM {table} ORDER BY hour DESC LIMIT 1 OFFSET {MOST})"
            );
            write.execute(&sql, [])?;
        }
        let sql = format!(
            "DELETE FROM conversations WHERE last_s <= \
             (SELECT last_s FROM conversations ORDER BY last_s DESC LIMIT 1 OFFSET {MOST})"
        );
        write.execute(&sql, [])?;
        write.commit()?;
        Ok(())
    }
}

/// Opens the file to be read; tells whether it has figures of reads, which the first version did not keep.
pub(super) fn open_to_read(path: &Path) -> Result<(Connection, bool), StoreError> {
    fs::metadata(path)?;
    refuse_foreign(path)?;
    let database = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY | QUIET)?;
    database.busy_timeout(PATIENCE)?;
    let version: i64 = database.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if version > VERSION { Err(StoreError::Later) } else { Ok((database, version > 1)) }
}

/// No URIs, and no mutex of SQLite's own: a connection stays with its thread.
const QUIET: OpenFlags = OpenFlags::SQLITE_OPEN_NO_MUTEX;

/// Whose requests are summed up together.
type Group<'a> = (i64, &'static str, &'a str, &'a str, &'static str);

fn group(figures: &Figures) -> Group<'_> {
    (hour(figures), figures.surface, &figures.model, &figures.tenant, arm(figures))
}

fn requests(write: &Transaction<'_>, all: &[Figures]) -> rusqlite::Result<()> {
    let sql = "INSERT INTO requests VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, \
               ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25) ON CONFLICT DO UPDATE SET \
               requests = requests + excluded.requests, failed = failed + excluded.failed, \
               told = told + excluded.told, priced = priced + excluded.priced, beyond = beyond + excluded.beyond, \
               prompt = prompt + excluded.prompt, cached = cached + excluded.cached, \
               written = written + excluded.written, completion = completion + excluded.completion, \
               billed = billed + excluded.billed, before = before + excluded.before, after = after + excluded.after, \
               paid_nano = paid_nano + excluded.paid_nano, saved_nano = saved_nano + excluded.saved_nano, \
               unpriced_prompt = unpriced_prompt + excluded.unpriced_prompt, reads = reads + excluded.reads, \
               read_turns = read_turns + excluded.read_turns, read_tokens = read_tokens + excluded.read_tokens, \
               read_nano = read_nano + excluded.read_nano";
    let row = |figures| ((group(figures), figures.outcome), sums(figures));
    for (((hour, surface, model, tenant, arm), outcome), sums) in summed(all.iter().map(row)) {
        upsert(write, sql, &[&hour, &surface, &model, &tenant, &arm, &outcome], &sums)?;
    }
    Ok(())
}

/// What one request adds to each sum, in the order of the columns.
fn sums(figures: &Figures) -> [i64; 19] {
    let usage = figures.usage.unwrap_or_default();
    let money = figures.money.unwrap_or_default();
    let (before, after) = figures.tokens();
    [
        1,
        figures.failed.into(),
        figures.usage.is_some().into(),
        figures.money.is_some().into(),
        figures.beyond_context.into(),
        whole(usage.prompt),
        whole(usage.cached),
        whole(usage.written),
        whole(usage.completion),
        whole(figures.billed.unwrap_or_default()),
        whole(before),
        whole(after),
        money.paid_nano,
        money.saved_nano,
        if figures.money.is_some() { 0 } else { whole(usage.prompt) },
        whole(figures.reads.reads),
        figures.reads.turn.into(),
        whole(figures.reads.tokens),
        money.read_nano,
    ]
}

fn texts(write: &Transaction<'_>, all: &[Figures]) -> rusqlite::Result<()> {
    let sql = "INSERT INTO texts VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12) ON CONFLICT DO UPDATE SET \
               texts = texts + excluded.texts, condensed = condensed + excluded.condensed, \
               before = before + excluded.before, after = after + excluded.after, \
               saved_nano = saved_nano + excluded.saved_nano";
    let of_all = all.iter().flat_map(|figures| {
        let row = move |texts: &Texts| ((group(figures), Arc::clone(&texts.tool), texts.kind), sums_of_texts(texts));
        figures.texts.iter().map(row)
    });
    for (((hour, surface, model, tenant, arm), tool, kind), sums) in summed(of_all) {
        upsert(write, sql, &[&hour, &surface, &model, &tenant, &arm, &&*tool, &kind], &sums)?;
    }
    Ok(())
}

fn sums_of_texts(texts: &Texts) -> [i64; 5] {
    let Texts { texts, condensed, before, after, saved_nano, .. } = texts;
    [whole(*texts), whole(*condensed), whole(*before), whole(*after), *saved_nano]
}

/// Rows with what they have in common, summed up: to write one costs as much as a good part of a short request.
fn summed<K: Ord, const N: usize>(rows: impl Iterator<Item = (K, [i64; N])>) -> BTreeMap<K, [i64; N]> {
    let mut all = BTreeMap::new();
    for (key, row) in rows {
        let sums = all.entry(key).or_insert([0_i64; N]);
        sums.iter_mut().zip(row).for_each(|(sum, more)| *sum = sum.saturating_add(more));
    }
    all
}

fn upsert(write: &Transaction<'_>, sql: &str, key: &[&dyn ToSql], sums: &[i64]) -> rusqlite::Result<()> {
    let sums = sums.iter().map(|sum| sum as &dyn ToSql);
    let row: Vec<&dyn ToSql> = key.iter().copied().chain(sums).collect();
    write.prepare_cached(sql)?.execute(&*row)?;
    Ok(())
}

fn conversation(write: &Transaction<'_>, figures: &Figures, turn: &Turn) -> rusqlite::Result<()> {
    let usage = figures.usage.unwrap_or_default();
    let now = whole(figures.at_s);
    write
        .prepare_cached(
            "INSERT INTO conversations VALUES (?1, ?2, ?3, ?3, ?4, 1, 0, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13) \
             ON CONFLICT DO UPDATE SET last_s = max(last_s, excluded.last_s), \
             eligible = max(eligible, excluded.eligible), turns = turns + (said <> excluded.said), \
             retries = retries + (said = excluded.said), failed = failed + excluded.failed, said = excluded.said, \
             told = told + excluded.told, priced = priced + excluded.priced, prompt = prompt + excluded.prompt, \
             cached = cached + excluded.cached, completion = completion + excluded.completion, \
             billed = billed + excluded.billed, paid_nano = paid_nano + excluded.paid_nano",
        )?
        .execute(params![
            turn.conversation,
            arm(figures),
            now,
            turn.eligible,
            figures.failed,
            turn.said,
            figures.usage.is_some(),
            figures.money.is_some(),
            whole(usage.prompt),
            whole(usage.cached),
            whole(usage.completion),
            whole(figures.billed.unwrap_or_default()),
            figures.money.unwrap_or_default().paid_nano,
        ])?;
    Ok(())
}

fn hour(figures: &Figures) -> i64 {
    whole(figures.at_s / 3600)
}

fn arm(figures: &Figures) -> &'static str {
    figures.arm.map_or("", super::figures::Arm::as_str)
}

/// SQLite's numbers have a sign.
fn whole(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// Refuses what is not ours, so that it is never written to. Where SQLite keeps whose a file is:
/// <https://sqlite.org/fileformat2.html#the_database_header>.
pub(super) fn refuse_foreign(path: &Path) -> Result<(), StoreError> {
    let mut head = Vec::new();
    match File::open(path) {
        Ok(file) => drop(file.take(72).read_to_end(&mut head)?),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error.into()),
    }
    let ours = head.starts_with(b"SQLite format 3\0") && head.get(68..72) == Some(&APPLICATION.to_be_bytes());
    if ours || head.is_empty() { Ok(()) } else { Err(StoreError::Foreign) }
}

/// The longest wait for another process that writes; only the writing thread waits.
const PATIENCE: Duration = Duration::from_secs(5);

/// Rows of one table at most.
const MOST: u32 = 500_000;

/// Rises with the schema.
const VERSION: i64 = 2;

/// Says that a database is ours: "hdrm".
const APPLICATION: i32 = 0x6864_726d;

/// Whatever is summed is an integer, so sums are exact in any order.
const SCHEMA: &str = "
PRAGMA application_id = 0x6864726d;
PRAGMA user_version = 2;
CREATE TABLE requests (
    hour INTEGER NOT NULL, surface TEXT NOT NULL, model TEXT NOT NULL, tenant TEXT NOT NULL, arm TEXT NOT NULL,
    outcome TEXT NOT NULL, requests INTEGER NOT NULL, failed INTEGER NOT NULL, told INTEGER NOT NULL,
    priced INTEGER NOT NULL, beyond INTEGER NOT NULL, prompt INTEGER NOT NULL, cached INTEGER NOT NULL,
    written INTEGER NOT NULL, completion INTEGER NOT NULL, billed INTEGER NOT NULL, before INTEGER NOT NULL,
    after INTEGER NOT NULL, paid_nano INTEGER NOT NULL, saved_nano INTEGER NOT NULL, unpriced_prompt INTEGER NOT NULL,
    reads INTEGER NOT NULL DEFAULT 0, read_turns INTEGER NOT NULL DEFAULT 0, read_tokens INTEGER NOT NULL DEFAULT 0,
    read_nano INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (hour, surface, model, tenant, arm, outcome)) WITHOUT ROWID;
CREATE TABLE texts (
    hour INTEGER NOT NULL, surface TEXT NOT NULL, model TEXT NOT NULL, tenant TEXT NOT NULL, arm TEXT NOT NULL,
    tool TEXT NOT NULL, kind TEXT NOT NULL, texts INTEGER NOT NULL, condensed INTEGER NOT NULL,
    before INTEGER NOT NULL, after INTEGER NOT NULL, saved_nano INTEGER NOT NULL,
    PRIMARY KEY (hour, surface, model, tenant, arm, tool, kind)) WITHOUT ROWID;
CREATE TABLE conversations (
    id BLOB NOT NULL PRIMARY KEY, arm TEXT NOT NULL, begun_s INTEGER NOT NULL, last_s INTEGER NOT NULL,
    eligible INTEGER NOT NULL, turns INTEGER NOT NULL, retries INTEGER NOT NULL, failed INTEGER NOT NULL,
    said BLOB NOT NULL, told INTEGER NOT NULL, priced INTEGER NOT NULL, prompt INTEGER NOT NULL,
    cached INTEGER NOT NULL, completion INTEGER NOT NULL, billed INTEGER NOT NULL,
    paid_nano INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX conversations_by_age ON conversations (last_s);
CREATE TABLE meta (key TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
";

/// Makes a file of the first version one of this.
const READS: &str = "
PRAGMA user_version = 2;
ALTER TABLE requests ADD COLUMN reads INTEGER NOT NULL DEFAULT 0;
ALTER TABLE requests ADD COLUMN read_turns INTEGER NOT NULL DEFAULT 0;
ALTER TABLE requests ADD COLUMN read_tokens INTEGER NOT NULL DEFAULT 0;
ALTER TABLE requests ADD COLUMN read_nano INTEGER NOT NULL DEFAULT 0;
";

#[cfg(test)]
mod tests;
