//! What clients read from this shell's environment: do their base URLs lead to the proxy, and is anything in between?

use headroom::redact;

use super::{super::endpoint::Endpoint, finding::Finding};

/// `came` says that requests have come through, so that somebody's base URL is right.
pub(super) fn findings(set: impl Fn(&str) -> Option<String>, proxy: &Endpoint, came: bool) -> Vec<Finding> {
    let mut findings: Vec<Finding> = NAMES.iter().filter_map(|name| Some(base_url(name, &set(name)?, proxy))).collect();
    if !NAMES.iter().any(|name| set(name).is_some_and(|url| proxy.named_by(&url).is_some())) {
        let said = "no base URL of this shell leads to the proxy: programs started here do not come through";
        let remedy = format!(
            "export OPENAI_BASE_URL={proxy}/v1 ANTHROPIC_BASE_URL={proxy}, or start one program by \
             `headroom wrap PROGRAM`"
        );
        findings.push(match came {
            true => Finding::note(TOPIC, said, remedy),
            false => Finding::problem(TOPIC, said, remedy),
        });
    }
    findings.extend(in_between(&set, proxy));
    let clouds = CLOUDS.iter().filter(|name| set(name).is_some_and(|value| value != "0"));
    findings.extend(clouds.map(|name| {
        let said = format!("{name} has Claude Code speak with a cloud's own API, which does not come through");
        Finding::note(TOPIC, said, format!("unset {name} to use ANTHROPIC_BASE_URL"))
    }));
    findings
}

fn base_url(name: &str, url: &str, proxy: &Endpoint) -> Finding {
    if proxy.named_by(url).is_none() {
        let said = format!("{name} leads to {}: what reads it does not come through", redact::host(url));
        let remedy = format!("export {name}={}", right(name, proxy));
        return Finding::note(TOPIC, said, remedy);
    }
    let url = url.trim().trim_end_matches('/');
    let problem = match (name, url.ends_with("/v1")) {
        _ if url.starts_with("https:") && !proxy.speaks_tls() => "speaks TLS, which the proxy does not speak",
        _ if url.starts_with("http:") && proxy.speaks_tls() => "is plain HTTP, and the proxy speaks TLS",
        ("ANTHROPIC_BASE_URL", true) => "ends with /v1, which Anthropic's clients add themselves",
        ("OPENAI_BASE_URL" | "OPENAI_API_BASE", false) => "lacks the /v1 at its end",
        _ => return Finding::ok(TOPIC, format!("{name} leads to the proxy")),
    };
    Finding::problem(TOPIC, format!("{name} {problem}"), format!("export {name}={}", right(name, proxy)))
}

fn right(name: &str, proxy: &Endpoint) -> String {
    let v1 = if name == "ANTHROPIC_BASE_URL" { "" } else { "/v1" };
    format!("{proxy}{v1}")
}

/// A corporate proxy to which requests for this machine would go.
fn in_between(set: impl Fn(&str) -> Option<String>, proxy: &Endpoint) -> Option<Finding> {
    let name = ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"].into_iter().find(|name| set(name).is_some())?;
    let (host, is_local) = (proxy.host(), proxy.address().ip().is_loopback());
    let exempt = ["no_proxy", "NO_PROXY"].into_iter().filter_map(set).any(|list| {
        let mut hosts = list.split(',').map(str::trim);
        hosts.any(|listed| listed == "*" || listed == host || (listed == "localhost" && is_local))
    });
    let said = format!("{name} is set, and NO_PROXY does not name {host}: clients may ask that proxy for this one");
    (!exempt)
        .then(|| Finding::problem(TOPIC, said, format!("export NO_PROXY=localhost,{host} no_proxy=localhost,{host}")))
}

const TOPIC: &str = "environment";
const NAMES: [&str; 3] = ["OPENAI_BASE_URL", "OPENAI_API_BASE", "ANTHROPIC_BASE_URL"];
const CLOUDS: [&str; 3] = ["CLAUDE_CODE_USE_BEDROCK", "CLAUDE_CODE_USE_VERTEX", "CLAUDE_CODE_USE_FOUNDRY"];

#[cfg(test)]
mod tests {
    use super::{super::finding::Level, *};

    #[test]
    fn each_way_past_the_proxy_is_told() {
        let right = ("OPENAI_BASE_URL", "http://127.0.0.1:8787/v1");
        for (set, came, levels, said) in [
            (&[right][..], false, &[Level::Ok][..], "OPENAI_BASE_URL leads to the proxy"),
            (&[("OPENAI_BASE_URL", "http://localhost:8787/v1/")], false, &[Level::Ok], "leads to the proxy"),
            (&[("OPENAI_BASE_URL", "http://127.0.0.1:8787")], false, &[Level::Problem], "lacks the /v1"),
            (&[("OPENAI_BASE_URL", "https://127.0.0.1:8787/v1")], false, &[Level::Problem], "TLS"),
            (&[("ANTHROPIC_BASE_URL", "http://127.0.0.1:8787/v1")], false, &[Level::Problem], "ends with /v1"),
            (&[], false, &[Level::Problem], "no base URL"),
            (&[], true, &[Level::Note], "no base URL"),
            (
                &[right, ("ANTHROPIC_BASE_URL", "https://api.anthropic.com")],
                false,
                &[Level::Ok, Level::Note],
                "what reads it",
            ),
            (&[right, ("HTTP_PROXY", "http://me:SECRET@p:1")], false, &[Level::Ok, Level::Problem], "HTTP_PROXY"),
            (&[right, ("HTTP_PROXY", "http://p:1"), ("no_proxy", "intra, 127.0.0.1")], false, &[Level::Ok], "leads"),
            (&[right, ("CLAUDE_CODE_USE_VERTEX", "1")], false, &[Level::Ok, Level::Note], "CLAUDE_CODE_USE_VERTEX"),
        ] {
            let look = |name: &str| set.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
            let findings = findings(look, &Endpoint::plain("127.0.0.1:8787".parse().unwrap()), came);
            let told: String = findings.iter().map(|finding| format!("{finding}\n")).collect();
            assert_eq!(findings.iter().map(|finding| finding.level).collect::<Vec<_>>(), levels, "{told}");
            assert!(told.contains(said) && !told.contains("SECRET"), "{told}");
        }
    }
}
