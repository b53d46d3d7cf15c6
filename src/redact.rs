//! What may be shown of a text that came from outside: a message must not carry a key further than it has come.
//!
//! A person mistypes where a key belongs as readily as the key itself, so a value that a setting refused is not shown at
//! all (see [`Invalid`](crate::setting::Invalid)). What is in effect has to be shown; these functions leave out of it
//! what keys are known to look like and where URLs carry them.

use std::path::Path;

/// A text without what looks like a key: user, password and query of URLs, and words that begin as keys do.
#[must_use]
pub fn text(text: &str) -> String {
    let ends_word = |char: char| char.is_whitespace() || matches!(char, '"' | '\'' | '`' | '<' | '>' | '(' | ')' | ',');
    text.split_inclusive(ends_word)
        .map(|piece| {
            let word = piece.strip_suffix(ends_word).unwrap_or(piece);
            let end = piece.strip_prefix(word).unwrap_or_default();
            let word = if word.contains("://") { url(word) } else { parts(word, begins_like_a_key) };
            word + end
        })
        .collect()
}

/// A setting that is in effect: also without words that are as long and mixed as keys are, unless it is a path.
#[must_use]
pub fn setting(value: &str) -> String {
    if is_path(value) || value.contains("://") { text(value) } else { parts(&text(value), looks_like_a_key) }
}

/// A path; hidden where nothing says that it is one.
#[must_use]
pub fn path(path: &Path) -> String {
    let shown = path.display().to_string();
    if is_path(&shown) { text(&shown) } else { HIDDEN.to_owned() }
}

/// The scheme and host of a URL, for a message about it; hidden where other things could be taken for the host.
#[must_use]
pub fn host(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return HIDDEN.to_owned() };
    let host = rest.split('/').next().unwrap_or_default();
    let plain = |text: &str, also: &str| text.chars().all(|char| char.is_ascii_alphanumeric() || also.contains(char));
    let shown =
        plain(scheme, "+") && plain(host, ".-_:[]") && !url.contains(['@', '?', '#']) && !looks_like_a_key(host);
    if shown { format!("{scheme}://{host}") } else { HIDDEN.to_owned() }
}

/// The name of a key or variable, where it can be one.
#[must_use]
pub fn name(name: &str) -> &str {
    let plain = name.chars().all(|char| char.is_ascii_alphanumeric() || matches!(char, '_' | '.'));
    let cased = !(name.contains(|char: char| char.is_ascii_uppercase())
        && name.contains(|char: char| char.is_ascii_lowercase()));
    if plain && cased && name.len() <= LONGEST_NAME && !looks_like_a_key(name) { name } else { HIDDEN }
}

/// Stands for what is not shown.
pub const HIDDEN: &str = "(not shown)";

/// A URL without user, password, query and fragment, and without path segments that look like keys.
fn url(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    // A password may hold any character, so everything up to the last `@` counts as one.
    let (user, rest) = rest.rsplit_once('@').map_or(("", rest), |(_, rest)| ("***@", rest));
    let end = rest.find(['?', '#']).unwrap_or(rest.len());
    let (shown, query) = rest.split_at_checked(end).unwrap_or((rest, ""));
    let query = if query.is_empty() { "" } else { "?***" };
    format!("{scheme}://{user}{}{query}", parts(shown, looks_like_a_key))
}

/// The text with each part that `is_key` in place of which `***` stands.
fn parts(text: &str, is_key: fn(&str) -> bool) -> String {
    let between = |char: char| matches!(char, '/' | '\\' | '=' | ':' | ';' | '&' | '|' | '[' | ']' | '{' | '}');
    text.split_inclusive(between)
        .map(|piece| {
            let part = piece.strip_suffix(between).unwrap_or(piece);
            if is_key(part) { piece.replacen(part, "***", 1) } else { piece.to_owned() }
        })
        .collect()
}

fn is_path(text: &str) -> bool {
    (text.contains(['/', '\\']) || text.ends_with(".toml")) && !text.contains("://")
}

fn begins_like_a_key(word: &str) -> bool {
    let lower = word.to_ascii_lowercase();
    word.len() >= SHORTEST_KEY && PREFIXES.iter().any(|prefix| lower.starts_with(prefix))
}

/// Whether a run of letters and digits is as long and as mixed as in a key; names of models and hosts have shorter runs.
fn looks_like_a_key(word: &str) -> bool {
    let mixed = |run: &str| {
        let digits = run.chars().filter(char::is_ascii_digit).count();
        run.len() >= LONG_RUN && digits >= 2 && digits < run.len()
    };
    begins_like_a_key(word) || word.split(|char: char| !char.is_ascii_alphanumeric()).any(mixed)
}

/// How the keys of providers and forges begin, in lower case.
const PREFIXES: [&str; 16] = [
    "sk-",
    "sk_",
    "pk-",
    "pk_",
    "rk-",
    "rk_",
    "ghp_",
    "gho_",
    "ghs_",
    "github_pat_",
    "glpat-",
    "hf_",
    "xox",
    "akia",
    "aiza",
    "eyj",
];

/// Bytes of a word from which on a prefix makes it a key.
const SHORTEST_KEY: usize = 8;

/// Letters and digits in a row from which on they are taken for a key: the shortest in use have 16.
const LONG_RUN: usize = 16;

/// Bytes of a key's or variable's name at most.
const LONGEST_NAME: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_and_the_secrets_of_urls_are_left_out_of_a_text() {
        for (said, shown) in [
            ("no proxy answers at http://me:SECRET@h:1/x", "no proxy answers at http://***@h:1/x"),
            ("`https://h/v1?key=SECRET` is odd", "`https://h/v1?***` is odd"),
            ("http://u:a/b@c@h/v1", "http://***@h/v1"),
            ("--key-env names sk-proj-SECRET, which", "--key-env names ***, which"),
            ("token=ghp_SECRETSECRET", "token=***"),
            ("https://gateway.example/4f9a8b7c6d5e4f3a2b1c/openai", "https://gateway.example/***/openai"),
            ("cannot read `a/b.toml` at line 3", "cannot read `a/b.toml` at line 3"),
        ] {
            assert_eq!(text(said), shown);
        }
    }

    #[test]
    fn a_setting_in_effect_is_shown_unless_it_is_like_a_key() {
        for plain in ["gpt-4o-mini-2024-07-18", "OPENAI_API_KEY", "/cache/3f6c09a1d2e44f9a8b7c/model", "summarize: "] {
            assert_eq!(setting(plain), plain);
        }
        assert_eq!(setting("4f9a8b7c6d5e4f3a2b1c"), "***");
    }

    #[test]
    fn a_refused_url_shows_its_host_only_where_nothing_else_can_be_meant() {
        assert_eq!(host("ftp://files.example/a"), "ftp://files.example");
        for url in ["me:SECRET@h", "http://me:SECRET@h", "http://h/?key=SECRET", "SECRET", "http://me:SEC/RET@h", ""] {
            assert_eq!(host(url), HIDDEN, "{url}");
        }
    }

    #[test]
    fn a_name_is_shown_where_it_can_be_one() {
        for plain in ["upstream.ulr", "HEADROOM_OPENAI_API_KEY"] {
            assert_eq!(name(plain), plain);
        }
        for odd in ["sk-live", "Zm9vYmFyYmF6", "a b", "upstream.4f9a8b7c6d5e4f3a2b1c"] {
            assert_eq!(name(odd), HIDDEN);
        }
    }
}
