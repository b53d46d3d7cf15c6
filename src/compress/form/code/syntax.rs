//! How a text's lines are to be read: its comments, its quotes, and what gives it structure beside indentation.
//!
//! Told by the content alone: a name's ending is missing as often as not, and one that lies does harm.

/// What to expect in the lines of a text.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Syntax {
    /// `# …`.
    pub(super) hash: bool,
    /// `// …` and `/* … */`.
    pub(super) slash: bool,
    /// `-- …`.
    pub(super) dash: bool,
    /// `key: value`, `key = value`, `[section]`, `- item`.
    pub(super) keyed: bool,
    /// YAML: a key without a value needs what stands under it, scalars go on below.
    pub(super) yaml: bool,
    /// Pairs of tags.
    pub(super) markup: bool,
    /// Paragraphs, headings, lists.
    pub(super) prose: bool,
    /// A file of stages that begin with `FROM`.
    pub(super) stages: bool,
    /// The first line names the cells of all others.
    pub(super) rows: bool,
    /// Members end with commas, the last of a group does not.
    pub(super) json: bool,
    /// A single quote may hold one character only.
    pub(super) chars: bool,
}

/// Reads a sample of the lines.
pub(super) fn of(lines: &[&str]) -> Syntax {
    let full: Vec<&str> = lines.iter().map(|line| line.trim()).filter(|line| !line.is_empty()).take(SAMPLE).collect();
    let count = |like: &dyn Fn(&str) -> bool| full.iter().filter(|line| like(line)).count();
    let most = |found: usize, share: usize| found * share > full.len();
    let first = full.first().copied().unwrap_or_default();
    let tags = count(&|line| line.starts_with('<') && line.contains('>'));
    if first.starts_with("<?xml") || first.starts_with("<!") || (first.starts_with('<') && most(tags, 2)) {
        return Syntax { markup: true, ..Syntax::default() };
    }
    let json = matches!(first.chars().next(), Some('{' | '['))
        && !first.ends_with("]")
        && most(count(&|line| line.starts_with(['"', '{', '}', ']', '['])), 2);
    if json {
        return Syntax { json: true, ..Syntax::default() };
    }
    if is_rows(&full) {
        return Syntax { rows: true, ..Syntax::default() };
    }
    let marked = count(&|line| line.starts_with("# ") || line == "#" || line.starts_with("#!"));
    let slashed = count(&|line| line.starts_with("//") || line.starts_with("/*"));
    let braced = count(&|line| line.ends_with([';', '{', '}']) || line.ends_with("});"));
    let dashed = count(&|line| line.starts_with("-- "));
    let slash = slashed > 0 && slashed >= marked || most(braced, 4) && marked == 0;
    let coded = braced + slashed + count(&is_statement);
    let sentences = count(&is_sentence);
    let listed = count(&|line| {
        line.starts_with("- ") || line.starts_with("* ") || line.starts_with("## ") || line.starts_with("```")
    });
    let settings = count(&|line| is_setting(line) || line.starts_with("- ") || is_section(line));
    let keyed = !most(coded, 4) && sentences * 3 < settings && most(settings + marked, 2);
    let prose = !keyed && (sentences + listed) > coded * 2 && most(sentences + listed, 4);
    let colons = count(&|line| is_key(line));
    let stages = full.iter().find(|line| !line.starts_with('#')).is_some_and(|line| {
        (line.starts_with("FROM ") || line.starts_with("ARG "))
            && full.iter().any(|line| line.starts_with("RUN ") || line.starts_with("COPY "))
    });
    Syntax {
        hash: !slash && !prose,
        slash: slash && !prose,
        dash: dashed > 0 && !slash && marked == 0,
        keyed,
        yaml: keyed && colons * 2 > settings,
        prose: prose && !stages,
        stages,
        chars: slash
            && full.iter().any(|line| line.starts_with("fn ") || line.starts_with("pub ") || line.starts_with("impl")),
        ..Syntax::default()
    }
}

/// `[section]`, `[[table]]`, with a comment behind it or not.
pub(super) fn is_section(line: &str) -> bool {
    let line = line.split(" #").next().unwrap_or_default().trim_end();
    line.starts_with('[') && line.ends_with(']') && line.trim_matches(['[', ']']).len() >= line.len().saturating_sub(4)
}

/// `key:` with a value or without.
pub(super) fn is_key(line: &str) -> bool {
    let line = line.trim_start().trim_start_matches("- ");
    let Some((key, value)) = line.split_once(':') else { return false };
    let plain = key.len() <= 80 && key.split_whitespace().count() <= 3 && !key.contains(['(', '{', ';', '`']);
    plain && !key.is_empty() && (value.is_empty() || value.starts_with([' ', '\t']))
}

fn is_setting(line: &str) -> bool {
    let assigned = line.split_once('=').is_some_and(|(key, _)| {
        let key = key.trim();
        !key.is_empty()
            && key.len() <= 80
            && key.chars().all(|c| c.is_alphanumeric() || "_.-\"'/ @".contains(c))
            && !key.contains("  ")
    });
    is_key(line) || assigned
}

/// What only code says.
fn is_statement(line: &str) -> bool {
    #[rustfmt::skip]
    const HEADS: &[&str] = &[
        "def ", "class ", "import ", "from ", "return", "fn ", "pub ", "func ", "function ", "const ", "let ", "var ",
        "if (", "if [", "for (", "#include", "#define", "package ", "public ", "private ", "static ", "elif ",
        "else:", "try:", "raise ", "end", "fi", "done", "SELECT ", "CREATE ", "@", "local ", "module ",
    ];
    line.ends_with("):")
        || line.ends_with("(")
        || line.ends_with(')') && line.contains('(') && !line.contains(". ")
        || HEADS.iter().any(|head| line.starts_with(head) && !is_sentence(line))
}

/// Five plain words and more, most of the line.
pub(super) fn is_sentence(line: &str) -> bool {
    let (mut all, mut plain) = (0, 0);
    for word in line.split_whitespace() {
        all += 1;
        let bare = word.trim_matches(['.', ',', ';', ':', '?', '!', '(', ')', '"', '\'', '*', '_', '`']);
        plain += usize::from(
            !bare.is_empty() && bare.chars().all(|c| c.is_alphabetic() || c == '-' || c == '\'' || c == '’'),
        );
    }
    plain >= 5 && plain * 5 >= all * 4 && !line.ends_with(['{', '}', ';'])
}

/// The same number of separators in nearly every line, three and more lines.
fn is_rows(full: &[&str]) -> bool {
    let Some(first) = full.first() else { return false };
    let Some(mark) = [',', ';', '\t', '|'].into_iter().find(|mark| first.matches(*mark).count() >= 2) else {
        return false;
    };
    let cells = first.matches(mark).count();
    let like = full
        .iter()
        .filter(|line| {
            line.matches(mark).count() == cells || (line.contains('"') && line.matches(mark).count() > cells)
        })
        .count();
    full.len() >= 3 && like * 10 >= full.len() * 9 && !first.ends_with(mark) && !first.contains("(")
}

/// Lines that are looked at.
const SAMPLE: usize = 400;

#[cfg(test)]
mod tests {
    use super::*;

    fn syntax(text: &str) -> Syntax {
        of(&text.lines().collect::<Vec<_>>())
    }

    #[test]
    fn the_content_tells_how_lines_are_read() {
        assert!(syntax("import os\n\ndef f(x):\n    # why\n    return x\n").hash);
        assert!(syntax("fn f() {\n    g();\n}\n").slash);
        assert!(syntax("a: 1\nb:\n  - c\n  - d: 2\n# x\n").yaml);
        let toml = syntax("# x\n[a]\nb = 1\nc = \"d\"\n");
        assert!(toml.keyed && !toml.yaml);
        assert!(syntax("{\n  \"a\": 1,\n  \"b\": 2\n}\n").json);
        assert!(syntax("<a>\n <b>x</b>\n</a>\n").markup);
        assert!(syntax("a,b,c\n1,2,3\n4,5,6\n").rows);
        assert!(
            syntax("# Title\n\nThis is a text that is read by people who like it.\nAnd it goes on and on here.\n")
                .prose
        );
        assert!(syntax("FROM a AS b\nRUN x\nCOPY y z\n").stages);
    }
}
