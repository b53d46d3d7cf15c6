//! A page as text: what a reader would see, with where its links go, and where in the source each part stands.
//!
//! One pass over the tags without a tree, so that no nesting, however deep or wrong, costs more than its length.

use super::entity;
use crate::compress::{
    fuel,
    text::lexicon::html::{is_block, is_section},
};

/// The text of a page.
#[derive(Debug, Default)]
pub(super) struct Page {
    /// Lines: headings with `#`, items with `-`, rows of tables between bars.
    pub(super) text: String,
    /// Offsets in the text and in the source, rising.
    pub(super) places: Vec<(usize, usize)>,
}

impl Page {
    /// Where in the source a place of the text is.
    pub(super) fn source(&self, at: usize) -> usize {
        let next = self.places.partition_point(|(text, _)| *text <= at);
        next.checked_sub(1).and_then(|place| self.places.get(place)).map_or(0, |(_, source)| *source)
    }
}

/// Reads a document; linear in its length.
pub(super) fn read(source: &str) -> Page {
    let mut writer = Writer { may_carry: source.len(), ..Writer::default() };
    let mut at = 0;
    while let Some(rest) = source.get(at..).filter(|rest| !rest.is_empty()) {
        let next = rest.find('<').unwrap_or(rest.len());
        if next > 0 {
            writer.words(rest.get(..next).unwrap_or_default(), at);
            at += next;
            continue;
        }
        at += writer.markup(rest, at, source);
    }
    writer.line();
    Page { text: writer.text.trim_end().to_owned(), places: writer.places }
}

#[derive(Default)]
struct Writer {
    text: String,
    places: Vec<(usize, usize)>,
    /// What stands in front of the next words: a blank line, an item's mark.
    lead: String,
    blank: bool,
    pre: bool,
    /// Numbers of the items of open lists; 0 for those without.
    lists: Vec<usize>,
    quotes: usize,
    /// Where the links that are open lead, with the place where their words begin.
    links: Vec<(String, usize)>,
    row: Option<Row>,
    /// Cells that stand in later rows too: column, rows, text.
    spans: Vec<(usize, usize, String)>,
    /// Bytes of cells that may still be said again in later rows.
    may_carry: usize,
    headed: bool,
    in_title: bool,
}

/// A row of a table.
#[derive(Default)]
struct Row {
    cells: Vec<String>,
    /// Where the open cell begins in the text, and how many columns and rows it takes.
    open: Option<(usize, usize, usize)>,
    head: bool,
    start: usize,
}

impl Writer {
    /// Text between tags.
    fn words(&mut self, raw: &str, at: usize) {
        fuel::step(raw.len());
        let decoded = entity::decoded(raw);
        if self.pre {
            self.place(at);
            self.text.push_str(&decoded);
            return;
        }
        if decoded.starts_with(char::is_whitespace) {
            self.space();
        }
        let mut words =
            decoded.split(|c: char| c.is_whitespace() && c != '\u{a0}').filter(|word| !word.is_empty()).peekable();
        if words.peek().is_none() {
            return;
        }
        self.place(at);
        self.begin();
        while let Some(word) = words.next() {
            self.text.push_str(word);
            if words.peek().is_some() {
                self.text.push(' ');
            }
        }
        if decoded.ends_with(char::is_whitespace) {
            self.space();
        }
    }

    fn place(&mut self, source: usize) {
        if self.places.last().is_none_or(|(text, _)| *text < self.text.len()) {
            self.places.push((self.text.len(), source));
        }
    }

    /// Words of our own: an address, a field.
    fn put(&mut self, words: &str) {
        self.begin();
        self.text.push_str(words);
    }

    fn begin(&mut self) {
        if self.blank && !self.text.is_empty() && self.row.is_none() {
            self.text.push('\n');
        }
        self.blank = false;
        if (self.text.is_empty() || self.text.ends_with('\n')) && self.row.is_none() {
            let quotes = "> ".repeat(self.quotes.min(DEEPEST));
            self.text.push_str(&quotes);
        }
        let lead = std::mem::take(&mut self.lead);
        self.text.push_str(&lead);
    }

    fn space(&mut self) {
        if !self.text.is_empty() && !self.text.ends_with(char::is_whitespace) {
            self.text.push(' ');
        }
    }

    /// Ends the line.
    fn line(&mut self) {
        if self.row.is_some() {
            return self.space();
        }
        while self.text.ends_with(' ') {
            self.text.pop();
        }
        if !self.text.is_empty() && !self.text.ends_with('\n') {
            self.text.push('\n');
        }
        self.lead.clear();
    }

    /// Ends the paragraph.
    fn paragraph(&mut self) {
        self.line();
        self.blank = self.row.is_none();
    }

    /// A tag, a comment or a lone `<`; its length.
    fn markup(&mut self, rest: &str, at: usize, source: &str) -> usize {
        if let Some(comment) = rest.strip_prefix("<!--") {
            return comment.find("-->").map_or(rest.len(), |end| end + 7);
        }
        if rest.starts_with("<!") || rest.starts_with("<?") {
            return rest.find('>').map_or(rest.len(), |end| end + 1);
        }
        let (closes, body) =
            rest.strip_prefix("</").map_or((false, rest.get(1..).unwrap_or_default()), |body| (true, body));
        let length = body.find(|c: char| !(c.is_ascii_alphanumeric() || c == '-')).unwrap_or(body.len());
        if length == 0 || !body.starts_with(|c: char| c.is_ascii_alphabetic()) {
            self.words("<", at);
            return 1;
        }
        let name = body.get(..length).unwrap_or_default().to_ascii_lowercase();
        let inside = tag_end(rest);
        let attributes = rest.get(rest.len() - body.len() + length..inside).unwrap_or_default();
        let end = (inside + 1).min(rest.len());
        if closes {
            self.close(&name);
            return end;
        }
        if matches!(name.as_str(), "script" | "style" | "template" | "svg" | "noscript" if name != "noscript") {
            let after = rest.get(end..).unwrap_or_default();
            let skipped = end_of(after, &name);
            if name == "script" && attribute(attributes, "type").is_some_and(|kind| kind.contains("ld+json")) {
                self.paragraph();
                self.place(at);
                let data = after.get(..skipped).unwrap_or_default();
                self.put(data.rsplit_once("</").map_or(data, |(data, _)| data).trim());
                self.paragraph();
            }
            return end + skipped;
        }
        self.place_block(&name, at);
        self.open(&name, attributes);
        debug_assert!(at + end <= source.len());
        end
    }

    fn place_block(&mut self, name: &str, at: usize) {
        if is_block(name) && self.row.is_none() {
            self.line();
            self.place(at);
        }
    }

    #[expect(clippy::too_many_lines, reason = "a table: what each tag shows")]
    fn open(&mut self, name: &str, attributes: &str) {
        match name {
            "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => {
                self.paragraph();
                let level = name.bytes().last().map_or(1, |digit| usize::from(digit - b'0'));
                self.lead = format!("{} ", "#".repeat(level));
            }
            "title" => {
                self.paragraph();
                self.in_title = true;
            }
            "br" => self.line(),
            "hr" => self.paragraph(),
            "ul" | "menu" => self.list(0),
            "ol" => self.list(attribute(attributes, "start").and_then(|start| start.parse().ok()).unwrap_or(1)),
            "li" => {
                self.line();
                let indent = "  ".repeat(self.lists.len().saturating_sub(1).min(DEEPEST));
                let mark = match self.lists.last_mut() {
                    Some(number) if *number > 0 => {
                        *number += 1;
                        format!("{}.", *number - 1)
                    }
                    _ => "-".to_owned(),
                };
                self.lead = format!("{indent}{mark} ");
            }
            "blockquote" => {
                self.paragraph();
                self.quotes += 1;
            }
            "pre" => {
                self.paragraph();
                self.put("```\n");
                self.pre = true;
            }
            "code" if !self.pre => self.put("`"),
            // What is struck out holds no longer.
            "s" | "del" | "strike" if !self.pre => self.put("~~"),
            // `10<sup>5</sup>` is no 105, and the mark of a note no digit of the price before it.
            "sup" if !self.pre && self.text.ends_with(char::is_alphanumeric) => self.put("^"),
            "sub" if !self.pre && self.text.ends_with(|c: char| c.is_ascii_digit()) => self.put("_"),
            "a" => {
                let href = attribute(attributes, "href").unwrap_or_default();
                // A link ends where the next one begins (HTML, 13.2.6.4.7), so that no words are read for several.
                self.close_links();
                self.begin();
                self.links.push((href, self.text.len()));
            }
            "img" => {
                let shown = attribute(attributes, "alt").filter(|alt| !alt.trim().is_empty());
                if let Some(alt) = shown {
                    let from = attribute(attributes, "src").filter(|src| !src.starts_with("data:")).unwrap_or_default();
                    self.put(&format!("![{}]({from})", alt.trim()));
                }
            }
            "table" => {
                self.paragraph();
                (self.row, self.headed) = (None, false);
                self.spans.clear();
            }
            "tr" => {
                self.end_row();
                self.line();
                self.begin();
                self.row = Some(Row { start: self.text.len(), ..Row::default() });
            }
            "td" | "th" => self.cell(name, attributes),
            "dd" => {
                self.line();
                self.lead = ": ".to_owned();
            }
            "option" => {
                self.put(if attribute(attributes, "selected").is_some() { "[x] " } else { "[ ] " });
            }
            "input" | "select" | "textarea" | "button" => self.field(name, attributes),
            "form" => {
                self.paragraph();
                let action = attribute(attributes, "action").unwrap_or_default();
                if !action.is_empty() {
                    let method = attribute(attributes, "method").unwrap_or_default();
                    self.put(format!("[form {method} {action}]").replace("  ", " ").as_str());
                    self.line();
                }
            }
            "meta" => {
                let named = attribute(attributes, "name").filter(|name| name == "description");
                if let Some(content) = named.and_then(|_| attribute(attributes, "content")) {
                    self.paragraph();
                    self.put(&content);
                    self.paragraph();
                }
            }
            "label" => self.space(),
            _ if name == "p" || is_section(name) => self.paragraph(),
            _ if is_block(name) => self.line(),
            _ => {}
        }
    }

    fn list(&mut self, number: usize) {
        if self.lists.is_empty() {
            self.paragraph()
        } else {
            self.line()
        }
        self.lists.push(number);
    }

    fn field(&mut self, name: &str, attributes: &str) {
        let kind = attribute(attributes, "type").unwrap_or_default();
        if kind == "hidden" {
            return;
        }
        let called = attribute(attributes, "name").or_else(|| attribute(attributes, "id")).unwrap_or_default();
        let value = attribute(attributes, "value").or_else(|| attribute(attributes, "placeholder")).unwrap_or_default();
        let chosen = if attribute(attributes, "checked").is_some() { " checked" } else { "" };
        self.space();
        match name {
            "button" => self.put("[button "),
            "input" if kind == "submit" || kind == "button" => self.put(&format!("[button {value}]")),
            _ => {
                let words = [name, &kind, &called, &value]
                    .into_iter()
                    .filter(|word| !word.is_empty())
                    .collect::<Vec<_>>()
                    .join(" ");
                self.put(&format!("[{words}{chosen}] "));
            }
        }
    }

    fn cell(&mut self, name: &str, attributes: &str) {
        self.end_cell();
        if self.row.is_none() {
            self.line();
            self.row = Some(Row { start: self.text.len(), ..Row::default() });
        }
        let number = |key: &str| {
            attribute(attributes, key).and_then(|value| value.parse::<usize>().ok()).unwrap_or(1).clamp(1, 50)
        };
        let (columns, rows) = (number("colspan"), number("rowspan"));
        let start = self.text.len();
        if let Some(row) = &mut self.row {
            row.head |= name == "th" && row.cells.is_empty();
            row.open = Some((start, columns, rows));
        }
        self.carried();
    }

    /// Cells of earlier rows that stand in this column too.
    fn carried(&mut self) {
        let Some(row) = &mut self.row else { return };
        while let Some(span) = self.spans.iter_mut().find(|(column, rows, _)| *column == row.cells.len() && *rows > 0) {
            span.1 -= 1;
            // A page says no more in this way than it is long.
            self.may_carry = self.may_carry.saturating_sub(span.2.len());
            row.cells.push(if self.may_carry > 0 { span.2.clone() } else { String::new() });
        }
        fuel::step(self.spans.len());
        self.spans.retain(|(_, rows, _)| *rows > 0);
    }

    fn end_cell(&mut self) {
        self.close_links();
        let Some(row) = &mut self.row else { return };
        let Some((start, columns, rows)) = row.open.take() else { return };
        let text = self
            .text
            .get(start..)
            .unwrap_or_default()
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ")
            .replace('|', "/");
        self.text.truncate(start);
        let column = row.cells.len();
        if rows > 1 && self.spans.len() < 200 {
            self.spans.push((column, rows - 1, text.clone()));
        }
        row.cells.push(text);
        let columns = columns.min(WIDEST.saturating_sub(row.cells.len()));
        row.cells.extend((1..columns).map(|_| String::new()));
    }

    fn end_row(&mut self) {
        self.end_cell();
        self.carried();
        let Some(row) = self.row.take() else { return };
        self.text.truncate(row.start);
        if row.cells.iter().all(String::is_empty) {
            return;
        }
        // A table of one column is no table.
        if row.cells.len() == 1 {
            self.text.push_str(&row.cells.concat());
        } else {
            self.text.push_str(&format!("| {} |", row.cells.join(" | ")));
            if row.head && !self.headed {
                self.text.push_str(&format!("\n|{}", "---|".repeat(row.cells.len())));
            }
            self.headed = true;
        }
        self.text.push('\n');
    }

    fn close_links(&mut self) {
        while let Some((href, start)) = self.links.pop() {
            self.link(&href, start);
        }
    }

    /// `[words](address)`; the words alone where it leads nowhere.
    fn link(&mut self, href: &str, start: usize) {
        if href.is_empty() || href.starts_with("javascript:") || start > self.text.len() {
            return;
        }
        let words = self.text.get(start..).unwrap_or_default().trim().to_owned();
        if words.is_empty() || words.contains('\n') {
            return;
        }
        let spaced = self.text.ends_with(char::is_whitespace);
        self.text.truncate(start);
        let linked = if words == href { words } else { format!("[{words}]({href})") };
        self.text.push_str(&linked);
        if spaced {
            self.text.push(' ');
        }
    }

    fn close(&mut self, name: &str) {
        match name {
            "a" => {
                if let Some((href, start)) = self.links.pop() {
                    self.link(&href, start);
                }
            }
            "h1" | "h2" | "h3" | "h4" | "h5" | "h6" | "p" => self.paragraph(),
            "title" => {
                self.in_title = false;
                self.paragraph();
            }
            "ul" | "ol" | "menu" => {
                self.lists.pop();
                if self.lists.is_empty() { self.paragraph() } else { self.line() }
            }
            "blockquote" => {
                self.paragraph();
                self.quotes = self.quotes.saturating_sub(1);
            }
            "pre" if self.pre => {
                self.pre = false;
                if !self.text.ends_with('\n') {
                    self.text.push('\n');
                }
                self.put("```");
                self.paragraph();
            }
            "code" if !self.pre => self.text.push('`'),
            "s" | "del" | "strike" if !self.pre => self.text.push_str("~~"),
            "button" => self.text.push(']'),
            "option" => self.space(),
            "td" | "th" => self.end_cell(),
            "tr" => self.end_row(),
            "table" => {
                self.end_row();
                self.paragraph();
            }
            _ if is_section(name) => self.paragraph(),
            _ if is_block(name) => self.line(),
            _ => {}
        }
    }
}

/// Where a tag that begins a text has its `>`, quotes respected; a quote that is not closed holds nothing.
fn tag_end(rest: &str) -> usize {
    let bytes = rest.as_bytes();
    let (mut at, limit) = (1, rest.len().min(LONGEST_TAG));
    while let Some(byte) = bytes.get(at).filter(|_| at < limit) {
        match byte {
            b'>' => return at,
            b'"' | b'\'' => {
                let close = bytes.get(at + 1..limit).and_then(|rest| rest.iter().position(|other| other == byte));
                at = close.map_or(at, |close| at + 1 + close);
            }
            _ => {}
        }
        at += 1;
    }
    rest.find('>').unwrap_or(rest.len())
}

/// The length of what stands before and in the closing tag of an element whose content is no text.
fn end_of(rest: &str, name: &str) -> usize {
    let mut at = 0;
    while let Some(found) = rest.get(at..).and_then(|rest| rest.find("</")) {
        let after = rest.get(at + found + 2..).unwrap_or_default();
        if after.get(..name.len()).is_some_and(|own| own.eq_ignore_ascii_case(name)) {
            return at + found + 2 + after.find('>').map_or(after.len(), |end| end + 1);
        }
        at += found + 2;
    }
    rest.len()
}

/// The value of an attribute; empty for one without.
fn attribute(attributes: &str, name: &str) -> Option<String> {
    let mut rest = attributes;
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_whitespace() || c == '/');
        let end = rest.find(|c: char| c.is_whitespace() || c == '=' || c == '/').unwrap_or(rest.len());
        let key = rest.get(..end).filter(|key| !key.is_empty())?;
        rest = rest.get(end..)?.trim_start();
        let mut value = "";
        if let Some(after) = rest.strip_prefix('=') {
            let after = after.trim_start();
            let quote = after.chars().next().filter(|c| *c == '"' || *c == '\'');
            let inner = quote.map_or(after, |_| after.get(1..).unwrap_or_default());
            let stop = match quote {
                Some(quote) => inner.find(quote).unwrap_or(inner.len()),
                None => inner.find(char::is_whitespace).unwrap_or(inner.len()),
            };
            value = inner.get(..stop).unwrap_or_default();
            rest = inner.get(stop + usize::from(quote.is_some())..).unwrap_or_default();
        }
        if key.eq_ignore_ascii_case(name) {
            return Some(entity::decoded(value).into_owned());
        }
    }
}

/// Depth to which lists and quotations are indented.
const DEEPEST: usize = 8;

/// Cells of a row past which none takes several columns.
const WIDEST: usize = 1_000;

/// Bytes of a tag in which quotes are respected; it keeps hostile tags linear.
const LONGEST_TAG: usize = 20_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn raised_figures_are_no_digits_of_what_stands_before_them() {
        let page =
            read("<p>It costs 75 EUR<sup>2</sup> for 10<sup>5</sup> calls, 10<sub>2</sub> of H<sub>2</sub>O.</p>");
        assert_eq!(page.text.trim(), "It costs 75 EUR^2 for 10^5 calls, 10_2 of H2O.");
    }

    #[test]
    fn links_lists_tables_fields_and_code_are_read_off() {
        let html = "<!doctype html><html><head><title>Net loft</title><style>a{}</style><script>if (a<b) {}</script></head><body>\
            <nav><a href=\"/\">Home</a></nav><h1>Loft &amp; yard</h1><p>Nylon is <b>not</b> mended; see <a href='/n?a=1&amp;b=2'>why</a>.</p>\
            <ol><li>wet<ul><li>nets</li></ul></li><li>dogs</li></ol><table><tr><th>Net<th>Price</tr><tr><td rowspan=2>Cod</td><td>44</td></tr>\
            <tr><td>52</td></tr></table><pre>a\n  b</pre><img alt=\"Pier\" src=\"p.png\"><form action=/ask><label>Net <input name=net></label>\
            <select name=day><option selected>Mon</option></select><button>Send</button></form></body></html>";
        let text = read(html).text;
        let wanted = "Net loft\n\n[Home](/)\n\n# Loft & yard\n\nNylon is not mended; see [why](/n?a=1&b=2).\n\n1. wet\n  - nets\n2. dogs\n\n\
            | Net | Price |\n|---|---|\n| Cod | 44 |\n| Cod | 52 |\n\n```\na\n  b\n```\n\n![Pier](p.png)\n\n[form /ask]\nNet [input net] [select day] [x] Mon [button Send]";
        assert_eq!(text, wanted);
    }

    #[test]
    fn places_rise_and_lie_in_the_source() {
        let html = "<p>One &lt; two</p>\n<p>Three</p>";
        let page = read(html);
        assert_eq!(page.text, "One < two\n\nThree");
        assert!(html.get(page.source(page.text.find("Three").unwrap())..).unwrap().contains("Three"));
        assert!(page.places.windows(2).all(|two| two[0].0 < two[1].0 && two[0].1 <= two[1].1));
    }

    #[test]
    fn hostile_pages_are_read_in_linear_time() {
        for html in [
            "<div>".repeat(100_000),
            "<a href='".repeat(50_000),
            "</p>".repeat(100_000),
            "<".repeat(200_000),
            "<table><tr><td>".repeat(20_000),
            "<!--".repeat(50_000),
            "<script>".repeat(50_000),
            "&".repeat(200_000),
            "<blockquote><ul>".repeat(20_000) + "x",
        ] {
            read(&html);
        }
    }
}
