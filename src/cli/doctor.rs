//! `headroom doctor`: do requests come through, on which surface, can they be condensed, and if not, why. It asks the
//! running proxy, and the upstream through it what nobody is charged for; no key is sent and none is shown.

mod environment;
mod finding;
mod running;
mod shared;
mod traffic;
mod upstream;

use std::io::{self, Write as _};

use clap::Args;
use headroom::{config::Loaded, redact};
use serde_json::{Value, json};

use super::{
    Failure,
    endpoint::{Endpoint, Found},
    exchange,
    settings::Settings,
};
use finding::{Finding, Level};

#[derive(Debug, Args)]
#[group(skip)]
pub(super) struct Arguments {
    /// Address and port of the proxy [default: what the configuration listens on]
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<String>,
    /// Prints the findings for programs
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    settings: Settings,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let mut loaded = arguments.settings.load_at(arguments.listen.as_deref())?;
    let proxy = Endpoint::of(&loaded.config.server);
    let found = proxy.look();
    let runs = found == Found::Ours;
    let mut findings = running::findings(&loaded, &proxy, &found);
    let page = exchange::page(&proxy, "settings").ok().filter(|page| runs && page.status == 200);
    let page: Option<Value> = page.and_then(|page| serde_json::from_str(&page.body).ok());
    findings.extend(settings(&loaded, page.as_ref()));
    findings.extend(shared::finding(&loaded.config.decisions)?);
    findings.extend(upstream::findings(&mut loaded, runs.then(|| proxy.clone()), page.as_ref())?);
    let traffic = if runs { traffic::ask(&proxy) } else { None };
    let came = traffic.as_ref().is_some_and(|figures| figures.count() > 0);
    let environment = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    // A program's base URL has a name that the certificate is for.
    let reached = if runs { proxy.trusted() } else { None };
    findings.extend(environment::findings(environment, reached.as_ref().unwrap_or(&proxy), came));
    findings.extend(traffic.iter().flat_map(traffic::findings));
    let healthy = findings.iter().all(|finding| finding.level != Level::Problem);
    let mut out = io::stdout().lock();
    if arguments.json {
        let page = json!({"healthy": healthy, "proxy": proxy.to_string(), "findings": findings});
        writeln!(out, "{page:#}")?;
    } else {
        findings.iter().try_for_each(|finding| writeln!(out, "{finding}"))?;
    }
    if healthy { Ok(()) } else { Err(Failure::Status(1)) }
}

/// What the running proxy goes by; where none tells, what the configuration says that is read here.
fn settings(loaded: &Loaded, running: Option<&Value>) -> Vec<Finding> {
    let config = &loaded.config;
    let file = loaded.file().map(|file| format!(" of {}", redact::path(file))).unwrap_or_default();
    let (mode, ratio, least, whose) = match running {
        Some(page) => {
            let word = |name: &str| page.get(name).map(|value| value.as_str().map_or(value.to_string(), str::to_owned));
            let rules = page.get("rules").and_then(Value::as_array).map_or(0, Vec::len);
            let rules = if rules == 0 { String::new() } else { format!(", {rules} rules") };
            let word = |name| word(name).unwrap_or_default();
            (word("mode"), word("ratio"), word("min_tokens"), format!("{rules} (of the running proxy)"))
        }
        None => {
            let mode = serde_json::to_value(config.proxy.mode).unwrap_or_default();
            let (ratio, least) = (config.compress.ratio.to_string(), config.compress.min_tokens.to_string());
            (mode.as_str().unwrap_or_default().to_owned(), ratio, least, file)
        }
    };
    let gentle = if ratio == "auto" { "; auto takes out only what loses nothing" } else { "" };
    let said = format!("mode {mode}, ratio {ratio}, texts from {least} tokens on{whose}");
    let mode = match mode.as_str() {
        "off" => Finding::problem("settings", said, "mode off relays everything: set `proxy.mode` to compress"),
        "audit" => Finding::note("settings", said, "mode audit only measures: set `proxy.mode` to compress"),
        _ => Finding::ok("settings", said + gentle),
    };
    let ignored = loaded.ignored().iter().map(|name| {
        let said = format!(
            "the variable {} is none of our settings, or holds none of their values, and is ignored",
            redact::name(name)
        );
        Finding::note("settings", said, "`headroom config show` lists what there is; unset it if it was meant for us")
    });
    std::iter::once(mode).chain(ignored).collect()
}

pub(super) const AFTER: &str = "\
Each line is ok, a note, or a problem with its remedy. Settings are those of the running proxy, or without one those \
that `headroom serve` would read here. Each upstream is asked for its list of models, without a key; a refusal (401) shows that it is reachable.

Examples:
  headroom doctor
  headroom doctor --listen 127.0.0.1:8800 --json

Exit status: 0 no problem, 1 a problem, 2 the arguments or the configuration have to be corrected.";
