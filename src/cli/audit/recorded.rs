//! Recorded requests: bodies of whatever surface, bytes as they stand.

use std::{fs, path::PathBuf};

use anyhow::{Context as _, anyhow};
use bytes::Bytes;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::Failure;

/// A line: a body, or a line of OpenAI's batch format, which holds one.
#[derive(Deserialize)]
struct Line<'a> {
    #[serde(borrow)]
    messages: Option<&'a RawValue>,
    /// Of Responses.
    #[serde(borrow)]
    input: Option<&'a RawValue>,
    #[serde(borrow)]
    body: Option<&'a RawValue>,
}

/// All requests of the files, in order.
pub(super) fn read(files: &[PathBuf]) -> Result<Vec<Bytes>, Failure> {
    let mut requests = Vec::new();
    for file in files {
        let name = file.display();
        let text = fs::read_to_string(file).with_context(|| format!("cannot read `{name}`"))?;
        if let Some(body) = body(&text) {
            requests.push(body);
            continue;
        }
        for (at, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
            let remedy = "each line holds one JSON object with `messages` or `input`, as it is sent to /chat/completions, /messages or /responses";
            let wrong = || anyhow!("line {} of `{name}` is no request\n  remedy: {remedy}", at + 1);
            requests.push(body(line).ok_or_else(wrong)?);
        }
    }
    if requests.is_empty() {
        return Err(anyhow!("there is no request in these files").into());
    }
    Ok(requests)
}

fn body(text: &str) -> Option<Bytes> {
    let line: Line<'_> = serde_json::from_str(text).ok()?;
    let text = match (line.messages.or(line.input), line.body) {
        (Some(_), _) => text.trim(),
        (None, body) => body.filter(|body| body.get().starts_with('{'))?.get(),
    };
    Some(Bytes::copy_from_slice(text.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_and_batch_lines_are_read_as_they_stand() {
        assert_eq!(body(" {\"messages\" : [1.0] }\n").unwrap(), "{\"messages\" : [1.0] }");
        assert_eq!(body("{\"custom_id\":\"a\",\"body\":{\"messages\" :[]}}").unwrap(), "{\"messages\" :[]}");
        assert_eq!(body("{\"input\": \"x\"}").unwrap(), "{\"input\": \"x\"}");
        assert_eq!((body("{\"x\":1}"), body("[]"), body("{\"messages\":[]} {}")), (None, None, None));
    }
}
