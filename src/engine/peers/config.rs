//! Where decisions are shared.

use std::path::PathBuf;

use redis::{Client, ConnectionAddr, ConnectionInfo, IntoConnectionInfo as _, TlsCertificates};

use crate::setting::Invalid;

/// `[decisions]`: the server by which replicas share what they decide.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// A Valkey or Redis server: `redis://host:6379/0`, or `rediss://…` for TLS. Not set: none.
    pub server: Option<String>,
    /// A PEM file with the certificate authorities to trust for it, in place of the system's.
    pub ca_file: Option<PathBuf>,
    /// The environment variable that holds the user's name.
    pub user_env: Option<String>,
    /// The environment variable that holds the password.
    pub password_env: Option<String>,
    /// What the names of its entries begin with.
    pub prefix: String,
    /// Milliseconds that one round trip may take.
    pub timeout_ms: u64,
    /// Seconds after which the server forgets what nobody asked for.
    pub ttl_s: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            server: None,
            ca_file: None,
            user_env: None,
            password_env: None,
            prefix: "headroom".to_owned(),
            timeout_ms: 10,
            ttl_s: 24 * 60 * 60,
        }
    }
}

impl Config {
    /// Whether every setting can be used.
    ///
    /// # Errors
    /// The first that can't.
    pub fn check(&self) -> Result<(), Invalid> {
        self.info()?;
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte);
        if !(1..=64).contains(&self.prefix.len()) || !self.prefix.bytes().all(plain) {
            return Err(Invalid::text("prefix", "give 1 to 64 letters, digits or signs of `-_.:`"));
        }
        if !(1..=1000).contains(&self.timeout_ms) {
            return Err(Invalid::new("timeout_ms", self.timeout_ms, "give a number of milliseconds from 1 to 1000"));
        }
        if !(60..=31_536_000).contains(&self.ttl_s) {
            return Err(Invalid::new("ttl_s", self.ttl_s, "give a number of seconds from 60 to 31536000"));
        }
        Ok(())
    }

    /// Where the server is, without who asks.
    fn info(&self) -> Result<Option<ConnectionInfo>, Invalid> {
        let Some(server) = &self.server else { return Ok(None) };
        let wrong = |remedy| Invalid::url("server", server, remedy);
        let info = server.as_str().into_connection_info().map_err(|_| wrong(FORM))?;
        if info.redis_settings().password().is_some() || info.redis_settings().username().is_some() {
            return Err(wrong("leave user and password out of the URL: `user_env` and `password_env` name variables"));
        }
        match info.addr() {
            ConnectionAddr::Tcp(..) | ConnectionAddr::TcpTls { insecure: false, .. } => Ok(Some(info)),
            _ => Err(wrong(FORM)),
        }
    }

    /// A client of that server; connects to nothing.
    pub(super) fn client(&self, variable: impl Fn(&str) -> Option<String>) -> Result<Option<Client>, Invalid> {
        let Some(info) = self.info()? else { return Ok(None) };
        let held = |key, name: &Option<String>| {
            let remedy = "name a variable that is set, or leave the key out";
            let Some(name) = name else { return Ok(None) };
            let value = variable(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty());
            value.map(Some).ok_or(Invalid::text(key, remedy))
        };
        // An ACL may not allow that the client names itself.
        let mut redis = info.redis_settings().clone().set_skip_set_lib_name();
        if let Some(user) = held("user_env", &self.user_env)? {
            redis = redis.set_username(user);
        }
        if let Some(password) = held("password_env", &self.password_env)? {
            redis = redis.set_password(password);
        }
        let info = info.set_redis_settings(redis);
        let wrong = |_| Invalid::url("server", self.server.as_deref().unwrap_or_default(), FORM);
        let Some(file) = &self.ca_file else { return Client::open(info).map(Some).map_err(wrong) };
        let remedy = "name a PEM file with the server's certificate authorities";
        let unread = || Invalid::path("ca_file", file, remedy);
        let root_cert = Some(std::fs::read(file).map_err(|_| unread())?);
        if !matches!(info.addr(), ConnectionAddr::TcpTls { .. }) {
            return Err(Invalid::path(
                "ca_file",
                file,
                "the server speaks no TLS: write `rediss://…`, or leave it out",
            ));
        }
        let client = Client::build_with_tls(info, TlsCertificates { client_tls: None, root_cert });
        client.map(Some).map_err(|_| unread())
    }
}

const FORM: &str = "give `redis://host:port/database`, or `rediss://…` for TLS";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_named_without_secrets_and_refused_without_showing_them() {
        let of = |server: &str| Config { server: Some(server.into()), ..Config::default() };
        for server in ["redis://h", "redis://h:7000/2", "rediss://h.example", "rediss://[::1]:6380"] {
            of(server).check().unwrap();
        }
        for server in [
            "h:6379",
            "http://h",
            "redis+unix:///s",
            "rediss://h/#insecure",
            "redis://:SECRET@h",
            "redis://SECRET@h",
            "SECRET",
        ] {
            let refused = of(server).check().unwrap_err();
            assert!(refused.key == "server" && !refused.to_string().contains("SECRET"), "{refused}");
        }
    }

    #[test]
    fn user_and_password_come_from_variables_that_are_set() {
        let config = Config {
            server: Some("redis://h".into()),
            user_env: Some("USER".into()),
            password_env: Some("WORD".into()),
            ..Config::default()
        };
        let both = |name: &str| Some(format!(" {name}-value\n"));
        let client = config.client(both).unwrap().unwrap();
        let settings = client.get_connection_info().redis_settings();
        assert_eq!((settings.username(), settings.password()), (Some("USER-value"), Some("WORD-value")));
        assert_eq!(config.client(|name| (name == "USER").then(String::new)).unwrap_err().key, "user_env");
        let refused = config.client(|name| (name == "USER").then(|| "SECRET".into())).unwrap_err();
        assert!(refused.key == "password_env" && !refused.to_string().contains("SECRET"), "{refused}");
        let config = Config { ca_file: Some("/nowhere".into()), ..config };
        assert_eq!(config.client(both).unwrap_err().key, "ca_file");
    }
}
