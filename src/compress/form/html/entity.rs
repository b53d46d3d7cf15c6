//! Character references of HTML.

use std::borrow::Cow;

/// A text with its references resolved; one that is not known stays as it is.
pub(super) fn decoded(text: &str) -> Cow<'_, str> {
    if !text.contains('&') {
        return Cow::Borrowed(text);
    }
    let mut found = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        found.push_str(rest.get(..at).unwrap_or_default());
        rest = rest.get(at..).unwrap_or_default();
        let end = rest.bytes().take(LONGEST).position(|byte| byte == b';');
        let character = end.and_then(|end| character(rest.get(1..end)?));
        match (character, end) {
            (Some(character), Some(end)) => {
                found.push(character);
                rest = rest.get(end + 1..).unwrap_or_default();
            }
            _ => {
                found.push('&');
                rest = rest.get(1..).unwrap_or_default();
            }
        }
    }
    found.push_str(rest);
    Cow::Owned(found)
}

fn character(name: &str) -> Option<char> {
    if let Some(number) = name.strip_prefix('#') {
        let code = match number.strip_prefix(['x', 'X']) {
            Some(hex) => u32::from_str_radix(hex, 16),
            None => number.parse(),
        };
        return code.ok().and_then(char::from_u32).filter(|c| !c.is_control() || *c == '\n' || *c == '\t');
    }
    NAMES.iter().find(|(known, _)| *known == name).map(|(_, character)| *character)
}

/// Bytes of the longest reference that is looked for.
const LONGEST: usize = 12;

#[rustfmt::skip]
const NAMES: &[(&str, char)] = &[
    ("amp", '&'), ("lt", '<'), ("gt", '>'), ("quot", '"'), ("apos", '\''), ("nbsp", '\u{a0}'), ("ndash", '–'),
    ("mdash", '—'), ("hellip", '…'), ("lsquo", '‘'), ("rsquo", '’'), ("ldquo", '“'), ("rdquo", '”'), ("laquo", '«'),
    ("raquo", '»'), ("bull", '•'), ("middot", '·'), ("copy", '©'), ("reg", '®'), ("trade", '™'), ("deg", '°'),
    ("plusmn", '±'), ("times", '×'), ("divide", '÷'), ("frac12", '½'), ("frac14", '¼'), ("frac34", '¾'), ("euro", '€'),
    ("pound", '£'), ("yen", '¥'), ("cent", '¢'), ("sect", '§'), ("para", '¶'), ("micro", 'µ'), ("larr", '←'),
    ("rarr", '→'), ("uarr", '↑'), ("darr", '↓'), ("le", '≤'), ("ge", '≥'), ("ne", '≠'), ("minus", '−'), ("infin", '∞'),
    ("auml", 'ä'), ("ouml", 'ö'), ("uuml", 'ü'), ("Auml", 'Ä'), ("Ouml", 'Ö'), ("Uuml", 'Ü'), ("szlig", 'ß'),
    ("eacute", 'é'), ("egrave", 'è'), ("ecirc", 'ê'), ("agrave", 'à'), ("acirc", 'â'), ("aacute", 'á'), ("iacute", 'í'),
    ("oacute", 'ó'), ("uacute", 'ú'), ("ntilde", 'ñ'), ("ccedil", 'ç'), ("aring", 'å'), ("oslash", 'ø'), ("aelig", 'æ'),
    ("thinsp", '\u{2009}'), ("ensp", '\u{2002}'), ("emsp", '\u{2003}'), ("zwnj", '\u{200c}'), ("shy", '\u{ad}'),
];
