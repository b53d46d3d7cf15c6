//! `headroom doctor`: do requests come through, on which surface, can they be condensed, and if not, why. It asks the
//! running proxy, and the upstream through it what nobody is charged for; no key is sent and none is shown.

mod environment;
mod finding;
mod running;
mod traffic;
mod upstream;

use std::io::{self, Write as _};

use clap::Args;
use headroom::{compress::Ratio, config::Loaded, proxy::Mode, redact};
use serde_json::json;

use super::{
    Failure,
    serve::reachable,
    settings::Settings,
    wrap::{Found, look},
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
    let address = reachable(&loaded.config.server.listen);
    let runs = look(&address) == Found::Ours;
    let mut findings = running::findings(&loaded, &address);
    findings.extend(settings(&loaded));
    findings.extend(upstream::findings(&mut loaded, runs.then_some(address))?);
    let traffic = if runs { traffic::ask(&address) } else { None };
    let came = traffic.as_ref().is_some_and(|figures| figures.count() > 0);
    let environment = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    findings.extend(environment::findings(environment, &address, came));
    findings.extend(traffic.iter().flat_map(traffic::findings));
    let healthy = findings.iter().all(|finding| finding.level != Level::Problem);
    let mut out = io::stdout().lock();
    if arguments.json {
        let page = json!({"healthy": healthy, "proxy": format!("http://{address}"), "findings": findings});
        writeln!(out, "{page:#}")?;
    } else {
        findings.iter().try_for_each(|finding| writeln!(out, "{finding}"))?;
    }
    if healthy { Ok(()) } else { Err(Failure::Status(1)) }
}

/// What the configuration says that is read here. A running proxy may have been started with other flags.
fn settings(loaded: &Loaded) -> Vec<Finding> {
    let config = &loaded.config;
    let file = loaded.file().map(|file| format!(" of {}", redact::path(file))).unwrap_or_default();
    let (ratio, least) = (config.compress.ratio, config.compress.min_tokens);
    let said = |mode| format!("mode {mode}, ratio {ratio}, texts from {least} tokens on{file}");
    let mode = match config.proxy.mode {
        Mode::Off => {
            Finding::problem("settings", said("off"), "mode off relays everything: set `proxy.mode` to compress")
        }
        Mode::Audit => {
            Finding::note("settings", said("audit"), "mode audit only measures: set `proxy.mode` to compress")
        }
        Mode::Compress => {
            let auto = config.compress.ratio == Ratio::Auto;
            let gentle = if auto { "; auto takes out only what loses nothing" } else { "" };
            Finding::ok("settings", said("compress") + gentle)
        }
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
Each line is ok, a note, or a problem with its remedy. Settings are those that `headroom serve` would read here. The \
upstream is asked for its list of models, without a key; a refusal (401) shows that it is reachable.

Examples:
  headroom doctor
  headroom doctor --listen 127.0.0.1:8800 --json

Exit status: 0 no problem, 1 a problem, 2 the arguments or the configuration have to be corrected.";
