//! Where originals lie: a database that only holds what is sealed, and of whose it is no more than which are one owner's.
//!
//! Without a file it is a temporary one of SQLite's own, which is gone with the process, however that ends.

use std::{io, path::Path, time::Duration};

use rusqlite::{Connection, OpenFlags, OptionalExtension as _, TransactionBehavior, params};

use super::key::Owner;
use crate::{compress::OriginalId, private};

/// Why the file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// It is something else, which must not be overwritten, or of a later version.
    #[error("it is there already and is no file of originals that this version reads: move it away")]
    Foreign,
    /// The file system refuses.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The database refuses.
    #[error(transparent)]
    Database(#[from] rusqlite::Error),
}

/// The database.
#[derive(Debug)]
pub(super) struct Store(Connection);

impl Store {
    /// Opens a file, and makes it if it is missing; without one, what is kept ends with the process.
    pub(super) fn open(path: Option<&Path>) -> Result<Self, StoreError> {
        let mut database = match path {
            // The empty name is SQLite's for a temporary file: <https://sqlite.org/inmemorydb.html#temp_db>.
            None => Connection::open("")?,
            Some(path) => {
                private::folder_of(path, false)?;
                private::options().append(true).create(true).open(path)?;
                Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX)?
            }
        };
        database.busy_timeout(PATIENCE)?;
        let setup = database.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let pragma = |name| setup.pragma_query_value::<i64, _>(None, name, |row| row.get(0));
        let (application, version) = (pragma("application_id")?, pragma("user_version")?);
        let tables: i64 = setup.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
        match (application, version, tables) {
            (0, 0, 0) => setup.execute_batch(SCHEMA)?,
            (APPLICATION, VERSION, _) => {}
            _ => return Err(StoreError::Foreign),
        }
        setup.commit()?;
        if path.is_some() {
            // While another process starts, it may be refused; then that one does it.
            let _ = database.pragma_update(None, "journal_mode", "WAL");
        }
        // A crash of the machine may cost the last commits, and never the file.
        database.pragma_update(None, "synchronous", "NORMAL")?;
        // What is evicted is overwritten, not only forgotten.
        database.pragma_update(None, "secure_delete", true)?;
        Ok(Self(database))
    }

    /// Whether an original is there; if so, it was used now.
    pub(super) fn touch(&self, owner: Owner, id: OriginalId, now_s: i64) -> Result<bool, StoreError> {
        let sql = "UPDATE originals SET used_s = ?3 WHERE owner = ?1 AND id = ?2";
        Ok(self.0.prepare_cached(sql)?.execute(params![owner, signed(id), now_s])? > 0)
    }

    /// Adds an original.
    pub(super) fn add(&self, owner: Owner, id: OriginalId, sealed: &[u8], now_s: i64) -> Result<(), StoreError> {
        let sql = "INSERT OR REPLACE INTO originals VALUES (?1, ?2, ?3, ?4, ?5)";
        let bytes = i64::try_from(sealed.len()).unwrap_or(i64::MAX);
        self.0.prepare_cached(sql)?.execute(params![owner, signed(id), now_s, bytes, sealed])?;
        Ok(())
    }

    /// The sealed original of this name, of this owner or, without one, of any, used since then.
    pub(super) fn find(
        &self,
        owner: Option<Owner>,
        id: OriginalId,
        since_s: i64,
    ) -> Result<Option<(Owner, Vec<u8>)>, StoreError> {
        let sql = "SELECT owner, sealed FROM originals WHERE id = ?2 AND used_s >= ?3 AND (?1 IS NULL OR owner = ?1)";
        let row = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?));
        Ok(self.0.prepare_cached(sql)?.query_row(params![owner, signed(id), since_s], row).optional()?)
    }

    /// Forgets what was used before then.
    pub(super) fn forget(&self, before_s: i64) -> Result<(), StoreError> {
        self.0.execute("DELETE FROM originals WHERE used_s < ?1", [before_s])?;
        Ok(())
    }

    /// Forgets what was used longest ago, until no owner has more than this many bytes, and all together no more than
    /// that; how many went.
    pub(super) fn fit(&self, each: i64, all: i64) -> Result<usize, StoreError> {
        // The sum of what is as new or newer: past the limit, the rest goes.
        let sum = |by: &str| {
            format!(
                "DELETE FROM originals WHERE rowid IN (SELECT of FROM (SELECT rowid AS of, sum(bytes) OVER ({by} ORDER \
                 BY used_s DESC, rowid DESC) AS newer FROM originals) WHERE newer > ?1)"
            )
        };
        let of_one = "SELECT 1 FROM originals GROUP BY owner HAVING sum(bytes) > ?1 LIMIT 1";
        let over = |sql: &str, most: i64| self.0.prepare_cached(sql)?.exists([most]);
        let mut gone = 0;
        if over(of_one, each)? {
            gone += self.0.execute(&sum("PARTITION BY owner"), [each])?;
        }
        if over("SELECT 1 WHERE (SELECT sum(bytes) FROM originals) > ?1", all)? {
            gone += self.0.execute(&sum(""), [all])?;
        }
        Ok(gone)
    }

    /// Does several things at once, or none.
    pub(super) fn together(&mut self, work: impl FnOnce(&Self) -> Result<(), StoreError>) -> Result<(), StoreError> {
        self.0.execute_batch("BEGIN IMMEDIATE")?;
        let done = work(self).and_then(|()| Ok(self.0.execute_batch("COMMIT")?));
        if done.is_err() {
            let _ = self.0.execute_batch("ROLLBACK");
        }
        done
    }

    /// Originals and their bytes.
    pub(super) fn size(&self) -> Result<(u64, u64), StoreError> {
        let row =
            |row: &rusqlite::Row<'_>| Ok((row.get::<_, i64>(0)?.unsigned_abs(), row.get::<_, i64>(1)?.unsigned_abs()));
        Ok(self.0.query_row("SELECT count(*), coalesce(sum(bytes), 0) FROM originals", [], row)?)
    }
}

/// SQLite's numbers have a sign, which a name leaves free.
fn signed(id: OriginalId) -> i64 {
    i64::try_from(id.number()).unwrap_or(i64::MAX)
}

/// The longest wait for another process that writes; only the keeping thread waits.
const PATIENCE: Duration = Duration::from_secs(5);

/// Rises with the schema.
const VERSION: i64 = 1;

/// Says that a database is ours: "hdro".
const APPLICATION: i64 = 0x6864_726f;

const SCHEMA: &str = "
PRAGMA application_id = 0x6864726f;
PRAGMA user_version = 1;
CREATE TABLE originals (
    owner BLOB NOT NULL, id INTEGER NOT NULL, used_s INTEGER NOT NULL, bytes INTEGER NOT NULL, sealed BLOB NOT NULL,
    UNIQUE (id, owner));
CREATE INDEX originals_by_age ON originals (owner, used_s, bytes);
";

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: Owner = [1; 16];
    const TWO: Owner = [2; 16];

    fn there(store: &Store, owner: Owner) -> Vec<u64> {
        (0..20).filter(|id| store.find(Some(owner), OriginalId::new(*id), 0).unwrap().is_some()).collect()
    }

    #[test]
    fn what_was_used_longest_ago_goes_first_of_each_owner_and_of_all() {
        let store = Store::open(None).unwrap();
        for id in 0..6 {
            store.add(ONE, OriginalId::new(id), &[0; 100], id as i64).unwrap();
        }
        store.add(TWO, OriginalId::new(9), &[0; 100], 0).unwrap();
        assert!(store.touch(ONE, OriginalId::new(0), 10).unwrap());
        assert_eq!(store.fit(300, 10_000).unwrap(), 3);
        assert_eq!((there(&store, ONE), there(&store, TWO)), (vec![0, 4, 5], vec![9]), "another's load costs nobody");
        assert_eq!(store.fit(300, 300).unwrap(), 1);
        assert_eq!((there(&store, ONE), there(&store, TWO)), (vec![0, 4, 5], vec![]));
        assert_eq!((store.fit(300, 300).unwrap(), store.size().unwrap()), (0, (3, 300)));
        store.forget(5).unwrap();
        assert_eq!(there(&store, ONE), [0, 5]);
        assert!(!store.touch(ONE, OriginalId::new(4), 10).unwrap());
    }

    #[test]
    fn what_is_too_old_is_not_found_before_it_is_forgotten() {
        let store = Store::open(None).unwrap();
        store.add(ONE, OriginalId::new(1), b"x", 10).unwrap();
        assert!(store.find(Some(ONE), OriginalId::new(1), 10).unwrap().is_some());
        assert!(store.find(Some(ONE), OriginalId::new(1), 11).unwrap().is_none());
        assert!(store.find(Some(TWO), OriginalId::new(1), 0).unwrap().is_none());
        assert_eq!(store.find(None, OriginalId::new(1), 0).unwrap(), Some((ONE, b"x".to_vec())));
    }

    #[test]
    fn a_file_of_something_else_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("originals.sqlite");
        Connection::open(&path).unwrap().execute_batch("CREATE TABLE notes (text TEXT)").unwrap();
        assert!(matches!(Store::open(Some(&path)), Err(StoreError::Foreign)));
        std::fs::write(&path, "somebody's notes").unwrap();
        assert!(Store::open(Some(&path)).is_err());
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "somebody's notes");
    }

    #[test]
    fn processes_that_share_a_file_find_what_the_others_keep() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("originals.sqlite");
        std::thread::scope(|scope| {
            for process in 0..4 {
                let path = &path;
                scope.spawn(move || {
                    let mut store = Store::open(Some(path)).unwrap();
                    for id in 0..5 {
                        store.together(|store| store.add(ONE, OriginalId::new(process * 5 + id), b"x", 1)).unwrap();
                    }
                });
            }
        });
        assert_eq!(there(&Store::open(Some(&path)).unwrap(), ONE).len(), 20);
    }

    #[test]
    fn a_file_is_for_the_users_eyes_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state/originals.sqlite");
        Store::open(Some(&path)).unwrap();
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
        Store::open(Some(&path)).unwrap();
    }
}
