use std::sync::Arc;

use super::*;
use crate::ledger::figures::{Arm, Money, Reads, Usage};

fn figures() -> Figures {
    Figures {
        at_s: 1_796_000_000,
        surface: "messages",
        model: Arc::from("claude-haiku-4-5"),
        outcome: "compressed",
        arm: Some(Arm::Condensed),
        turn: Some(Turn { conversation: [1; 16], said: [1; 8], eligible: true }),
        usage: Some(Usage { prompt: 100, cached: 60, written: 30, written_long: 0, completion: 7 }),
        billed: Some(53),
        money: Some(Money { paid_nano: 1000, saved_nano: 20, read_nano: 0 }),
        texts: vec![Texts {
            tool: Arc::from("grep"),
            kind: "log",
            texts: 1,
            condensed: 1,
            before: 50,
            after: 20,
            saved_nano: 20,
        }],
        ..Figures::default()
    }
}

fn sum(database: &Connection, sql: &str) -> i64 {
    database.query_row(sql, [], |row| row.get(0)).unwrap()
}

#[test]
fn what_is_added_by_several_processes_at_once_is_all_there() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state/ledger.sqlite");
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let mut store = Store::open(&path, true).unwrap();
                for _ in 0..50 {
                    store.add(&[figures(), figures()]).unwrap();
                }
            });
        }
    });
    let database = open_to_read(&path).unwrap().0;
    assert_eq!(sum(&database, "SELECT sum(requests) FROM requests"), 400);
    assert_eq!(sum(&database, "SELECT sum(paid_nano) FROM requests"), 400_000);
    assert_eq!(sum(&database, "SELECT sum(before - after) FROM texts"), 400 * 30);
    assert_eq!(sum(&database, "SELECT count(*) FROM conversations"), 1);
    assert_eq!(sum(&database, "SELECT turns + retries FROM conversations"), 400);
}

#[test]
fn a_file_of_the_first_version_is_read_and_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.sqlite");
    let mut store = Store::open(&path, false).unwrap();
    store.add(&[figures()]).unwrap();
    for column in ["reads", "read_turns", "read_tokens", "read_nano"] {
        store.0.execute_batch(&format!("ALTER TABLE requests DROP COLUMN {column}")).unwrap();
    }
    store.0.pragma_update(None, "user_version", 1).unwrap();
    drop(store);
    let total = || crate::ledger::read(&path, &crate::ledger::Query::default()).unwrap().total;
    assert_eq!((total().requests, total().saved_nano, total().reads), (1, 20, 0));
    let reads = Reads { reads: 2, turn: true, tokens: 70 };
    let money = Some(Money { paid_nano: 1000, saved_nano: 20, read_nano: 7 });
    Store::open(&path, false).unwrap().add(&[Figures { reads, money, ..figures() }]).unwrap();
    assert_eq!((total().requests, total().reads, total().read_turns, total().read_tokens), (2, 2, 1, 70));
    assert_eq!((total().saved_nano, total().net_nano()), (40, 33));
}

#[test]
fn what_says_the_same_once_more_is_a_retry() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.sqlite");
    let mut store = Store::open(&path, false).unwrap();
    for said in [1, 1, 2, 3, 3, 3] {
        let turn = Some(Turn { conversation: [1; 16], said: [said; 8], eligible: true });
        store.add(&[Figures { turn, ..figures() }]).unwrap();
    }
    assert_eq!(sum(&store.0, "SELECT turns FROM conversations"), 3);
    assert_eq!(sum(&store.0, "SELECT retries FROM conversations"), 3);
}

#[test]
fn a_file_that_is_not_ours_is_refused_and_stays_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notes");
    std::fs::write(&path, "my notes").unwrap();
    assert!(matches!(Store::open(&path, false), Err(StoreError::Foreign)));
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "my notes");

    let other = folder.path().join("other.sqlite");
    Connection::open(&other).unwrap().execute_batch("CREATE TABLE notes (text)").unwrap();
    let before = std::fs::read(&other).unwrap();
    assert!(matches!(Store::open(&other, false), Err(StoreError::Foreign)));
    assert!(matches!(open_to_read(&other), Err(StoreError::Foreign)));
    assert_eq!(std::fs::read(&other).unwrap(), before);

    let later = folder.path().join("later.sqlite");
    Store::open(&later, false).unwrap().0.pragma_update(None, "user_version", VERSION + 1).unwrap();
    assert!(matches!(Store::open(&later, false), Err(StoreError::Later)));
}

#[test]
fn what_is_old_is_forgotten() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(&folder.path().join("ledger.sqlite"), false).unwrap();
    let turn = Some(Turn { conversation: [2; 16], said: [1; 8], eligible: true });
    let recent = Figures { at_s: figures().at_s + 86_400, turn, ..figures() };
    store.add(&[figures(), recent]).unwrap();
    store.forget(figures().at_s + 7200).unwrap();
    for table in ["requests", "texts", "conversations"] {
        assert_eq!(sum(&store.0, &format!("SELECT count(*) FROM {table}")), 1, "{table}");
    }
}

#[cfg(unix)]
#[test]
fn nobody_else_may_look_into_it() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state/ledger.sqlite");
    let mut store = Store::open(&path, true).unwrap();
    store.add(&[figures()]).unwrap();
    for entry in std::fs::read_dir(path.parent().unwrap()).unwrap() {
        let entry = entry.unwrap();
        assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{:?}", entry.path());
    }
    assert_eq!(std::fs::metadata(path.parent().unwrap()).unwrap().permissions().mode() & 0o777, 0o700);
}

#[test]
fn what_was_committed_survives_a_process_that_ends_in_the_middle() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.sqlite");
    let mut store = Store::open(&path, false).unwrap();
    store.add(&[figures()]).unwrap();
    // Neither closed nor checkpointed: as a kill leaves it.
    let (copy, from) = (folder.path().join("copy.sqlite"), path.display().to_string());
    std::fs::copy(&path, &copy).unwrap();
    std::fs::copy(format!("{from}-wal"), folder.path().join("copy.sqlite-wal")).unwrap();
    let mut store = Store::open(&copy, false).unwrap();
    store.add(&[figures()]).unwrap();
    assert_eq!(sum(&store.0, "SELECT sum(requests) FROM requests"), 2);
}
