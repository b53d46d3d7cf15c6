//! What a program is given so that its requests reach the proxy: variables and arguments of that process alone.
//!
//! The usual base URLs reach whatever is built on a provider's SDK. Some agents read others, or a file of theirs, over
//! which their command line or a variable has the last word.

use serde_json::{Map, Value, json};

use super::super::endpoint::Endpoint;

/// What is added to a program's environment and put before its arguments.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Given {
    pub(super) variables: Vec<(&'static str, String)>,
    pub(super) arguments: Vec<String>,
    /// What may keep its requests from coming through.
    pub(super) note: Option<&'static str>,
}

/// For a program by its name, where a proxy listens there. `set` is the environment that it would have.
pub(super) fn given(program: &str, proxy: &Endpoint, set: impl Fn(&str) -> Option<String>) -> Given {
    let root = proxy.to_string();
    let v1 = format!("{root}/v1");
    let mut given = Given {
        variables: vec![
            ("OPENAI_BASE_URL", v1.clone()),
            ("OPENAI_API_BASE", v1.clone()),
            ("ANTHROPIC_BASE_URL", root.clone()),
        ],
        ..Given::default()
    };
    let variables = &mut given.variables;
    match program {
        "codex" => {
            given.arguments = codex(&v1, set("OPENAI_API_KEY").is_some());
            given.note = set("OPENAI_API_KEY").is_none().then_some(
                "codex has no OPENAI_API_KEY here; a sign-in with ChatGPT is for another server than OpenAI's API",
            );
        }
        "claude" => {
            // Off by default before a host that is not Anthropic's, for proxies that lose its blocks. None is lost here.
            if set("ENABLE_TOOL_SEARCH").is_none() {
                variables.push(("ENABLE_TOOL_SEARCH", "true".into()));
            }
            let elsewhere = ["CLAUDE_CODE_USE_BEDROCK", "CLAUDE_CODE_USE_VERTEX", "CLAUDE_CODE_USE_FOUNDRY"];
            given.note = elsewhere.into_iter().any(|name| set(name).is_some_and(|value| value != "0")).then_some(
                "claude is set to a cloud's own API (CLAUDE_CODE_USE_…), which does not come through; unset that variable",
            );
        }
        "opencode" => match opencode(&v1, set("OPENCODE_CONFIG_CONTENT").as_deref()) {
            Some(config) => variables.push(("OPENCODE_CONFIG_CONTENT", config)),
            None => given.note = Some("OPENCODE_CONFIG_CONTENT is no JSON object and stays: set the base URLs there"),
        },
        "aider" => {
            variables.push(("AIDER_OPENAI_API_BASE", v1));
            variables.push(("ANTHROPIC_API_BASE", root));
        }
        "goose" => {
            variables.push(("OPENAI_HOST", root.clone()));
            variables.push(("ANTHROPIC_HOST", root));
        }
        _ => {}
    }
    given.variables.extend(direct(proxy, set));
    given
}

/// Codex reads no base URL from the environment: its settings are overridden, by `-c key=value` with TOML's values.
fn codex(url: &str, has_key: bool) -> Vec<String> {
    let credential = if has_key { r#"env_key="OPENAI_API_KEY""# } else { "requires_openai_auth=true" };
    let provider = [
        r#"name="headroom""#.to_owned(),
        format!(r#"base_url="{url}""#),
        r#"wire_api="responses""#.to_owned(),
        "supports_websockets=true".to_owned(),
        credential.to_owned(),
    ];
    let settings = provider.into_iter().map(|setting| format!("model_providers.headroom.{setting}"));
    let all = std::iter::once(r#"model_provider="headroom""#.to_owned()).chain(settings);
    all.flat_map(|setting| ["-c".to_owned(), setting]).collect()
}

/// What the user has set there stays, but for the two base URLs. `None` where it cannot be read.
fn opencode(url: &str, set: Option<&str>) -> Option<String> {
    let mut config: Map<String, Value> = match set.filter(|set| !set.trim().is_empty()) {
        Some(set) => serde_json::from_str(set).ok()?,
        None => Map::new(),
    };
    let providers = config.entry("provider").or_insert_with(|| json!({})).as_object_mut()?;
    for name in ["openai", "anthropic"] {
        let provider = providers.entry(name).or_insert_with(|| json!({})).as_object_mut()?;
        let options = provider.entry("options").or_insert_with(|| json!({})).as_object_mut()?;
        options.insert("baseURL".into(), url.into());
    }
    Some(Value::Object(config).to_string())
}

/// Where a corporate proxy is set, requests to this machine are not for it.
fn direct(proxy: &Endpoint, set: impl Fn(&str) -> Option<String>) -> Vec<(&'static str, String)> {
    let asked = ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"];
    if !asked.into_iter().any(|name| set(name).is_some_and(|value| !value.is_empty())) {
        return Vec::new();
    }
    let host = proxy.host();
    // Programs read one or the other; both say the same.
    let already = set("no_proxy").or_else(|| set("NO_PROXY")).filter(|already| !already.is_empty());
    let all = already.map_or_else(|| host.clone(), |already| format!("{already},{host}"));
    vec![("NO_PROXY", all.clone()), ("no_proxy", all)]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(program: &str, set: &[(&str, &str)]) -> Given {
        let look = |name: &str| set.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
        given(program, &Endpoint::plain("127.0.0.1:9".parse().unwrap()), look)
    }

    #[test]
    fn each_agent_is_given_what_it_reads() {
        let (root, v1) = ("http://127.0.0.1:9", "http://127.0.0.1:9/v1");
        let proxied = [("HTTP_PROXY", "http://p:3128"), ("NO_PROXY", "intra")];
        let config = format!(
            r#"{{"provider":{{"openai":{{"options":{{"baseURL":"{v1}"}}}},"anthropic":{{"options":{{"baseURL":"{v1}"}}}}}}}}"#
        );
        for (program, set, more) in [
            ("python", &[][..], vec![]),
            ("codex", &[], vec![]),
            ("claude", &[], vec![("ENABLE_TOOL_SEARCH", "true")]),
            ("claude", &[("ENABLE_TOOL_SEARCH", "auto")], vec![]),
            ("opencode", &[], vec![("OPENCODE_CONFIG_CONTENT", config.as_str())]),
            ("aider", &[], vec![("AIDER_OPENAI_API_BASE", v1), ("ANTHROPIC_API_BASE", root)]),
            ("goose", &[], vec![("OPENAI_HOST", root), ("ANTHROPIC_HOST", root)]),
            ("python", &proxied, vec![("NO_PROXY", "intra,127.0.0.1"), ("no_proxy", "intra,127.0.0.1")]),
        ] {
            let all = [("OPENAI_BASE_URL", v1), ("OPENAI_API_BASE", v1), ("ANTHROPIC_BASE_URL", root)];
            let expected: Vec<_> = all.into_iter().chain(more).map(|(name, url)| (name, url.to_owned())).collect();
            assert_eq!(of(program, set).variables, expected, "{program} {set:?}");
        }
    }

    #[test]
    fn codex_alone_is_given_arguments_with_a_key_or_its_own_sign_in() {
        assert_eq!(of("claude", &[]).arguments, Vec::<String>::new());
        for (set, credential) in [
            (&[("OPENAI_API_KEY", "x")][..], r#"model_providers.headroom.env_key="OPENAI_API_KEY""#),
            (&[], "model_providers.headroom.requires_openai_auth=true"),
        ] {
            let given = of("codex", set);
            let arguments: Vec<_> = given.arguments.iter().map(String::as_str).collect();
            assert_eq!(arguments.first_chunk(), Some(&["-c", r#"model_provider="headroom""#]));
            assert!(arguments.contains(&r#"model_providers.headroom.base_url="http://127.0.0.1:9/v1""#));
            assert_eq!((arguments.last(), given.note.is_none()), (Some(&credential), !set.is_empty()));
        }
    }

    #[test]
    fn what_the_user_set_for_opencode_stays_but_for_the_base_urls() {
        let set = r#"{"model":"openai/x","provider":{"openai":{"options":{"timeout":1,"baseURL":"u"}}}}"#;
        let given = of("opencode", &[("OPENCODE_CONFIG_CONTENT", set)]);
        let config: Value = serde_json::from_str(&given.variables.last().unwrap().1).unwrap();
        assert_eq!(
            (&config["model"], &config["provider"]["openai"]["options"]["timeout"]),
            (&json!("openai/x"), &json!(1))
        );
        assert_eq!(config["provider"]["openai"]["options"]["baseURL"], "http://127.0.0.1:9/v1");
        let odd = of("opencode", &[("OPENCODE_CONFIG_CONTENT", "[]")]);
        assert!(odd.note.is_some() && odd.variables.len() == 3);
    }

    #[test]
    fn a_setting_that_leads_elsewhere_is_told() {
        assert!(of("claude", &[("CLAUDE_CODE_USE_BEDROCK", "1")]).note.is_some());
        assert_eq!(of("claude", &[("CLAUDE_CODE_USE_BEDROCK", "0")]).note, None);
    }
}
