//! What the assistant gave to tools: a file that it wrote, the text that an edit put in, a script that a command ran. A
//! later result may say the same again.

use std::sync::Arc;

use super::{
    Call,
    json::{Json, Object},
    turn::Called,
};

/// A text among the arguments of a call, of several lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// Index of the message, or of the item, in which it stands.
    pub message: usize,
    /// The tool's name, and its short arguments; where there are none, how the text begins.
    pub call: Call,
    /// What of the call it is.
    pub what: What,
    /// The text, without the escapes of JSON.
    pub text: String,
}

/// What of a call a text is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum What {
    /// The argument of this name.
    Argument(String),
    /// All that the tool was given.
    Input,
    /// A file that a patch adds.
    Added,
}

/// Notes the longer texts that the calls of a message give to tools.
pub(super) fn note(written: &mut Vec<Arc<Written>>, message: usize, calls: &[Called]) {
    let mut last = None;
    for (_, call) in calls {
        // One call may go by several ids.
        if call.arguments.len() >= LEAST && last != Some(call) {
            last = Some(call);
            of_call(call, &mut |what, arguments, text| {
                let call = Call { name: call.name.clone(), arguments };
                written.push(Arc::new(Written { message, call, what, text }));
            });
        }
    }
}

/// Tells what, with which short arguments, of which text.
type Tell<'a> = &'a mut dyn FnMut(What, String, String);

fn of_call(call: &Call, tell: Tell<'_>) {
    let json = Json::read(&call.arguments);
    let Some(arguments) = json.as_ref().and_then(Json::object) else {
        return of_text(What::Input, None, call.arguments.clone(), tell);
    };
    let short = short(&arguments);
    for (name, value) in arguments.fields().filter(|(_, value)| value.get().len() >= LEAST) {
        for text in value.strings() {
            of_text(What::Argument(name.to_owned()), short.as_ref(), text, tell);
        }
    }
}

/// A text, or the files that it adds where it is a patch.
fn of_text(what: What, short: Option<&String>, text: String, tell: Tell<'_>) {
    if text.len() < LEAST || !text.contains('\n') {
        return;
    }
    if text.contains("*** Begin Patch") {
        return added(&text, tell);
    }
    let arguments = short.cloned().unwrap_or_else(|| text.lines().next().unwrap_or_default().to_owned());
    tell(what, arguments, text);
}

/// The files that a patch adds, whose lines stand in it behind a `+`.
fn added(patch: &str, tell: Tell<'_>) {
    let mut lines = patch.lines().peekable();
    while let Some(line) = lines.next() {
        let Some(path) = line.strip_prefix("*** Add File: ") else { continue };
        let mut text = String::new();
        while let Some(line) = lines.next_if(|line| line.starts_with('+')) {
            text.push_str(line.get(1..).unwrap_or_default());
            text.push('\n');
        }
        if text.len() >= LEAST {
            tell(What::Added, path.trim().to_owned(), text);
        }
    }
}

/// The short arguments that are no lists and no objects, as JSON.
fn short(arguments: &Object<'_>) -> Option<String> {
    let told = |value: &str| value.len() <= MOST_TOLD && !value.starts_with(['[', '{']);
    let fields = arguments.fields().filter(|(_, value)| told(value.get()));
    let fields: Vec<String> = fields
        .filter_map(|(name, value)| Some(format!("{}:{}", serde_json::to_string(name).ok()?, value.get())))
        .collect();
    (!fields.is_empty()).then(|| format!("{{{}}}", fields.join(",")))
}

/// Bytes of a text at least. What is read again refers to where lines stand first, so many small edits would cut one
/// reference to a file into several, which cost more than they spare.
const LEAST: usize = 1000;

/// Bytes of an argument by which a call is told from others.
const MOST_TOLD: usize = 160;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{super::turn::CallId, *};

    fn found(arguments: &str) -> Vec<(What, String, String)> {
        let call = Call { name: "write".to_owned(), arguments: arguments.to_owned() };
        let mut written = Vec::new();
        let call = Arc::new(call);
        let ids = ["1", "2"].map(|id| (CallId::Id(id.to_owned()), Arc::clone(&call)));
        note(&mut written, 3, &ids);
        let told = |written: Arc<Written>| (written.what.clone(), written.call.arguments.clone(), written.text.clone());
        written.into_iter().map(told).collect()
    }

    fn file() -> String {
        (0..60).map(|at| format!("value_{at} = \"é{at}\"\n")).collect()
    }

    #[test]
    fn a_file_that_is_written_stands_once_without_escapes_and_named_by_the_short_arguments() {
        let arguments = json!({"content": file(), "path": "src/db.py", "mode": 420}).to_string();
        let what = What::Argument("content".to_owned());
        assert_eq!(found(&arguments), [(what, r#"{"path":"src/db.py","mode":420}"#.to_owned(), file())]);
        let command = json!({"command": ["bash", "-lc", format!("cat > a.py <<'EOF'\n{}EOF", file())]}).to_string();
        let texts = found(&command);
        assert_eq!(texts.len(), 1);
        assert_eq!((texts[0].1.as_str(), texts[0].2.contains(&file())), ("cat > a.py <<'EOF'", true));
    }

    #[test]
    fn of_a_patch_only_the_files_are_told_that_it_adds() {
        let body: String = file().lines().map(|line| format!("+{line}\n")).collect();
        let patch = format!(
            "*** Begin Patch\n*** Update File: a.py\n@@\n-x\n+y\n*** Add File: src/new.py\n{body}*** End Patch"
        );
        let expected = vec![(What::Added, "src/new.py".to_owned(), file())];
        assert_eq!(found(&patch), expected);
        assert_eq!(found(&json!({"input": patch}).to_string()), expected);
    }

    #[test]
    fn short_texts_and_single_lines_are_none() {
        assert_eq!(found(&json!({"content": "x".repeat(2000)}).to_string()), []);
        assert_eq!(found(&json!({"content": "a\nb\n"}).to_string()), []);
    }
}
