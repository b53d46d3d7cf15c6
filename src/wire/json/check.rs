//! Whether a text is JSON, and where its longer strings stand.

use super::{super::plain::plain, Long, NEAR};

/// What may stand around values.
pub(super) const SPACE: [char; 4] = [' ', '\n', '\r', '\t'];

/// The longer strings of a text in their order; `None` where it is not one valid value.
pub(super) fn long(text: &str) -> Option<Vec<Long>> {
    let mut check = Check { bytes: text.as_bytes(), at: 0, long: Vec::new() };
    check.one()?;
    Some(check.long)
}

struct Check<'a> {
    bytes: &'a [u8],
    at: usize,
    long: Vec<Long>,
}

impl Check<'_> {
    /// One value and nothing else. Not by recursion: nothing bounds how deep it is.
    fn one(&mut self) -> Option<()> {
        // What closes the lists and objects that are open.
        let mut open = Vec::new();
        loop {
            match self.next()? {
                b'"' => self.string()?,
                b'[' if self.take(b']') => {}
                b'[' => {
                    open.push(b']');
                    continue;
                }
                b'{' if self.take(b'}') => {}
                b'{' => {
                    open.push(b'}');
                    self.key()?;
                    continue;
                }
                b't' => self.word(b"rue")?,
                b'f' => self.word(b"alse")?,
                b'n' => self.word(b"ull")?,
                b'-' => {
                    let first = self.byte()?;
                    self.number(first)?;
                }
                first => self.number(first)?,
            }
            // What is over with it.
            loop {
                let Some(close) = open.last().copied() else { return self.next().is_none().then_some(()) };
                match self.next()? {
                    b',' if close == b'}' => break self.key()?,
                    b',' => break,
                    next if next == close => {
                        open.pop();
                    }
                    _ => return None,
                }
            }
        }
    }

    fn key(&mut self) -> Option<()> {
        (self.next()? == b'"').then_some(())?;
        self.string()?;
        (self.next()? == b':').then_some(())
    }

    /// What follows the opening quote, up to the closing one.
    fn string(&mut self) -> Option<()> {
        let begin = self.at - 1;
        loop {
            self.at += plain(self.bytes.get(self.at..)?, false);
            match self.byte()? {
                b'"' => break,
                b'\\' => match self.byte()? {
                    b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => {}
                    b'u' => {
                        let digits = self.bytes.get(self.at..self.at + 4)?;
                        digits.iter().all(u8::is_ascii_hexdigit).then_some(())?;
                        self.at += 4;
                    }
                    _ => return None,
                },
                _ => return None,
            }
        }
        let string = self.bytes.get(begin..self.at)?;
        if string.len() > NEAR {
            self.long.push(Long { address: string.as_ptr().addr(), length: string.len() });
        }
        Some(())
    }

    /// A number that has begun with this byte, or with a minus before it.
    fn number(&mut self, first: u8) -> Option<()> {
        match first {
            b'0' => {}
            b'1'..=b'9' => {
                self.digits();
            }
            _ => return None,
        }
        if self.bytes.get(self.at) == Some(&b'.') {
            self.at += 1;
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.bytes.get(self.at) {
            self.at += 1;
            if let Some(b'+' | b'-') = self.bytes.get(self.at) {
                self.at += 1;
            }
            self.digits()?;
        }
        Some(())
    }

    /// One digit or more.
    fn digits(&mut self) -> Option<()> {
        let rest = self.bytes.get(self.at..)?;
        let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        self.at += digits;
        (digits > 0).then_some(())
    }

    fn word(&mut self, rest: &[u8]) -> Option<()> {
        self.bytes.get(self.at..)?.starts_with(rest).then_some(())?;
        self.at += rest.len();
        Some(())
    }

    /// The next byte behind white space, if it is this one.
    fn take(&mut self, wanted: u8) -> bool {
        let before = self.at;
        let is_next = self.next() == Some(wanted);
        if !is_next {
            self.at = before;
        }
        is_next
    }

    /// The next byte behind white space.
    fn next(&mut self) -> Option<u8> {
        loop {
            match self.byte()? {
                b' ' | b'\n' | b'\r' | b'\t' => {}
                byte => return Some(byte),
            }
        }
    }

    fn byte(&mut self) -> Option<u8> {
        let byte = *self.bytes.get(self.at)?;
        self.at += 1;
        Some(byte)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::value::RawValue;

    use super::*;

    proptest! {
        #[test]
        fn it_is_json_where_serde_takes_it_for_such(
            parts in prop::collection::vec(prop::sample::select(vec![
                "{", "}", "[", "]", ",", ":", "\"", "\"key\"", "\"key\":", "\"a\\n\"", "\\", "\\u00e9", "\\u00g9", "\\ud800", "é", "\u{1}", "\u{7f}",
                "0", "1", "-", "12.5e-3", ".", "e", "E+", "true", "false", "null", "nul", " ", "\n", "\t", "\r", "[]", "{}", "[{", "}]",
                "\"some string that is longer than eight bytes\"",
            ]), 0..10),
        ) {
            let text = parts.concat();
            prop_assert_eq!(long(&text).is_some(), serde_json::from_str::<&RawValue>(&text).is_ok(), "{}", text);
        }

        #[test]
        fn a_valid_text_that_loses_or_gains_a_byte_is_judged_as_by_serde(at in 0_usize..200, byte in "[ -~\n]", replaces: bool) {
            let mut text = r#"{"a": [1, -0.5e+3, 10, true, null, {"b\\\"\u00e9": "text of some length, \n\t and \ud83d\ude00"}], "c": {"d": [], "e": {}}, "f": "x"}"#.to_owned();
            let at = at % text.len();
            text.replace_range(at..at + usize::from(replaces), &byte);
            prop_assert_eq!(long(&text).is_some(), serde_json::from_str::<&RawValue>(&text).is_ok(), "{}", text);
        }
    }

    #[test]
    fn depth_has_no_end() {
        let deep = |close: &str| format!("{}{}", "[".repeat(100_000), close.repeat(100_000));
        assert!(long(&deep("]")).is_some() && long(&deep("}")).is_none());
    }
}
