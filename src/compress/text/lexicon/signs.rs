//! What a line of a program's output or a row of a table tells by signs that are the same everywhere: that something went
//! wrong, that something goes, that something is full, that something is defined here. And by which words it is asked for,
//! since whoever asks what is in trouble does not know that the answer says `Exited (137)`.

use super::List;

/// What a line of output tells of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Trouble {
    /// Something might go wrong.
    Warning,
    /// Something went wrong.
    Error,
}

/// Whether a line of a log, a build or a test run tells of trouble: by its words, by a program's exit, or by the status of
/// an answer over HTTP. What is counted as none (`0 failed`, `errors=0`) is none.
pub(crate) fn trouble(line: &str) -> Option<Trouble> {
    let mut most = None;
    let mut before = "";
    for (at, word) in parted(line) {
        let told = if (4..=24).contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_alphabetic()) {
            let after = line.get(at + word.len()..).unwrap_or_default();
            trouble_word(&word.to_ascii_lowercase()).filter(|_| !is_none(before) && !counts_none(after))
        } else {
            None
        };
        most = most.max(told);
        before = word;
    }
    if line.trim_start().starts_with(FAILED) {
        return Some(Trouble::Error);
    }
    let more = || exited(line).or_else(|| phrased(line)).max(http_status(line).and_then(status));
    if most == Some(Trouble::Error) { most } else { most.max(more()) }
}

/// How test runners mark what failed, in front of its name.
const FAILED: [char; 6] = ['✗', '✘', '✖', '×', '❌', '⨯'];

/// Whether a name is that of a level of a log.
pub(crate) fn is_level(name: &str) -> bool {
    LEVELS.has(&name.to_ascii_lowercase())
}

static LEVELS: List = List::new(
    "trace debug verbose info information notice warn warning error err fatal critical crit alert emerg panic severe dpanic",
);

/// The runs of letters, and those of digits, each with its place.
fn parted(line: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut rest = 0;
    std::iter::from_fn(move || {
        let kind = |c: char| if c.is_ascii_alphabetic() { 1 } else { 2 * u8::from(c.is_ascii_digit()) };
        let text = line.get(rest..)?;
        let start = rest + text.find(|c| kind(c) > 0)?;
        let text = line.get(start..)?;
        let own = text.chars().next().map_or(0, kind);
        let length = text.find(|c| kind(c) != own).unwrap_or(text.len());
        rest = start + length;
        Some((start, text.get(..length)?))
    })
}

fn is_none(word: &str) -> bool {
    word == "0" || word.eq_ignore_ascii_case("no") || word.eq_ignore_ascii_case("without")
}

/// Whether what stands behind a word says that there is none of it: `=0`, `: 0,`.
fn counts_none(after: &str) -> bool {
    let plain = after.trim_start_matches(['"', '\'']);
    let (value, sure) = match (plain.strip_prefix('='), plain.strip_prefix(':')) {
        (Some(value), _) => (value, true),
        (_, Some(value)) => (value.trim_start(), false),
        _ => return false,
    };
    value.strip_prefix('0').is_some_and(|rest| {
        let ends = !rest.starts_with(|c: char| c.is_alphanumeric() || c == '.');
        ends && (sure || rest.trim_start().is_empty() || rest.starts_with([',', ';', ')', ']', '}', '|']))
    })
}

fn trouble_word(word: &str) -> Option<Trouble> {
    let begins = |list: &str| list.split(' ').any(|stem| word.starts_with(stem));
    let ends = |list: &str| list.split(' ').any(|end| word.ends_with(end));
    if begins(ERROR_STEMS) || ends(ERROR_ENDS) {
        return Some(Trouble::Error);
    }
    (begins(WARNING_STEMS)).then_some(Trouble::Warning)
}

/// Names of states are written in one word: `TypeError`, `OOMKilled`, `ImagePullBackOff`.
const ERROR_ENDS: &str = "error exception failed killed backoff";

const ERROR_STEMS: &str = "error fail fatal exception denied refus panic critical emerg traceback abort crash segfault \
                           unable cannot couldn reject timeout unreachable undefined corrupt severe killed \
                           unhealth unavail degraded destroyed declined conflict unmerged disput overdue";

const WARNING_STEMS: &str = "warn deprecat retry missing invalid expired exceeded skipped ignored restarting";

/// Trouble that is said in several words.
fn phrased(line: &str) -> Option<Trouble> {
    let lower = line.to_ascii_lowercase();
    PHRASES.iter().any(|phrase| lower.contains(phrase)).then_some(Trouble::Error)
}

const PHRASES: [&str; 10] = [
    "no such ",
    "no space ",
    "no route ",
    "no free ",
    "not found",
    "out of memory",
    "out of space",
    "too many ",
    "timed out",
    "gave up",
];

/// `Exited (137)`, `exit status 3`, `exited with code 1`, `rc=2`: a program that ended with another status than 0.
fn exited(line: &str) -> Option<Trouble> {
    let mut ended = false;
    for (_, word) in parted(line) {
        if word.bytes().all(|byte| byte.is_ascii_digit()) {
            if ended && word.bytes().any(|byte| byte != b'0') {
                return Some(Trouble::Error);
            }
            ended = false;
        } else {
            let lower = word.to_ascii_lowercase();
            ended = EXITS.has(&lower) || (ended && BETWEEN.has(&lower));
        }
    }
    None
}

static EXITS: List = List::new("exit exited exitcode exits rc returncode");

static BETWEEN: List = List::new("code status with");

/// The status in a line that tells of a request over HTTP, by its method or its version.
pub(crate) fn http_status(line: &str) -> Option<u16> {
    let (mut asked, mut found) = (false, None);
    for word in line.split(|c: char| c.is_whitespace() || "\"'=:,()[]|".contains(c)) {
        asked |= METHODS.contains(&word) || word.starts_with("HTTP/");
        let is_status = asked && word.len() == 3 && word.starts_with(|c: char| ('1'..='5').contains(&c));
        found = found.or_else(|| word.parse().ok().filter(|_| is_status));
    }
    found
}

const METHODS: [&str; 7] = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"];

fn status(status: u16) -> Option<Trouble> {
    match status {
        500.. => Some(Trouble::Error),
        400.. => Some(Trouble::Warning),
        _ => None,
    }
}

/// What a row or a line tells by a sign, whatever its words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sign {
    /// Something went wrong, or might.
    Trouble,
    /// Something is deleted, replaced or taken away.
    Loss,
    /// Something is (nearly) used up: 90% and more.
    Full,
    /// A function, a type or a name is defined here.
    Definition,
}

/// The sign that a lower-cased word of a question asks for.
pub(crate) fn asks_for(word: &str) -> Option<Sign> {
    [(Sign::Trouble, &TROUBLE), (Sign::Loss, &LOSS), (Sign::Full, &FULL), (Sign::Definition, &DEFINITION)]
        .into_iter()
        .find_map(|(sign, words)| words.has(word).then_some(sign))
}

/// Whether a line bears a sign.
pub(crate) fn bears(line: &str, sign: Sign) -> bool {
    match sign {
        Sign::Trouble => trouble(line).is_some(),
        Sign::Loss => loses(line),
        Sign::Full => is_full(line),
        Sign::Definition => defines(line),
    }
}

static TROUBLE: List = List::new(
    "bad broken crash crashed crashes crashing dead down error errors fail failed failing fails failure failures faulty
    ill problem problems sick stuck trouble troubles unhappy unhealthy wrong
    defekt fehler fehlgeschlagen gescheitert kaputt probleme schief échec échoué erreur erreurs panne problème problèmes
    error errores falla falló fallo fallos problema problemas",
);

static LOSS: List = List::new(
    "delete deleted deletes deleting destroy destroyed destroys disappear disappears dropped erased gone lose loses losing
    away lost overwritten recreate recreated recreates remove removed removes removing replaced replaces vanish vanishes wiped
    entfernt gelöscht löschen verlieren verloren verschwindet effacé perdre perdu perdus supprimé supprimés borra borrado
    borrados eliminado eliminados perder perdido",
);

static FULL: List = List::new(
    "capacity fill filling fills full fuller fullest space voll voller platz espace plein pleine espacio lleno",
);

static DEFINITION: List = List::new(
    "declaration declarations declare declared declares define defined defines definition definitions implementation
    implemented implements definiert definition déclaré défini définie declarado definida definido",
);

/// Whether a lower-cased word beside a superlative is said of times alone: `oldest`, `the most time`.
pub(crate) fn of_times(word: &str) -> bool {
    OF_TIMES.has(word)
}

static OF_TIMES: List = List::new("earliest fastest latest longest newest oldest shortest slowest time youngest");

/// Whether a lower-cased word beside a superlative is said of sizes alone: `largest`, `the most space`.
pub(crate) fn of_sizes(word: &str) -> bool {
    OF_SIZES.has(word)
}

static OF_SIZES: List = List::new("biggest bytes disk heaviest largest memory room smallest space storage");

/// On which side of a figure something lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bound {
    Above,
    Below,
}

/// The side that a lower-cased word in front of a figure tells: `larger than`, `under`.
pub(crate) fn bound(word: &str) -> Option<Bound> {
    match word {
        _ if ABOVE.has(word) => Some(Bound::Above),
        _ if BELOW.has(word) => Some(Bound::Below),
        _ => None,
    }
}

static ABOVE: List = List::new(
    "above after beyond bigger exceed exceeding exceeds greater heavier higher larger longer more older over",
);

static BELOW: List = List::new("before below cheaper fewer less lighter lower shorter smaller under younger");

/// Whether a line says that something goes.
pub(crate) fn loses(line: &str) -> bool {
    let word = |word: &str| {
        let lower = word.to_ascii_lowercase();
        LOSSES.iter().any(|stem| lower.starts_with(stem))
    };
    parted(line).any(|(_, run)| run.len() >= 4 && word(run))
}

const LOSSES: [&str; 11] =
    ["delet", "destroy", "remov", "purg", "prun", "overwrit", "replac", "unlink", "uninstall", "dropped", "recreat"];

/// Whether a share of 90% and more stands in a line.
pub(crate) fn is_full(line: &str) -> bool {
    line.match_indices('%').any(|(at, _)| {
        let before = line.get(..at).unwrap_or_default().trim_end();
        let start = before.rfind(|c: char| !(c.is_ascii_digit() || c == '.')).map_or(0, |at| at + 1);
        let start = before.ceil_char_boundary(start);
        before
            .get(start..)
            .and_then(|share| share.parse::<f32>().ok())
            .is_some_and(|share| (90.0..=100.0).contains(&share))
    })
}

/// Whether a line of code begins the definition of something with a name.
fn defines(line: &str) -> bool {
    let words = line.split(|c: char| c.is_whitespace() || c == ':').filter(|word| !word.is_empty());
    let mut before = false;
    for word in words.take(MOST_BEFORE_DEFINITION) {
        if before && word.starts_with(|c: char| c.is_alphabetic() || "_$*".contains(c)) {
            return true;
        }
        before = DEFINES.has(word);
    }
    false
}

static DEFINES: List = List::new(
    "#define class def defn enum fn fun func function interface macro_rules! module namespace proc struct sub trait type
    typedef",
);

/// Where it was found, what it is visible to, and its modifiers.
const MOST_BEFORE_DEFINITION: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exit_a_status_and_a_phrase_tell_of_trouble() {
        for line in [
            "9c41 worker Exited (137) 6 hours ago",
            "exit status 3",
            "process exited with code 1",
            "done rc=2",
            "GET /healthz 503 upstream=a",
            "\"POST /a HTTP/1.1\" 502 31",
            "network 10.8.0.0/24: no free leases",
            "web 4 days (unhealthy)",
            "make: *** [all] Error 2",
        ] {
            assert_eq!(trouble(line), Some(Trouble::Error), "{line}");
        }
        assert_eq!(trouble("GET /favicon.ico 404"), Some(Trouble::Warning));
    }

    #[test]
    fn none_of_it_is_no_trouble() {
        for line in [
            "web-1 : ok=4 changed=0 unreachable=0 failed=0",
            "12 passed, 0 failed",
            "errors: 0",
            "No errors were found",
            "Exited (0) 2 minutes ago",
            "exit status 0",
            "GET /healthz 200 upstream=a",
            "listening on 503",
        ] {
            assert_eq!(trouble(line), None, "{line}");
        }
    }

    #[test]
    fn other_signs_are_told_too() {
        assert!(bears(" -   aws:iam:UserPolicy  ci-legacy  delete", Sign::Loss));
        assert!(bears("*deleting   2019/a.raw", Sign::Loss) && !bears(">f+++++++++ 2023/a.raw", Sign::Loss));
        assert!(bears("/dev/sda1 400G 389G 11G  98% /data", Sign::Full) && !bears("/dev/sdb 9% /a", Sign::Full));
        assert!(bears("glob.py:202:6:def _isdir(pathname):", Sign::Definition));
        assert!(bears("src/a.rs:4:pub(crate) async fn read(at: usize) {", Sign::Definition));
        assert!(!bears("glob.py:70:17:        if _isdir(dirname):", Sign::Definition));
        assert_eq!(asks_for("lose"), Some(Sign::Loss));
    }
}
