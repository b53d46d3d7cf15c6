//! Code and diffs, and settings of which nothing is asked: every word stays; blank runs and white space at line ends go.

use super::{
    CountTokens,
    content::{Kind, Rendered},
};

/// The block with runs of blank lines as one, and no white space at line ends.
pub(super) fn render(block: &str, kind: Kind, tokens: &dyn CountTokens) -> Option<Rendered> {
    // In a diff white space at a line's end is content: it may be the very change.
    if kind == Kind::Diff {
        return None;
    }
    let mut text = String::with_capacity(block.len());
    let mut blank = 0;
    for line in block.split_inclusive('\n') {
        let content = line.trim_end();
        blank = if content.is_empty() { blank + 1 } else { 0 };
        if blank > 1 {
            continue;
        }
        text.push_str(content);
        if line.ends_with('\n') {
            text.push('\n');
        }
    }
    (text.len() < block.len()).then(|| Rendered::reformed(block, kind, text, "blank runs left out", tokens))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compress::Encoding;

    #[test]
    fn code_keeps_its_words_and_its_indentation() {
        let code = "fn a() {\n    b();   \n\n\n\n    c();\n}\n";
        let rendered = render(code, Kind::Code, &Encoding::O200k).unwrap();
        assert_eq!(rendered.text, "fn a() {\n    b();\n\n    c();\n}\n");
    }

    #[test]
    fn a_diff_is_not_touched() {
        assert_eq!(render("-a \n+a\n\n\n\n", Kind::Diff, &Encoding::O200k), None);
    }
}
