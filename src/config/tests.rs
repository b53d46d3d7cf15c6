//! What a configuration promises to whoever writes one.

use std::path::PathBuf;

use super::*;
use crate::{
    compress::Ratio,
    proxy::{Mode, clients::Client},
};

const EXAMPLE: &str = include_str!("../../config.example.toml");

fn with_file(text: &str) -> (tempfile::TempDir, Sources) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("config.toml"), text).unwrap();
    let sources = Sources { folder: Some(folder.path().into()), ..Sources::default() };
    (folder, sources)
}

fn with_variables(variables: &[(&str, &str)]) -> Sources {
    let environment = variables.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
    Sources { environment, ..Sources::default() }
}

fn message(sources: &Sources) -> String {
    Config::load(sources).unwrap_err().to_string()
}

#[test]
fn the_example_holds_exactly_the_defaults() {
    let (_folder, sources) = with_file(EXAMPLE);
    assert_eq!(Config::load(&sources).unwrap().config, Config::default());
}

#[test]
fn the_example_lists_every_key_with_a_sentence() {
    let known = show::leaves(&Figment::from(Serialized::defaults(Config::default())));
    let (mut section, mut sentence, mut listed) =
        (String::new(), false, vec!["clients".to_owned(), "rules".to_owned(), "upstreams".to_owned()]);
    let (sections, _) = EXAMPLE.split_once("# [[upstreams]]").unwrap();
    for line in sections.lines() {
        let name = line.trim_start_matches("# ").split(" = ").next().unwrap();
        let is_key = line.contains(" = ") && name.chars().all(|char| char.is_ascii_lowercase() || char == '_');
        if let Some(name) = line.strip_prefix('[') {
            section = name.trim_end_matches(']').into();
        } else if is_key {
            assert!(sentence, "`{name}` has no sentence");
            listed.push(if section.is_empty() { name.into() } else { format!("{section}.{name}") });
        }
        sentence = line.starts_with("# ") && !is_key;
    }
    listed.sort();
    let mut known = known;
    known.sort();
    assert_eq!(listed, known);
}

/// The tables of a list in the example, without their marks of a comment and without sentences.
fn tables(list: &str) -> String {
    let head = format!("[[{list}]]");
    let (_, tables) = EXAMPLE.split_once(&format!("# {head}")).unwrap();
    let lines = tables.lines().skip(1).take_while(|line| line.is_empty() || line.starts_with('#'));
    let lines = lines.map(|line| line.trim_start_matches("# "));
    let is_table = |line: &&str| *line == head || line.contains(" = ") && !line.contains('`');
    format!("{head}\n{}\n", lines.take_while(|line| !line.is_empty()).filter(is_table).collect::<Vec<_>>().join("\n"))
}

#[test]
fn the_lists_of_the_example_can_be_used_and_name_every_key() {
    let keys = |value: serde_json::Value| -> Vec<String> { value.as_object().unwrap().keys().cloned().collect() };
    for (list, known) in [
        ("rules", keys(serde_json::to_value(Rule::default()).unwrap())),
        ("upstreams", keys(serde_json::to_value(Named::default()).unwrap())),
        ("clients", keys(serde_json::to_value(Client::default()).unwrap())),
    ] {
        let text = tables(list);
        let (_folder, sources) = with_file(&text);
        let config = Config::load(&sources).unwrap().config;
        assert!(config.rules.len().max(config.upstreams.len()).max(config.clients.len()) > 1);
        for key in known {
            assert!(text.contains(&format!("\n{key} = ")), "{key}");
        }
    }
}

#[test]
fn what_was_moved_says_where_to() {
    for (text, key) in [
        ("[[budgets]]\nname = \"a\"\nkeys = [\"env:A\"]\n", "`budgets`"),
        ("[[ledger.tenants]]\nname = \"a\"\nkey = \"env:A\"\n", "`ledger.tenants`"),
    ] {
        let (_folder, sources) = with_file(text);
        let message = message(&sources);
        assert!(message.contains(key) && message.contains("write `[[clients]]`"), "{message}");
    }
}

#[test]
fn an_upstream_that_cannot_be_used_names_its_key_its_place_and_what_to_do() {
    let right = "[[upstreams]]\nname = \"a\"\nurl = \"http://h\"\nmodel = \"a*\"\n";
    for (table, problem, remedy) in [
        ("modle = \"b\"", "unknown key `upstreams.modle` in upstream 2 in ", "did you mean `upstreams.model`?"),
        (
            "name = \"b\"\nurl = \"http://h\"",
            "cannot use the value of `upstreams.model` (upstream 2 in ",
            "what it is for",
        ),
        (
            "name = \"a\"\nurl = \"http://h\"\nmodel = \"b\"",
            "cannot use the value of `upstreams.name` (upstream 2 ",
            "its own",
        ),
        (
            "name = \"b\"\nurl = \"http://me:SECRET@h\"\nmodel = \"b\"",
            "cannot use the value of `upstreams.url`",
            "leave the user",
        ),
        (
            "name = \"b\"\napi_key_header = \"cookie\"",
            "bad value for `upstreams.api_key_header`",
            "config.example.toml",
        ),
    ] {
        let (_folder, sources) = with_file(&format!("{right}[[upstreams]]\n{table}\n"));
        let message = message(&sources);
        assert!(message.starts_with(problem) && message.contains(remedy), "{message}");
        assert!(!message.contains("SECRET"), "{message}");
    }
    let (_folder, sources) = with_file("[upstreams]\nurl = \"http://h\"\n");
    assert!(message(&sources).contains("write `[[upstreams]]`"), "{}", message(&sources));
}

#[test]
fn a_list_in_a_variable_is_shown_how_to_be_written() {
    let message = message(&with_variables(&[("HEADROOM_ACCESS__CLIENT_KEYS", "env:TK")]));
    assert!(message.contains("HEADROOM_ACCESS__CLIENT_KEYS='[\"…\", \"…\"]'"), "{message}");
}

#[test]
fn short_variables_with_values_of_the_like_named_project_are_ignored_by_name() {
    let sources = with_variables(&[("HEADROOM_MODE", "token"), ("HEADROOM_PROFILE", "balanced")]);
    let loaded = Config::load(&sources).unwrap();
    assert_eq!((loaded.config.proxy.mode, loaded.config.profile), (Mode::Compress, None));
    assert_eq!(loaded.ignored(), ["HEADROOM_MODE", "HEADROOM_PROFILE"]);
    for (name, mistyped) in [("HEADROOM_MODE", "compres"), ("HEADROOM_PROFILE", "agnet")] {
        assert!(message(&with_variables(&[(name, mistyped)])).contains("expected one of"), "{mistyped}");
    }
}

#[test]
fn a_rule_that_cannot_be_used_names_its_key_its_place_and_what_to_do() {
    for (rule, problem, remedy) in [
        ("role = \"system\"\nexact = true", "cannot use the value of `rules.role` (rule 2 in ", "give `user`, `tool`"),
        ("tol = \"bash\"\nexact = true", "unknown key `rules.tol` in rule 2 in ", "did you mean `rules.tool`?"),
        ("ratio = 21", "bad value for `rules.ratio` (rule 2 in ", "a ratio is `auto` or a number from 2 to 20"),
        (
            "mode = \"sk-live-0123456789\"",
            "bad value for `rules.mode` (rule 2 in ",
            "expected one of off, audit, compress",
        ),
        ("tool = 5\nexact = true", "bad value for `rules.tool` (rule 2 in ", "config.example.toml"),
        ("key = \"sk-live-0123456789\"\nexact = true", "cannot use the value of `rules.key`", "give `env:NAME`"),
    ] {
        let (_folder, sources) = with_file(&format!("[[rules]]\nexact = true\n[[rules]]\n{rule}\n"));
        let message = message(&sources);
        assert!(message.starts_with(problem) && message.contains(remedy), "{message}");
        assert!(!message.contains("sk-live") && message.contains("config.toml"), "{message}");
    }
    let (_folder, sources) = with_file("[rules]\nexact = true\n");
    assert!(message(&sources).contains("`rules"), "{}", message(&sources));
}

#[test]
fn a_profile_is_set_by_file_variable_or_flag_and_an_unknown_one_lists_the_known() {
    let sources = with_variables(&[("HEADROOM_PROFILE", "rag")]);
    assert_eq!(Config::load(&sources).unwrap().config.profile, Some(Profile::Rag));
    let (_folder, sources) = with_file("profile = \"agents\"\n");
    assert!(message(&sources).contains("expected one of agent, rag, support, archive"), "{}", message(&sources));
}

#[test]
fn the_text_of_every_profile_is_read_and_may_be_pasted_into_a_file() {
    for profile in Profile::ALL {
        let (_folder, sources) = with_file(profile.to_toml());
        let pasted = Config::load(&sources).unwrap().config.rules;
        assert!(!pasted.is_empty());
        assert_eq!(rules_of(profile), pasted);
    }
}

#[test]
fn without_a_file_the_defaults_hold() {
    let loaded = Config::load(&Sources::default()).unwrap();
    assert_eq!(loaded.config, Config::default());
    assert_eq!(loaded.file(), None);
}

#[test]
fn the_environment_wins_over_the_file_and_flags_over_both() {
    let (_folder, mut sources) = with_file("[compress]\nratio = 3\nmin_tokens = 100\n[server]\nmax_connections = 9\n");
    sources.environment =
        vec![("HEADROOM_COMPRESS__RATIO".into(), "4".into()), ("HEADROOM_COMPRESS__MIN_TOKENS".into(), "200".into())];
    sources.flags = vec![Flag { name: "--ratio", key: "compress.ratio", value: "5".into() }];
    let config = Config::load(&sources).unwrap().config;
    assert_eq!(config.compress.ratio.to_string(), "5");
    assert_eq!(config.compress.min_tokens, 200);
    assert_eq!(config.server.max_connections, 9);
}

#[test]
fn a_ratio_may_be_written_as_a_number_or_as_a_word() {
    for (written, ratio) in [("2.5", "2.5"), ("10", "10"), ("\"10\"", "10"), ("\"auto\"", "auto")] {
        let (_folder, sources) = with_file(&format!("[compress]\nratio = {written}\n"));
        assert_eq!(Config::load(&sources).unwrap().config.compress.ratio, ratio.parse::<Ratio>().unwrap());
    }
}

#[test]
fn short_variables_stand_for_what_is_set_most_often() {
    let sources = with_variables(&[("HEADROOM_UPSTREAM", "http://127.0.0.1:1/base"), ("HEADROOM_MODE", "audit")]);
    let config = Config::load(&sources).unwrap().config;
    assert_eq!(config.upstream.url, "http://127.0.0.1:1/base");
    assert_eq!(config.proxy.mode, proxy::Mode::Audit);
}

#[test]
fn empty_variables_and_those_of_kubernetes_are_passed_over() {
    let sources = with_variables(&[
        ("HEADROOM_MODE", ""),
        ("HEADROOM_PORT", "tcp://10.0.0.7:8787"),
        ("HEADROOM_PORT_8787_TCP_ADDR", "10.0.0.7"),
        ("HEADROOM_SERVICE_HOST", "10.0.0.7"),
    ]);
    assert_eq!(Config::load(&sources).unwrap().config, Config::default());
}

#[test]
fn an_unknown_key_names_key_file_and_the_nearest_known_one() {
    let (folder, sources) = with_file("[upstream]\nulr = \"http://x\"\n");
    let file = folder.path().join("config.toml");
    assert_eq!(
        message(&sources),
        format!(
            "unknown key `upstream.ulr` in {}\n  remedy: did you mean `upstream.url`? \
             `headroom config show` lists every key",
            file.display()
        )
    );
}

#[test]
fn an_unknown_section_is_refused() {
    let (_folder, sources) = with_file("[upsteam]\nurl = \"http://x\"\n");
    assert!(message(&sources).starts_with("unknown key `upsteam.url` in "), "{}", message(&sources));
}

#[test]
fn an_unknown_variable_names_the_one_that_was_meant() {
    let message = message(&with_variables(&[("HEADROOM_COMPRES__RATIO", "5")]));
    assert!(message.contains("the variable HEADROOM_COMPRES__RATIO"), "{message}");
    assert!(message.contains("did you mean HEADROOM_COMPRESS__RATIO?"), "{message}");
}

#[test]
fn a_bad_value_names_key_origin_and_default_and_shows_numbers_alone() {
    for (text, key, value) in [
        ("[compress]\nratio = 21\n", "compress.ratio", "21"),
        ("[compress]\nmin_tokens = \"many\"\n", "compress.min_tokens", "(not shown)"),
        ("[server]\nlisten = \"nowhere\"\n", "server.listen", "(not shown)"),
        ("[proxy]\nmode = \"loud\"\n", "proxy.mode", "(not shown)"),
    ] {
        let (_folder, sources) = with_file(text);
        let message = message(&sources);
        assert!(message.starts_with(&format!("bad value for `{key}` (")), "{message}");
        assert!(message.contains("config.toml"), "{message}");
        assert!(message.contains(&format!("value:  {value}\n")), "{message}");
        assert!(message.contains("remedy: the default is "), "{message}");
    }
}

#[test]
fn a_value_that_its_module_refuses_names_its_origin_too() {
    let message = message(&with_variables(&[("HEADROOM_UPSTREAM", "ftp://files.example")]));
    assert!(
        message.starts_with("cannot use the value of `upstream.url` (the variable HEADROOM_UPSTREAM)"),
        "{message}"
    );
    assert!(message.contains("ftp://files.example"), "{message}");
}

#[test]
fn client_keys_without_a_key_to_exchange_them_for_are_refused() {
    let (_folder, sources) = with_file("[access]\nclient_keys = [\"env:TEAM\"]\n");
    assert!(message(&sources).contains("set `api_key_env` of an upstream too"), "{}", message(&sources));
    let (_folder, sources) = with_file("[access]\nclient_keys = [\"env:TEAM\"]\n[upstream]\napi_key_env = \"K\"\n");
    assert!(Config::load(&sources).is_ok());
}

#[test]
fn a_model_that_is_not_there_stops_the_start_unless_it_is_not_required() {
    let (_folder, sources) = with_file("[model]\npath = \"/no/such/model\"\n");
    assert!(message(&sources).contains("`model.path`"), "{}", message(&sources));
    let (_folder, sources) = with_file("[model]\npath = \"/no/such/model\"\nrequired = false\n");
    assert!(Config::load(&sources).is_ok());
}

#[test]
fn a_named_file_must_be_there_and_must_be_toml() {
    let sources = Sources { named_file: Some(PathBuf::from("/no/such/file.toml")), ..Sources::default() };
    assert!(message(&sources).starts_with("cannot read the configuration file `/no/such/file.toml`"));
    let (folder, sources) = with_file("[server\n");
    assert!(message(&sources).contains(&folder.path().join("config.toml").display().to_string()));
    assert!(message(&sources).contains("not valid TOML"), "{}", message(&sources));
}

#[test]
fn what_is_shown_reads_back_as_the_same_configuration_and_tells_origins() {
    let rule = "[[rules]]\nname = \"shell\"\ntool = [\"bash\", \"sh*\"]\nratio = 2.5\n";
    let (_folder, mut sources) = with_file(&format!("[server]\nmax_connections = 7\n{rule}"));
    sources.environment = vec![("HEADROOM_RATIO".into(), "5".into()), ("HEADROOM_PROFILE".into(), "agent".into())];
    let loaded = Config::load(&sources).unwrap();
    let shown = loaded.to_toml();
    let (_again, sources) = with_file(&shown);
    assert_eq!(Config::load(&sources).unwrap().config, loaded.config);
    let line = |start: &str| shown.lines().find(|line| line.starts_with(start)).unwrap().to_owned();
    assert!(line("max_connections = 7").ends_with("config.toml"));
    assert!(line("ratio = ").ends_with("# the variable HEADROOM_RATIO"));
    assert!(line("mode = ").ends_with("# default"));
    assert!(line("[[rules]]").contains("# rule 1 in ") && line("[[rules]]").ends_with("config.toml"));
    assert!(line("# The rules of the profile `agent`").contains("the variable HEADROOM_PROFILE"));
    assert!(shown.find("\"shell\"") < shown.find("# name = \"agent-edits\""));
}

#[test]
fn a_password_in_a_url_is_never_shown() {
    let sources = with_variables(&[("HEADROOM_UPSTREAM", "https://user:hunter2@api.example")]);
    let shown = match Config::load(&sources) {
        Ok(loaded) => loaded.to_toml(),
        Err(error) => error.to_string(),
    };
    assert!(!shown.contains("hunter2"), "{shown}");
}

#[test]
fn variables_of_the_like_named_project_are_ignored_by_name() {
    let variables = [
        ("HEADROOM_API_KEY", "sk-secret"),
        ("HEADROOM_TELEMETRY", "off"),
        ("HEADROOM_TARGET_RATIO", "0.5"),
        ("HEADROOM_PORT", "9000"),
    ];
    let loaded = Config::load(&with_variables(&variables)).unwrap();
    assert_eq!(loaded.config, Config::default());
    assert_eq!(loaded.ignored(), variables.map(|(name, _)| name));
    assert!(!format!("{loaded:?}").contains("sk-secret"));
    assert_eq!(Config::load(&with_variables(&[("HEADROOM_RATIO", "5")])).unwrap().ignored().len(), 0);
}

#[test]
fn a_mistyped_short_name_stops_the_start() {
    for name in ["HEADROOM_RATOI", "HEADROOM_UPSTRAEM", "HEADROOM_LISTENS"] {
        assert!(message(&with_variables(&[(name, "5")])).contains(name));
    }
}
