//! Where a place in a value is in the source: a value may stand in a string, and that string in the source with escapes.

/// Maps places of a text to places of the source.
#[derive(Debug)]
pub(super) struct Places<'p> {
    /// Places of the text from which on it goes side by side with what is around it, with the place there.
    steps: Vec<(usize, usize)>,
    /// What is around it, where that is no source.
    outer: Option<&'p Places<'p>>,
}

impl<'p> Places<'p> {
    /// Of a text that is the source from `start` on.
    pub(super) fn source(start: usize) -> Self {
        Self { steps: vec![(0, start)], outer: None }
    }

    /// In how many strings the text stands.
    pub(super) fn depth(&self) -> u8 {
        self.outer.map_or(0, |outer| outer.depth().saturating_add(1))
    }

    /// Of what a string says that begins at `start` of this text and is written as `raw`, quotes included.
    pub(super) fn within(&'p self, start: usize, raw: &str) -> Self {
        let mut steps = vec![(0, start + 1)];
        let mut told = 0;
        let mut at = 1;
        let bytes = raw.as_bytes();
        while at + 1 < bytes.len() {
            if bytes.get(at) != Some(&b'\\') {
                at += 1;
                told += 1;
                continue;
            }
            let (written, says) = escape(raw.get(at..).unwrap_or_default());
            at += written;
            told += says;
            steps.push((told, start + at));
        }
        Self { steps, outer: Some(self) }
    }

    /// The place in the source.
    pub(super) fn at(&self, place: usize) -> usize {
        let after = self.steps.partition_point(|(told, _)| *told <= place);
        let (told, around) = after.checked_sub(1).and_then(|at| self.steps.get(at)).copied().unwrap_or((0, 0));
        let place = around + (place - told);
        self.outer.map_or(place, |outer| outer.at(place))
    }
}

/// How many bytes an escape takes and how many it says.
fn escape(text: &str) -> (usize, usize) {
    let code = |from: usize| text.get(from..from + 4).and_then(|hex| u32::from_str_radix(hex, 16).ok());
    if !text.starts_with("\\u") {
        return (2, 1);
    }
    match code(2) {
        Some(high) if (0xD800..0xDC00).contains(&high) => (12, 4),
        Some(code) => (6, char::from_u32(code).map_or(3, char::len_utf8)),
        None => (2, 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_in_a_string_are_found_behind_its_escapes() {
        let says = "a\"b\u{e9}\n{\u{1f600}x}";
        for raw in [serde_json::to_string(says).unwrap(), r#""a\"b\u00e9\n{\ud83d\ude00x}""#.to_owned()] {
            let source = format!("[{raw}]");
            let outer = Places::source(0);
            let places = outer.within(1, &raw);
            for what in ["a", "b", "{", "x", "}"] {
                let (told, stands) = (says.find(what).unwrap(), source.rfind(what).unwrap());
                assert_eq!(places.at(told), stands, "{what} in {source}");
            }
        }
    }
}
