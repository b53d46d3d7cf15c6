//! What came through since the proxy's start, by surface and what became of it.

use super::{
    super::{
        endpoint::Endpoint,
        exchange,
        figures::{Figures, Kind},
    },
    finding::Finding,
};

pub(super) fn ask(proxy: &Endpoint) -> Option<Figures> {
    let page = exchange::page(proxy, "metrics").ok().filter(|page| page.status == 200)?;
    Some(Figures::of(&page.body))
}

pub(super) fn findings(figures: &Figures) -> Vec<Finding> {
    if figures.count() == 0 {
        let remedy = "send a request through it; the lines on the environment say what may lead past it";
        return vec![Finding::note(TOPIC, "nothing has come through since the proxy's start", remedy)];
    }
    let mut findings: Vec<Finding> = figures.requests.iter().map(|(kind, count)| of_kind(kind, *count)).collect();
    findings.extend(figures.saving().map(|said| Finding::ok(TOPIC, said)));
    findings
}

fn of_kind(kind: &Kind, count: u64) -> Finding {
    let Kind { route, outcome, reason } = kind;
    let why = if reason.is_empty() { String::new() } else { format!(": {reason}") };
    let said = format!("{route}: {count} {outcome}{why}");
    match remedy(reason) {
        Some(remedy) if outcome != "compressed" => Finding::note(TOPIC, said, remedy),
        _ => Finding::ok(TOPIC, said),
    }
}

/// What a reason means for whoever wants texts condensed; `None` where nothing is to be done.
fn remedy(reason: &str) -> Option<&'static str> {
    Some(match reason {
        "no_surface" => "no API whose texts are condensed; docs/surfaces.md lists those that are",
        "content_type" => "bodies are read as JSON alone: `content-type: application/json`",
        "off" => "mode off was asked for, by `proxy.mode` or a header of the request",
        "extension" | "upgrade" => "the WebSocket was opened in a way that is not read, and went on as it came",
        "invalid_header" => {
            "a header of the client has a value that is not known: x-headroom-mode takes compress, audit or off, \
             x-headroom-ratio auto or 2 to 20, x-headroom-style statements or telegram"
        }
        "no_slots" | "below_minimum" => "no text of a user or a tool is long enough: `compress.min_tokens`",
        "too_large" | "decoded_too_large" => "raise `proxy.body_limit_mib`",
        "overloaded" | "deadline" => "there was no time: raise `engine.time_budget_ms`, or give it more cores",
        "signed" => "the client signs its bodies, so they cannot be changed",
        "unsupported_encoding" | "undecodable" => "gzip, zstd and br bodies are understood",
        "invalid_json" | "unknown_shape" => "the body is not of the form that its API has",
        "frame" => "these messages are instructions and questions, which stay word for word",
        "no_gain" => "nothing shorter says the same; a ratio (--ratio 4) leaves out more than `auto`",
        "model_failed" => "the model failed: look into the proxy's log",
        _ => return None,
    })
}

const TOPIC: &str = "traffic";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_surface_is_told_with_what_became_of_it_and_what_to_do() {
        let metrics = "headroom_requests_total{route=\"messages\",outcome=\"compressed\",reason=\"\",status=\"200\"} 3\n\
                       headroom_requests_total{route=\"passthrough\",outcome=\"passthrough\",reason=\"no_surface\",status=\"200\"} 2\n\
                       headroom_tokens_before_total 100\nheadroom_tokens_after_total 25\n";
        let told: Vec<String> = findings(&Figures::of(metrics)).iter().map(ToString::to_string).collect();
        assert_eq!(told.first().unwrap(), "ok       traffic      messages: 3 compressed");
        assert!(told[1].contains("note") && told[1].contains("remedy: no API"), "{told:?}");
        assert!(told[2].ends_with("(75 % less)"), "{told:?}");
        assert!(findings(&Figures::default())[0].to_string().contains("nothing has come through"));
    }
}
