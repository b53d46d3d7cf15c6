//! Patterns in which `*` stands for anything.

/// A pattern; upper and lower case of ASCII are one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::proxy) struct Glob(String);

impl Glob {
    pub(in crate::proxy) fn new(pattern: &str) -> Self {
        Self(pattern.to_ascii_lowercase())
    }

    /// Whether all of `text` fits. Each `*` is first taken for nothing; where the rest then does not fit, the last one
    /// takes a byte more, so the time is at most the product of both lengths.
    pub(in crate::proxy) fn fits(&self, text: &str) -> bool {
        let (pattern, text) = (self.0.as_bytes(), text.as_bytes());
        let (mut at, mut read) = (0, 0);
        // Behind the last star, and up to where it has taken the text.
        let mut star: Option<(usize, usize)> = None;
        while let Some(byte) = text.get(read) {
            match pattern.get(at) {
                Some(b'*') => {
                    star = Some((at + 1, read));
                    at += 1;
                }
                Some(wanted) if *wanted == byte.to_ascii_lowercase() => {
                    at += 1;
                    read += 1;
                }
                _ => {
                    let Some((behind, taken)) = star else { return false };
                    star = Some((behind, taken + 1));
                    (at, read) = (behind, taken + 1);
                }
            }
        }
        pattern.get(at..).is_none_or(|rest| rest.iter().all(|byte| *byte == b'*'))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_star_stands_for_anything_and_nothing_else_does() {
        for (pattern, text, fits) in [
            ("*", "", true),
            ("", "", true),
            ("", "a", false),
            ("read", "read", true),
            ("read", "READ", true),
            ("read", "read_file", false),
            ("read*", "read_file", true),
            ("*file", "read_file", true),
            ("mcp__*__read*", "mcp__fs__read_text", true),
            ("mcp__*__read*", "mcp__fs_read", false),
            ("*ab*ab", "abab", true),
            ("*ab*ab", "ab", false),
            ("a*b*c", "a-b-b-c", true),
            ("a.c", "abc", false),
            ("gpt-?", "gpt-5", false),
            ("*é", "café", true),
        ] {
            assert_eq!(Glob::new(pattern).fits(text), fits, "{pattern} on {text}");
        }
    }

    proptest! {
        #[test]
        fn it_says_what_the_regular_expression_says(pattern in "[ab*]{0,8}", text in "[abAB]{0,10}") {
            let regex = regex::Regex::new(&format!("^(?i:{})$", pattern.replace('*', ".*"))).unwrap();
            prop_assert_eq!(Glob::new(&pattern).fits(&text), regex.is_match(&text));
        }
    }
}
