use http::{HeaderName, HeaderValue};

use super::*;
use crate::wire::Call;

#[derive(Deserialize)]
struct File {
    rules: Vec<Rule>,
}

fn written(text: &str) -> Vec<Rule> {
    toml::from_str::<File>(text).unwrap().rules
}

fn rules(text: &str) -> Rules {
    Rules::new(&written(text), &[], variable).unwrap()
}

fn variable(name: &str) -> Option<String> {
    (name == "TEAM_KEY").then(|| "team-secret\n".to_owned())
}

fn slot(role: Role, tool: Option<&str>) -> Slot {
    let call = tool.map(|name| Call { name: name.to_owned(), arguments: String::new() });
    let (siblings, preceding) = (Vec::new(), None);
    Slot { literal: 0..2, text: "".into(), role, message: 0, part: None, siblings, preceding, call }
}

fn headers(lines: &[(&'static str, &'static str)]) -> HeaderMap {
    lines.iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value))).collect()
}

fn ratio(text: &str) -> Option<Ratio> {
    Some(text.parse().unwrap())
}

/// What holds for a text, in words: the rule's name, what is done, the ratio, the style, the minimum.
fn told(ruled: &Ruled) -> String {
    let Ruled { rule, mode, policy, .. } = ruled;
    let done = ruled.left().map_or_else(|| format!("{mode:?}").to_lowercase(), str::to_owned);
    let Policy { ratio, style, min_tokens, .. } = policy;
    format!("{} {done} {ratio} {} {min_tokens}", rule.as_deref().unwrap_or("-"), style.as_str())
}

/// Rules that name each thing that can be named.
const ALL: &str = r#"
    [[rules]]
    name = "team"
    key = ["env:TEAM_KEY", "sha256:2bd806c97f0e00af1a1fc3328fa763a9269723c8db8fac4f93af71db186d6e90"]
    mode = "audit"

    [[rules]]
    name = "batch"
    path = "/batch/*"
    ratio = 20
    style = "telegram"

    [[rules]]
    name = "edits"
    tool = ["*edit*", "apply_patch"]
    exact = true

    [[rules]]
    tool = "bash"
    model = "gpt-5*"
    ratio = 3

    [[rules]]
    name = "found"
    tool = "*"
    surface = "messages"
    min_tokens = 99

    [[rules]]
    name = "said"
    role = "user"
    surface = ["responses", "handed"]
    mode = "off"
"#;

#[test]
fn the_first_rule_that_fits_a_text_decides() {
    use Role::{Tool, User};
    let (chat, responses, messages) =
        (Some(Surface::ChatCompletions), Some(Surface::Responses), Some(Surface::Messages));
    let rules = rules(ALL);
    for (surface, path, lines, role, tool, model, expected) in [
        (chat, "/v1/x", [].as_slice(), User, None, "gpt-5", "- compress auto statements 256"),
        (chat, "/v1/x", &[], Tool, Some("look"), "gpt-5", "- compress auto statements 256"),
        (chat, "/v1/x", &[("authorization", "Bearer team-secret")], User, None, "", "team audit auto statements 256"),
        (chat, "/v1/x", &[("x-api-key", "alice")], Tool, Some("bash"), "", "team audit auto statements 256"),
        (chat, "/v1/x", &[("x-api-key", "alicf")], User, None, "", "- compress auto statements 256"),
        (chat, "/batch/v1/x", &[], Tool, Some("edit"), "", "batch compress 20 telegram 256"),
        (chat, "/v1/batch/x", &[], User, None, "", "- compress auto statements 256"),
        (chat, "/v1/x", &[], Tool, Some("StrReplaceEditTool"), "", "edits exact auto statements 256"),
        (messages, "/v1/x", &[], Tool, Some("apply_patch"), "", "edits exact auto statements 256"),
        (messages, "/v1/x", &[], Tool, Some("Bash"), "gpt-5-mini", "rule-4 compress 3 statements 256"),
        (messages, "/v1/x", &[], Tool, Some("Bash"), "claude", "found compress auto statements 99"),
        (messages, "/v1/x", &[], Tool, None, "claude", "found compress auto statements 99"),
        (messages, "/v1/x", &[], User, None, "claude", "- compress auto statements 256"),
        (chat, "/v1/x", &[], Tool, Some("bash"), "gpt-4o", "- compress auto statements 256"),
        (responses, "/v1/x", &[], User, None, "gpt-5", "said off auto statements 256"),
        (None, "/v1/compress", &[], User, None, "gpt-5", "said off auto statements 256"),
        (responses, "/v1/x", &[], Tool, None, "gpt-5", "- compress auto statements 256"),
    ] {
        let (settings, said) = ((Mode::Compress, Policy::default()), Said::default());
        let ruling = Ruling::new(settings, &rules, said, (surface, path, &headers(lines)));
        let ruled = ruling.of(&slot(role, tool), Some(model));
        assert_eq!(told(&ruled), expected, "{surface:?} {path} {lines:?} {role:?} {tool:?} {model}");
    }
}

#[test]
fn what_a_request_says_holds_against_every_rule_but_exact() {
    let all = Said { mode: Some(Mode::Compress), ratio: ratio("7"), style: Some(Style::Telegram) };
    for (rule, said, expected) in [
        ("ratio = 3", Said::default(), "rule-1 compress 3 statements 256"),
        ("ratio = 3", all, "rule-1 compress 7 telegram 256"),
        ("mode = \"off\"", all, "rule-1 compress 7 telegram 256"),
        ("mode = \"off\"", Said { ratio: ratio("7"), ..Said::default() }, "rule-1 off 7 statements 256"),
        ("exact = true", all, "rule-1 exact 7 telegram 256"),
        ("exact = true", Said { mode: Some(Mode::Off), ..all }, "rule-1 off 7 telegram 256"),
        ("min_tokens = 9\nstyle = \"telegram\"", Said::default(), "rule-1 audit auto telegram 9"),
    ] {
        let rules = rules(&format!("[[rules]]\n{rule}\n"));
        let mode = if rule.starts_with("min") { Mode::Audit } else { Mode::Compress };
        let of = (Some(Surface::Messages), "/", &HeaderMap::new());
        let ruling = Ruling::new((mode, Policy::default()), &rules, said, of);
        assert_eq!(told(&ruling.of(&slot(Role::User, None), None)), expected, "{rule} {said:?}");
    }
}

#[test]
fn a_request_is_read_only_where_a_text_of_it_may_be_condensed() {
    let off = "mode = \"off\"";
    for (mode, said, text, is_off) in [
        (Mode::Off, None, String::new(), true),
        (Mode::Compress, None, String::new(), false),
        (Mode::Compress, Some(Mode::Off), "[[rules]]\nmode = \"compress\"".into(), true),
        (Mode::Off, Some(Mode::Audit), format!("[[rules]]\n{off}"), false),
        (Mode::Compress, None, format!("[[rules]]\npath = \"/v1/*\"\n{off}"), true),
        (Mode::Compress, None, format!("[[rules]]\npath = \"/v2/*\"\n{off}"), false),
        (Mode::Compress, None, format!("[[rules]]\nrole = \"user\"\n{off}"), false),
        (Mode::Off, None, "[[rules]]\nrole = \"tool\"\nmode = \"compress\"".into(), false),
        (Mode::Off, None, format!("[[rules]]\n{off}\n[[rules]]\nrole = \"tool\"\nmode = \"compress\""), true),
        (Mode::Off, None, "[[rules]]\nratio = 5".into(), true),
    ] {
        let rules = if text.is_empty() { Rules::default() } else { rules(&text) };
        let of = (Some(Surface::Responses), "/v1/responses", &HeaderMap::new());
        let ruling = Ruling::new((mode, Policy::default()), &rules, Said { mode: said, ..Said::default() }, of);
        assert_eq!(ruling.is_off(), is_off, "{mode:?} {said:?} {text}");
    }
}

#[test]
fn a_rule_that_cannot_be_used_names_its_place_and_key_and_shows_no_value() {
    for (rule, key) in [
        ("name = \"With Blanks\"\nexact = true", "name"),
        ("name = \"sk-live-0123456789abcdef\"\nexact = true", "name"),
        ("surface = \"chat\"\nexact = true", "surface"),
        ("role = [\"user\", \"system\"]\nexact = true", "role"),
        ("tool = []\nexact = true", "tool"),
        ("model = \"\"\nexact = true", "model"),
        ("path = \"v1/*\"\nexact = true", "path"),
        ("key = \"sk-live-0123456789abcdef\"\nexact = true", "key"),
        ("min_tokens = 0", "min_tokens"),
        ("exact = true\nratio = 5", "exact"),
        ("tool = \"read\"", "exact"),
        ("name = \"first\"\nexact = true", "name"),
    ] {
        let text = format!("[[rules]]\nname = \"first\"\nexact = true\n[[rules]]\n{rule}\n");
        let (at, invalid) = check(&written(&text)).unwrap_err();
        assert_eq!((at, invalid.key), (1, key), "{rule}");
        assert!(key == "min_tokens" || invalid.value == redact::HIDDEN, "{rule}");
    }
}

#[test]
fn a_key_whose_variable_is_not_set_stops_the_start() {
    let rule = written("[[rules]]\nkey = \"env:NO_SUCH_VARIABLE\"\nexact = true");
    let (at, invalid) = Rules::new(&rule, &[], variable).unwrap_err();
    assert_eq!((at, invalid.key), (0, "key"));
}

#[test]
fn every_profile_is_a_set_of_rules_that_can_be_used_and_each_has_a_name() {
    for profile in Profile::ALL {
        let rules = written(profile.to_toml());
        check(&rules).unwrap();
        let prefix = profile.as_str();
        assert!(rules.iter().all(|rule| rule.name.as_ref().unwrap().starts_with(prefix)), "{profile}");
        assert_eq!(prefix.parse(), Ok(profile));
    }
    assert!("agents".parse::<Profile>().unwrap_err().to_string().contains("`agent`, `rag`, `support` and `archive`"));
}

#[test]
fn the_rules_of_a_profile_come_after_the_own_ones() {
    let own = written("[[rules]]\nname = \"mine\"\ntool = \"bash\"\nratio = 5");
    let rules = Rules::new(&own, &written(Profile::Agent.to_toml()), variable).unwrap();
    let of = (Some(Surface::ChatCompletions), "/", &HeaderMap::new());
    let ruling = Ruling::new((Mode::Compress, Policy::default()), &rules, Said::default(), of);
    for (role, tool, expected) in [
        (Role::Tool, Some("bash"), "mine compress 5 statements 256"),
        (Role::Tool, Some("WebFetch"), "agent-web compress 3 statements 256"),
        (Role::Tool, Some("MultiEdit"), "agent-edits exact auto statements 256"),
        (Role::Tool, Some("grep"), "agent-rest compress auto statements 256"),
        (Role::User, None, "agent-rest compress auto statements 256"),
    ] {
        assert_eq!(told(&ruling.of(&slot(role, tool), None)), expected);
    }
}
