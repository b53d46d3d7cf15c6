//! The configuration: every module's own `Config`, composed into one and read from its sources.
//!
//! Defaults < `config.toml` < environment < flags; the later wins, key by key. Each value keeps its origin, so an error
//! names the file or variable to correct and `headroom config show` says where a value came from. Everything is parsed
//! once, at the start, into types that cannot be wrong; an unknown key stops the start like a bad value does.

mod error;
mod live;
mod sections;
mod show;
mod sources;

use figment::{
    Figment,
    providers::{Format, Serialized, Toml},
};
use serde::{Deserialize, Serialize};

pub use error::Error;
pub use sections::{CompressConfig, ModelConfig};
pub use sources::{Flag, Sources};

use crate::{
    engine, explain, fidelity, ledger, originals,
    proxy::{
        self, Access, access,
        clients::{self, Client, Clients},
        rules::{self, Profile, Rule, Rules},
        upstream::{self, Named, Upstreams},
    },
    server,
    setting::Invalid,
    telemetry,
};

/// What the program needs to run; one section a module.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// A named set of rules; they come after `rules`.
    pub profile: Option<Profile>,
    /// Where clients connect.
    pub server: server::Config,
    /// Where requests go.
    pub upstream: upstream::Config,
    /// What is intercepted.
    pub proxy: proxy::Config,
    /// Who may spend the operator's key.
    pub access: access::Config,
    /// How far to condense.
    pub compress: CompressConfig,
    /// Which model rewrites.
    pub model: ModelConfig,
    /// Threads, queues, time and memory.
    pub engine: engine::Config,
    /// By which server replicas share what they decide.
    pub decisions: engine::PeersConfig,
    /// What can be explained afterwards.
    pub explain: explain::Config,
    /// What is checked by a cheap model.
    pub fidelity: fidelity::Config,
    /// What is kept of requests, in figures.
    pub ledger: ledger::Config,
    /// What can be read again.
    pub originals: originals::Config,
    /// What is logged.
    pub telemetry: telemetry::Config,
    /// Further servers, each with what it is for.
    pub upstreams: Vec<Named>,
    /// Who is known by name, and what each may ask for.
    pub clients: Vec<Client>,
    /// Which texts are an exception.
    pub rules: Vec<Rule>,
}

impl Config {
    /// Reads and checks the configuration.
    ///
    /// # Errors
    /// The first thing wrong in it: an unreadable file, an unknown key, a bad value; see [`Error`].
    pub fn load(sources: &Sources) -> Result<Loaded, Error> {
        let file = sources.file()?;
        let mut figment = Figment::from(Serialized::defaults(Self::default()));
        let known = show::leaves(&figment);
        if let Some(file) = &file {
            figment = figment.merge(Toml::string(&file.text));
        }
        for setting in sources.settings(&known)? {
            figment = figment.merge(setting);
        }
        let unnamed = sources.named_file.is_none();
        let origins = show::Origins { figment, file: file.map(|file| file.path), unnamed, known };
        origins.refuse_unknown_keys()?;
        let config: Self = origins.figment.extract().map_err(|error| origins.explain(&error))?;
        config.check().map_err(|(section, invalid)| origins.explain_invalid(section, invalid))?;
        clients::check(&config.clients).map_err(|(at, invalid)| origins.explain_listed("clients", at, invalid))?;
        rules::check(&config.rules).map_err(|(at, invalid)| origins.explain_listed("rules", at, invalid))?;
        upstream::check(&config.upstreams).map_err(|(at, invalid)| origins.explain_listed("upstreams", at, invalid))?;
        Ok(Loaded { config, origins, ignored: sources.ignored() })
    }

    /// Checks what a single value's type cannot say: the section and the setting that cannot be used.
    fn check(&self) -> Result<(), (&'static str, Invalid)> {
        let checks = [
            ("server", self.server.check()),
            ("upstream", self.upstream.check()),
            ("proxy", self.proxy.check()),
            ("access", self.access.check()),
            ("access", self.check_access()),
            ("compress", self.compress.check()),
            ("model", self.model.check()),
            ("engine", self.engine.check()),
            ("decisions", self.decisions.check()),
            ("explain", self.explain.check()),
            ("fidelity", self.fidelity.check()),
            ("originals", self.originals.check()),
            ("telemetry", self.telemetry.otlp.check()),
            ("ledger", self.ledger.check()),
        ];
        checks.into_iter().try_for_each(|(section, checked)| checked.map_err(|invalid| (section, invalid)))
    }
}

impl Config {
    /// Client keys open what is lent; nobody is to take them for a lock on what is not.
    fn check_access(&self) -> Result<(), Invalid> {
        let remedy =
            "set `api_key_env` of an upstream too: client keys are exchanged for the key that it names, and bar nobody";
        let named = || self.upstreams.iter().any(|named| named.api_key_env.is_some());
        let idle = !self.access.client_keys.is_empty() && self.upstream.api_key_env.is_none() && !named();
        if idle { Err(Invalid::text("client_keys", remedy)) } else { Ok(()) }
    }
}

/// A configuration with the origin of every value.
#[derive(Debug)]
pub struct Loaded {
    /// The configuration.
    pub config: Config,
    origins: show::Origins,
    ignored: Vec<String>,
}

impl Loaded {
    /// The names of variables that begin as ours do and are none of ours.
    #[must_use]
    pub fn ignored(&self) -> &[String] {
        &self.ignored
    }

    /// The rules of the configuration and its profile.
    ///
    /// # Errors
    /// Where the variable is not set that a rule names.
    pub fn rules(&self) -> Result<Rules, Error> {
        let profile = self.config.profile.map(rules_of).unwrap_or_default();
        let rules = Rules::new(&self.config.rules, &profile, |name| std::env::var(name).ok());
        rules.map_err(|(at, invalid)| self.origins.explain_listed("rules", at, invalid))
    }

    /// The servers that requests are forwarded to; connects to nothing.
    ///
    /// # Errors
    /// Where a key, a file of authorities or the proxy on the way cannot be used.
    pub fn upstreams(&self) -> Result<Upstreams, Error> {
        let variable = |name: &str| std::env::var(name).ok();
        let upstreams = Upstreams::with(&self.config.upstream, &variable);
        let upstreams = upstreams.map_err(|invalid| self.origins.explain_invalid("upstream", invalid))?;
        let all = upstreams.and(&self.config.upstreams, &self.config.upstream, &variable);
        all.map_err(|(at, invalid)| self.origins.explain_listed("upstreams", at, invalid))
    }

    /// Who is known by name, and what each may ask for.
    ///
    /// # Errors
    /// Where the variable is not set that holds a key.
    pub fn clients(&self) -> Result<Clients, Error> {
        let clients = Clients::new(&self.config.clients, |name| std::env::var(name).ok());
        clients.map_err(|(at, invalid)| self.origins.explain_listed("clients", at, invalid))
    }

    /// The key of the endpoint that checks, where there is one.
    ///
    /// # Errors
    /// Where the variable is not set that holds it.
    pub fn checker_key(&self) -> Result<Option<String>, Error> {
        self.config.fidelity.key().map_err(|invalid| self.origins.explain_invalid("fidelity", invalid))
    }

    /// Who may spend the operator's key.
    ///
    /// # Errors
    /// Where the variable is not set that a client key names.
    pub fn access(&self) -> Result<Access, Error> {
        Access::new(&self.config.access).map_err(|invalid| self.origins.explain_invalid("access", invalid))
    }

    /// The effective configuration as TOML; each line tells where its value came from. Holds no secrets: a key is
    /// named by the variable that holds it, and what looks like one is left out.
    #[must_use]
    pub fn to_toml(&self) -> String {
        self.origins.to_toml()
    }

    /// The file that was read, if there was one.
    #[must_use]
    pub fn file(&self) -> Option<&std::path::Path> {
        self.origins.file.as_deref()
    }

    /// Whether the value of a key stands in a `config.toml` that nobody named, but lay in the working folder.
    #[must_use]
    pub fn is_of_folder(&self, key: &str) -> bool {
        self.origins.is_of_folder(key)
    }

    /// Whether the value of a key stands in a file, whoever named that.
    #[must_use]
    pub fn is_of_file(&self, key: &str) -> bool {
        self.origins.is_of_file(key)
    }

    /// What a module found wrong only when it used the setting: a certificate file, a port in use.
    #[must_use]
    pub fn unusable(&self, section: &str, invalid: Invalid) -> Error {
        self.origins.explain_invalid(section, invalid)
    }
}

/// The rules of a profile. Its text is ours, and a test reads each.
#[must_use]
pub fn rules_of(profile: Profile) -> Vec<Rule> {
    Figment::from(Toml::string(profile.to_toml())).extract_inner("rules").unwrap_or_default()
}

#[cfg(test)]
mod tests;
