//! What an HTML page looks like.

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
        known += usize::from(KNOWN.contains(&name.as_str()));
        of_text += usize::from(matches!(name.as_str(), "p" | "li" | "td" | "h1" | "h2" | "h3" | "a"));
    }
    all >= 8 && known * 10 >= all * 9 && of_text >= 4
}

/// Tags that are looked at.
const SAMPLE: usize = 400;

const KNOWN: &[&str] = &[
    "a",
    "abbr",
    "address",
    "article",
    "aside",
    "b",
    "blockquote",
    "body",
    "br",
    "button",
    "caption",
    "cite",
    "code",
    "col",
    "colgroup",
    "dd",
    "div",
    "dl",
    "dt",
    "em",
    "fieldset",
    "figcaption",
    "figure",
    "footer",
    "form",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "head",
    "header",
    "hr",
    "html",
    "i",
    "iframe",
    "img",
    "input",
    "label",
    "legend",
    "li",
    "link",
    "main",
    "meta",
    "nav",
    "ol",
    "option",
    "p",
    "path",
    "pre",
    "s",
    "script",
    "section",
    "select",
    "small",
    "span",
    "strong",
    "style",
    "sub",
    "sup",
    "svg",
    "table",
    "tbody",
    "td",
    "textarea",
    "tfoot",
    "th",
    "thead",
    "time",
    "title",
    "tr",
    "u",
    "ul",
    "video",
];
