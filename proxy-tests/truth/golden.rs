//! Equal input gives equal output until `PIPELINE_VERSION` rises, which is part of every cache key: the first case of
//! each kind and the demonstration's document, at each ratio, asked and not, against hashes in `fixtures/golden`.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use headroom::compress::{Encoding, PIPELINE_VERSION, Policy, Query, compress, replay};
use libtest_mimic::{Failed, Trial};

use crate::case::Case;

/// The hash of each fixture's text, then of its outputs in order.
type Hashes = BTreeMap<String, Vec<String>>;

/// What the outputs are now; written where the tests run to update the file.
pub(crate) struct Golden {
    found: Arc<Mutex<Hashes>>,
}

struct Fixture {
    name: String,
    text: String,
    asked: Query,
}

const RATIOS: [&str; 5] = ["auto", "2", "5", "10", "20"];

impl Golden {
    /// A test for each fixture.
    pub(crate) fn trials(cases: &[Case]) -> (Self, Vec<Trial>) {
        let update = updates();
        let found: Arc<Mutex<Hashes>> = Arc::default();
        let (version, known) = if update { (PIPELINE_VERSION, Hashes::new()) } else { read() };
        let known = Arc::new(known);
        let trial = |fixture: Fixture| {
            let (known, found) = (Arc::clone(&known), Arc::clone(&found));
            let name = format!("golden::{}", fixture.name);
            Trial::test(name, move || {
                let hashes = fixture.hashes();
                let same = update || known.get(&fixture.name) == Some(&hashes);
                found.lock().unwrap().insert(fixture.name.clone(), hashes);
                if same { Ok(()) } else { Err(changed(version)) }
            })
        };
        let mut trials: Vec<Trial> = fixtures(cases).into_iter().map(trial).collect();
        trials.push(Trial::test("golden::the_hashes_are_of_this_version", move || {
            if version == PIPELINE_VERSION { Ok(()) } else { Err(changed(version)) }
        }));
        (Self { found }, trials)
    }

    /// Writes the file anew where that was asked for.
    pub(crate) fn write(&self) {
        if !updates() {
            return;
        }
        let found = self.found.lock().unwrap();
        let lines: Vec<String> = found.iter().map(|(name, hashes)| format!("{name} {}\n", hashes.join(" "))).collect();
        fs::create_dir_all(file().parent().unwrap()).unwrap();
        fs::write(file(), format!("version {PIPELINE_VERSION}\n{}", lines.concat())).unwrap();
    }
}

fn changed(version: u32) -> Failed {
    let told = if version == PIPELINE_VERSION {
        "outputs changed: raise PIPELINE_VERSION and run `UPDATE_GOLDEN=1 cargo test golden`"
    } else {
        "the hashes are of another PIPELINE_VERSION: run `UPDATE_GOLDEN=1 cargo test golden`"
    };
    told.into()
}

impl Fixture {
    fn hashes(&self) -> Vec<String> {
        let mut hashes = vec![hash(&self.text)];
        for query in [&Query::default(), &self.asked] {
            for ratio in RATIOS {
                let policy = Policy { ratio: ratio.parse().unwrap(), ..Policy::default() };
                let found = compress(&self.text, query, &policy, &Encoding::O200k, None).unwrap();
                // What was chosen gives the same text again without weighing anything.
                if let Some(choice) = &found.choice {
                    let again = replay(&self.text, query, &policy, &Encoding::O200k, choice).map(|again| again.outcome);
                    assert_eq!(again.as_ref(), Some(&found.outcome), "{} {ratio}", self.name);
                }
                assert!(found.choice.is_some() || found.text().is_none(), "{} {ratio} can't be remembered", self.name);
                hashes.push(found.text().map_or_else(|| "-".repeat(12), hash));
            }
        }
        hashes
    }
}

fn fixtures(cases: &[Case]) -> Vec<Fixture> {
    let mut first: BTreeMap<&str, &Case> = BTreeMap::new();
    for case in cases {
        first.entry(case.kind.as_str()).or_insert(case);
    }
    let of =
        |(kind, case): (&str, &Case)| Fixture { name: kind.to_owned(), text: case.text.clone(), asked: case.query() };
    let mut fixtures: Vec<Fixture> = first.into_iter().map(of).collect();
    fixtures.push(Fixture {
        name: "agreement".to_owned(),
        text: fs::read_to_string(root().join("fixtures/demo/service-agreement.md")).unwrap(),
        asked: Query { preceding: "By when must a credit be requested?".to_owned(), ..Query::default() },
    });
    fixtures
}

/// Enough of the hash to notice any change.
fn hash(text: &str) -> String {
    blake3::hash(text.as_bytes()).to_hex().chars().take(12).collect()
}

fn updates() -> bool {
    std::env::var_os("UPDATE_GOLDEN").is_some()
}

fn read() -> (u32, Hashes) {
    let text = fs::read_to_string(file()).unwrap_or_default();
    let mut lines = text.lines();
    let version = lines.next().and_then(|line| line.strip_prefix("version ")?.parse().ok()).unwrap_or(0);
    let split = |line: &str| {
        let mut words = line.split(' ').map(str::to_owned);
        Some((words.next()?, words.collect()))
    };
    (version, lines.filter_map(split).collect())
}

fn file() -> PathBuf {
    root().join("fixtures/golden/hashes.txt")
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}
