//! HTML documents: the text that a reader would see.

/// Whether a text is an HTML document and not a text that speaks of HTML.
#[must_use]
pub(super) fn is_document(content: &str) -> bool {
    let head = content.get(..content.floor_char_boundary(400)).unwrap_or(content).to_ascii_lowercase();
    (head.starts_with("<!doctype html")
        || head.starts_with("<html")
        || (head.starts_with("<?xml") && head.contains("<html")))
        && content.contains("</")
}

/// The document as text, by `html2text`, links and emphasis left plain; nothing where it can't be read in linear time, or
/// holds no text.
///
/// Scripts, styles and comments go; wide lines are not broken.
pub(super) fn text(document: &str) -> Option<String> {
    // The parser's tree is deep where tags are left open; such a text stays as it is.
    if deepest(document) > DEEPEST {
        return None;
    }
    let text = html2text::config::plain_no_decorate()
        .no_table_borders()
        .allow_width_overflow()
        .string_from_read(document.as_bytes(), WIDTH)
        .ok()?;
    let mut short = String::with_capacity(text.len());
    let mut blank = true;
    for line in text.lines() {
        let line = line.trim_end();
        if line.is_empty() && blank {
            continue;
        }
        blank = line.is_empty();
        short.push_str(line);
        short.push('\n');
    }
    let short = short.trim_end().to_owned();
    (!short.is_empty()).then_some(short)
}

/// A bound on the nesting: opening tags less closing ones, tags that need no closing aside.
fn deepest(block: &str) -> usize {
    let (mut depth, mut most) = (0_usize, 0);
    let mut rest = block;
    while let Some(at) = rest.find('<') {
        rest = rest.get(at + 1..).unwrap_or_default();
        let (closes, tag) = rest.strip_prefix('/').map_or((false, rest), |tag| (true, tag));
        let name = tag.split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default();
        if name.is_empty() || VOID.iter().any(|void| name.eq_ignore_ascii_case(void)) {
            continue;
        }
        if closes {
            depth = depth.saturating_sub(1);
        } else {
            depth += 1;
            most = most.max(depth);
        }
    }
    most
}

const VOID: &[&str] =
    &["br", "hr", "img", "input", "meta", "link", "li", "p", "td", "tr", "source", "col", "area", "wbr"];

/// Deeper documents are not parsed.
const DEEPEST: usize = 400;

/// Columns: wide enough that prose is not broken into lines.
const WIDTH: usize = 4000;
