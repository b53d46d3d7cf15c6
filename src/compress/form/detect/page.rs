//! What an HTML page looks like.

use crate::compress::text::lexicon::html;

/// Whether a text is an HTML document, or a part of one, and not a text that speaks of HTML.
#[must_use]
pub(super) fn is_document(content: &str) -> bool {
    let head = content.get(..content.floor_char_boundary(400)).unwrap_or(content).to_ascii_lowercase();
    let whole = head.starts_with("<!doctype html")
        || head.starts_with("<html")
        || (head.starts_with("<?xml") && head.contains("<html"));
    (whole && content.contains("</")) || (head.starts_with('<') && content.ends_with('>') && is_fragment(content))
}

/// Mostly tags that HTML has, those of text among them.
fn is_fragment(content: &str) -> bool {
    let (mut all, mut known, mut of_text) = (0_usize, 0_usize, 0_usize);
    for tag in content.split('<').skip(1).take(SAMPLE) {
        let name = tag.trim_start_matches('/').split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default();
        let name = name.to_ascii_lowercase();
        all += 1;
        known += usize::from(html::is_element(&name));
        of_text += usize::from(matches!(name.as_str(), "p" | "li" | "td" | "h1" | "h2" | "h3" | "a"));
    }
    all >= 8 && known * 10 >= all * 9 && of_text >= 4
}

/// Tags that are looked at.
const SAMPLE: usize = 400;
