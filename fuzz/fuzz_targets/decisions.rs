//! Whatever stands in the file of decisions: nothing panics, a file that is none of ours is never written over, no text
//! comes out otherwise than it would without the file, and what was decided on it is read back.
//!
//! The engine is driven from outside, as the proxy does it. Its file is made of what an engine wrote before: frames in any
//! order, torn, flipped and foreign bytes, and frames with the right checksum that say whatever the fuzzer likes.

#![no_main]

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{Arc, LazyLock},
    time::Instant,
};

use headroom::{
    compress::{Encoding, Factor, Level, Outcome, Policy, Query, Ratio, compress},
    engine::{Backend, Config, Engine, Job, Tenant},
};
use libfuzzer_sys::fuzz_target;
use tokio::runtime::{Builder, Runtime};

fuzz_target!(|input: (bool, Vec<(u8, u8, Vec<u8>)>, Vec<(u16, u8)>)| {
    let (own, pieces, flips) = input;
    LazyLock::force(&WORLD);
    let mut bytes: Vec<u8> = pieces.iter().take(MOST_PIECES).flat_map(piece).collect();
    for (at, flip) in flips {
        if let Some(byte) = bytes.get_mut(usize::from(at)) {
            *byte ^= flip;
        }
    }
    let folder = empty_folder();
    let path = folder.join("decisions");
    fs::write(&path, &bytes).unwrap();
    let foreign = is_foreign(&bytes);
    let started = start(&path, own);
    if foreign && !own {
        assert!(started.is_none(), "a file that is none of ours was taken for one");
        assert_eq!(fs::read(&path).unwrap(), bytes, "it was written over");
        return;
    }
    let engine = started.expect("a file of ours, or one in the state folder, stops no start");
    if foreign {
        assert_eq!(fs::read(folder.join("decisions.damaged")).unwrap(), bytes, "it does not lie aside");
    }
    let first = outcomes(&engine, None);
    for (outcome, right) in first.iter().zip(&WORLD.right) {
        assert!(matches!(outcome, Outcome::Unchanged(_)) || right.contains(outcome), "another text");
    }
    let stats = engine.stats();
    assert!(stats.panics == 0 && stats.chosen + stats.remembered <= 2 * MOST_KNOWN as u64);
    drop(engine);
    // Without time only what is read back can be told.
    let again = start(&path, own).expect("it reads what it wrote");
    assert_eq!(outcomes(&again, Some(Instant::now())), first);
});

/// A part of a file.
fn piece((kind, which, bytes): &(u8, u8, Vec<u8>)) -> Vec<u8> {
    let World { header, entries, .. } = &*WORLD;
    let entry = &entries[usize::from(*which) % entries.len()];
    match kind % 8 {
        0 => bytes.clone(),
        1 => header.clone(),
        2 => frame(bytes),
        // Something else of a text that is known.
        3 => frame(&[&entry[..NAME], bytes].concat()),
        4 => {
            let mut other = entry.clone();
            for pair in bytes.chunks_exact(2) {
                let at = NAME + usize::from(pair[0]) % (entry.len() - NAME);
                other[at] ^= pair[1];
            }
            frame(&other)
        }
        5 => frame(&[entry, &**bytes].concat()),
        // The file as it was left, and a frame of it: what a fuzzer would take long to find.
        6 => WORLD.file.clone(),
        _ => frame(entry),
    }
}

/// As the file has it: length, checksum, entry.
fn frame(entry: &[u8]) -> Vec<u8> {
    [&(entry.len() as u32).to_le_bytes(), &blake3::hash(entry).as_bytes()[..4], entry].concat()
}

/// Whether a file is neither ours nor a torn or former one, as is told by its beginning.
fn is_foreign(bytes: &[u8]) -> bool {
    let header = &WORLD.header;
    !(bytes.starts_with(header) || header.starts_with(bytes) || bytes.starts_with(b"headroom raw v"))
}

struct World {
    runtime: Runtime,
    jobs: Vec<Job>,
    /// What each text may come out as, by level.
    right: Vec<Vec<Outcome>>,
    /// A file that an engine wrote, and its parts.
    file: Vec<u8>,
    header: Vec<u8>,
    entries: Vec<Vec<u8>>,
}

static WORLD: LazyLock<World> = LazyLock::new(|| {
    let runtime = Builder::new_current_thread().enable_time().build().unwrap();
    let jobs = vec![
        job((1..12).map(|mile| format!("The bridge at mill {mile} has been closed since {mile} April. ")).collect()),
        job(format!("[{}]", (1..20).map(|at| format!(r#"{{"id": {at}, "state": "open"}}"#)).collect::<Vec<_>>().join(", "))),
    ];
    let at = |job: &Job, level: Level| {
        let policy = Policy { ratio: level.ratio(job.policy.ratio), ..job.policy.clone() };
        compress(&job.text, &job.query, &policy, &job.encoding, None).expect("no model, no model's error").outcome
    };
    let right: Vec<Vec<Outcome>> = jobs.iter().map(|job| Level::ALL.map(|level| at(job, level)).to_vec()).collect();
    assert!(right.iter().all(|levels| matches!(levels[0], Outcome::Compressed(_))), "the texts are condensed");
    let path = empty_folder().join("decisions");
    let engine = start(&path, false).expect("a new file can be made");
    let late = Job { text: "A text that came too late. ".repeat(20).into(), ..jobs[0].clone() };
    for (job, level, until) in [(&jobs[0], None, None), (&jobs[1], Some(Level::Gentle), None), (&late, None, Some(Instant::now()))] {
        runtime.block_on(engine.condense_at(job.clone(), level, until));
    }
    engine.back_off([7; 16], Level::Gentler);
    drop(engine);
    let file = fs::read(&path).unwrap();
    let (header, mut rest) = file.split_at(file.iter().position(|byte| *byte == b'\n').unwrap() + 1);
    let mut entries = Vec::new();
    while let Some((length, after)) = rest.split_first_chunk::<4>() {
        let end = 4 + u32::from_le_bytes(*length) as usize;
        entries.push(after[4..end].to_vec());
        rest = &after[end..];
    }
    assert!(entries.len() >= 5 && header.len() == 24, "a choice each, a level, a raw one, a back-off");
    assert_eq!(entries.iter().flat_map(|entry| frame(entry)).collect::<Vec<u8>>(), file[24..], "frames are as told here");
    World { header: header.to_vec(), entries, runtime, jobs, right, file }
});

fn job(text: String) -> Job {
    Job {
        text: text.into(),
        query: Query::default(),
        policy: Policy { ratio: Ratio::By(Factor::new(4.0).unwrap()), min_tokens: 16, rewrite: false, ..Policy::default() },
        encoding: Encoding::O200k,
        tenant: Tenant::default(),
    }
}

/// An engine with this file, which the operator named, or which lies in the state folder.
fn start(path: &Path, own: bool) -> Option<Engine> {
    let named = if own { "auto".to_owned() } else { path.display().to_string() };
    let config =
        Config { workers: 1, time_budget_ms: 0, decisions: MOST_KNOWN, decisions_file: named, ..Config::default() };
    Engine::start(&config, path.parent(), Backend::None).ok()
}

fn outcomes(engine: &Engine, until: Option<Instant>) -> Vec<Outcome> {
    let World { runtime, jobs, .. } = &*WORLD;
    jobs.iter()
        .map(|job| Arc::unwrap_or_clone(runtime.block_on(engine.condense(job.clone(), until)).condensation).outcome)
        .collect()
}

/// A folder of this process, emptied.
fn empty_folder() -> PathBuf {
    let folder = std::env::temp_dir().join(format!("headroom-fuzz-decisions-{}", std::process::id()));
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}

/// Pieces of a file at most, and texts that an engine remembers.
const MOST_PIECES: usize = 24;
const MOST_KNOWN: usize = 64;

/// Bytes of an entry that name what it is about.
const NAME: usize = 20;
