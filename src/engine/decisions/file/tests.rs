use std::sync::mpsc;

use super::*;
use crate::{
    compress::{Level, Reason},
    engine::{
        decisions::{
            Decisions,
            facts::{Fact, Forced},
        },
        key::{Name, Share},
    },
};

fn name(at: u8) -> Name {
    Name { share: Share([7; 4]), hash: [at; 16] }
}

fn entry(at: u8) -> Entry {
    Entry { name: name(at), fact: Fact::Raw(Forced { reason: Reason::Overloaded, tokens: 7 }) }
}

fn store(entries: impl IntoIterator<Item = u8>) -> Store {
    let mut store = Store::new(100);
    for at in entries {
        store.insert(entry(at));
    }
    store
}

fn known(store: &mut Store) -> Vec<u8> {
    (0..u8::MAX).filter(|at| store.get(name(*at)).is_some()).collect()
}

/// Opens a file, appends some entries, and closes it.
fn write(path: &Path, entries: impl IntoIterator<Item = u8>) {
    let (_, log) = open(path, true, &mut Store::new(100)).unwrap();
    let (alive, ended) = mpsc::sync_channel(1);
    let writer = log.start(Arc::new(Mutex::new(store([]))), alive).unwrap();
    entries.into_iter().for_each(|at| writer.send(Work::Note(entry(at))).unwrap());
    drop(writer);
    ended.recv().unwrap_err();
}

fn read(path: &Path) -> Vec<u8> {
    let mut store = Store::new(100);
    open(path, true, &mut store).unwrap();
    known(&mut store)
}

#[test]
fn an_entry_has_these_bytes_until_the_header_changes() {
    let facts = [
        Fact::Raw(Forced { reason: Reason::Deadline, tokens: 300 }),
        Fact::Level(Level::Gentler),
        Fact::Judged(vec![0, 70_000]),
        Fact::Backed(Level::Redundancy),
    ];
    let bytes = facts.map(|fact| postcard::to_allocvec(&Entry { name: name(1), fact }).unwrap()[20..].to_vec());
    let expected: [&[u8]; 4] = [&[0, 6, 0xac, 2], &[1, 2], &[3, 2, 0, 0xf0, 0xa2, 4], &[4, 3]];
    assert_eq!(bytes, expected.map(<[u8]>::to_vec));
    assert_eq!(HEADER, b"headroom decisions v3  \n");
}

#[test]
fn a_file_outlives_the_process_and_is_for_the_user_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state/decisions");
    write(&path, 0..5);
    write(&path, 5..9);
    assert_eq!(read(&path), (0..9).collect::<Vec<u8>>());
    #[cfg(unix)]
    {
        use std::os::unix::fs::{MetadataExt, PermissionsExt};
        let mode = |path: &Path| fs::metadata(path).unwrap().mode() & 0o777;
        assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
        fs::set_permissions(path.parent().unwrap(), fs::Permissions::from_mode(0o755)).unwrap();
        read(&path);
        assert_eq!(mode(path.parent().unwrap()), 0o700, "one that was open to all is closed");
    }
}

#[test]
fn damage_costs_what_stands_behind_it_and_no_more() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("decisions");
    write(&path, 0..5);
    let whole = fs::read(&path).unwrap();
    let each = (whole.len() - HEADER.len()) / 5;
    for cut in HEADER.len()..whole.len() {
        fs::write(&path, &whole[..cut]).unwrap();
        assert_eq!(read(&path).len(), (cut - HEADER.len()) / each, "cut off at {cut}");
    }
    for at in HEADER.len()..whole.len() {
        let mut other = whole.clone();
        other[at] ^= 0x55;
        fs::write(&path, other).unwrap();
        assert_eq!(read(&path).len(), (at - HEADER.len()) / each, "damaged at {at}");
    }
    write(&path, [9]);
    assert_eq!(read(&path), [0, 1, 2, 3, 9], "what comes later can be read");
}

#[test]
fn a_file_that_is_none_of_ours_is_refused_or_lies_aside_and_is_never_written_over() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("decisions");
    let foreign = [&b"something else entirely, and long enough"[..], b"short", &[0; 4096]];
    for foreign in foreign {
        fs::write(&path, foreign).unwrap();
        let error = open(&path, false, &mut Store::new(9)).unwrap_err();
        assert!(error.to_string().contains("no file of decisions"), "{error}");
        assert_eq!(fs::read(&path).unwrap(), foreign);
    }
    // In the state folder, under a name of our choice.
    for (at, foreign) in foreign.into_iter().enumerate() {
        fs::write(&path, foreign).unwrap();
        write(&path, [1]);
        assert_eq!(read(&path), [1]);
        let aside = if at == 0 { "decisions.damaged".to_owned() } else { format!("decisions.damaged.{at}") };
        assert_eq!(fs::read(folder.path().join(aside)).unwrap(), foreign);
    }
}

#[test]
fn what_a_machine_that_went_down_left_of_a_header_and_a_former_version_begin_anew() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("decisions");
    let torn = (0..HEADER.len()).map(|cut| HEADER[..cut].to_vec());
    for left in torn.chain([b"headroom raw v2\n0123456789abcdef".to_vec()]) {
        for own in [false, true] {
            fs::write(&path, &left).unwrap();
            open(&path, own, &mut Store::new(9)).unwrap();
            assert_eq!(fs::read(&path).unwrap(), HEADER);
        }
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

/// A live process.
struct Process {
    tail: Tail,
    log: Log,
    known: Mutex<Store>,
}

impl Process {
    fn open(path: &Path) -> Self {
        let mut store = Store::new(100);
        let (tail, log) = open(path, false, &mut store).unwrap();
        Self { tail, log, known: Mutex::new(store) }
    }

    fn note(&mut self, at: u8) {
        lock(&self.known).insert(entry(at));
        self.log.append(&entry(at), &self.known).unwrap();
    }

    /// What it does whenever a text is not known to it.
    fn refresh(&mut self) {
        let seen = self.tail.read(|entry| {
            lock(&self.known).insert(entry);
        });
        if seen == Seen::Other {
            self.log.join(&self.known).unwrap();
        }
    }

    fn knows(&self) -> Vec<u8> {
        known(&mut lock(&self.known))
    }
}

#[test]
fn processes_that_share_a_file_agree_again_whatever_becomes_of_it() {
    let damages: [fn(&Path); 7] = [
        |path| fs::remove_file(path).unwrap(),
        |path| fs::write(path, b"").unwrap(),
        |path| fs::write(path, &HEADER[..9]).unwrap(),
        |path| fs::write(path, HEADER).unwrap(),
        // In place: in the last frame, in the first, and of a frame's length.
        |path| damage(path, |bytes| bytes.len() - 3),
        |path| damage(path, |_| HEADER.len() + 9),
        |path| damage(path, |_| HEADER.len() + 2),
    ];
    for (case, damaged) in damages.into_iter().enumerate() {
        for read_before in [false, true] {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("decisions");
            let (mut one, mut other) = (Process::open(&path), Process::open(&path));
            one.note(1);
            other.note(2);
            if read_before {
                one.refresh();
                other.refresh();
            }
            damaged(&path);
            one.note(3);
            for _ in 0..3 {
                other.refresh();
                one.refresh();
            }
            other.note(4);
            for _ in 0..3 {
                one.refresh();
                other.refresh();
            }
            let said = format!("case {case}, read before: {read_before}");
            assert_eq!((one.knows(), other.knows()), (vec![1, 2, 3, 4], vec![1, 2, 3, 4]), "{said}");
            // A third one that starts finds what is there, and the others add what it has not.
            let mut third = Process::open(&path);
            for process in [&mut one, &mut other, &mut third] {
                process.refresh();
            }
            third.refresh();
            assert_eq!(third.knows(), [1, 2, 3, 4], "{said}");
            assert_eq!(read(&path), [1, 2, 3, 4], "{said}");
        }
    }
}

fn damage(path: &Path, at: impl Fn(&[u8]) -> usize) {
    let mut bytes = fs::read(path).unwrap();
    let at = at(&bytes);
    bytes[at] ^= 0xff;
    // In place, as by hand: the file stays the same one.
    fs::write(path, bytes).unwrap();
}

#[test]
fn processes_that_share_a_file_learn_from_each_other() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("decisions");
    let mut own = Store::new(100);
    let (mut tail, mut log) = open(&path, true, &mut own).unwrap();
    let news = |tail: &mut Tail| {
        let mut news = Vec::new();
        let _ = tail.read(|entry| news.push(entry.name.hash[0]));
        news
    };
    write(&path, 0..3);
    assert_eq!((news(&mut tail), news(&mut tail)), (vec![0, 1, 2], Vec::new()));
    // The other one writes the file anew.
    let (_, mut other) = open(&path, true, &mut Store::new(100)).unwrap();
    other.rewrite(&[entry(1), entry(5)]).unwrap();
    assert_eq!(news(&mut tail), [1, 5]);
    log.append(&entry(6), &Mutex::new(store([]))).unwrap();
    assert_eq!(news(&mut tail), [6]);
    assert_eq!(read(&path), [1, 5, 6]);
    // Somebody takes it away.
    fs::remove_file(&path).unwrap();
    assert!(news(&mut tail).is_empty());
    log.append(&entry(7), &Mutex::new(store([6, 7]))).unwrap();
    assert_eq!(read(&path), [6, 7]);
}

#[test]
fn a_long_file_is_written_anew() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("decisions");
    let (_, log) = open(&path, true, &mut Store::new(100)).unwrap();
    let mut log = Log { most: 500, ..log };
    let known = Mutex::new(Store::new(4));
    for at in 0..200 {
        log.append(&entry(at), &known).unwrap();
        assert!(fs::metadata(&path).unwrap().len() < 600);
    }
    assert!(read(&path).ends_with(&[197, 198, 199]));
}

#[test]
fn writing_resumes_once_it_can() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("decisions");
    let (_, mut log) = open(&path, true, &mut Store::new(100)).unwrap();
    // What stands in the way of a file can't be written over: a full disk is like that.
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    let known = Mutex::new(store(0..4));
    let send = |log: &mut Log, entries: &[u8]| {
        let (writer, waiting) = sync_channel(9);
        entries.iter().for_each(|at| writer.send(Work::Note(entry(*at))).unwrap());
        drop(writer);
        log.write_all(&known, &waiting);
    };
    send(&mut log, &[0, 1]);
    assert!(log.failing > 0);
    fs::remove_dir(&path).unwrap();
    send(&mut log, &[2, 3]);
    assert_eq!((log.failing, read(&path)), (0, vec![0, 1, 2, 3]));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "no draft is left");
}

#[test]
fn what_waits_for_the_file_holds_nobody_up() {
    let config = crate::engine::Config { decisions_file: "off".to_owned(), ..Default::default() };
    let decisions = Decisions::open(&config, None, mpsc::sync_channel(1).0).unwrap();
    let (writer, _waiting) = sync_channel(1);
    *lock(&decisions.writer) = Some(writer);
    (0..100).for_each(|at| decisions.back([at; 16], Level::Gentle));
    assert!((0..100).all(|at| decisions.backed([at; 16]) == Level::Gentle));
}
