//! Which proxy stands between this machine and an upstream: a company's, that the environment names as it does for curl
//! and most other programs. What is on this machine is asked directly, unless the configuration itself names a proxy.

use std::fmt;

use http::{HeaderValue, Uri};
use hyper_util::client::proxy::matcher::{Intercept, Matcher};

use super::base::Base;
use crate::{
    redact,
    setting::Invalid,
    via::{DIRECT, ENVIRONMENT, FORM, is_here},
};

/// A proxy on the way.
#[derive(Clone)]
pub(super) struct Hop {
    pub(super) uri: Uri,
    pub(super) speaks: Speaks,
    basic: Option<HeaderValue>,
    raw: Option<(String, String)>,
}

/// What is spoken with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Speaks {
    Http,
    Https,
    /// Names are resolved by the proxy (`socks5h`) or here.
    Socks {
        local_names: bool,
    },
}

impl Hop {
    /// The `Proxy-Authorization` that it wants.
    pub(super) fn credential(&self) -> Option<&HeaderValue> {
        self.basic.as_ref()
    }

    /// User and password, for SOCKS.
    pub(super) fn user(&self) -> Option<(String, String)> {
        self.raw.clone()
    }

    /// As it may be shown.
    pub(super) fn shown(&self) -> String {
        let host = self.uri.authority().map_or("", |authority| authority.as_str());
        redact::host(&format!("{}://{host}", self.uri.scheme_str().unwrap_or_default()))
    }

    fn of(found: &Intercept) -> Option<Self> {
        let (scheme, port) = (found.uri().scheme_str()?, found.uri().port_u16());
        let (speaks, usual) = match scheme {
            "http" => (Speaks::Http, 80),
            "https" => (Speaks::Https, 443),
            "socks5" => (Speaks::Socks { local_names: true }, 1080),
            "socks5h" => (Speaks::Socks { local_names: false }, 1080),
            _ => return None,
        };
        let authority = format!("{}:{}", found.uri().host()?, port.unwrap_or(usual));
        let uri = Uri::builder().scheme(scheme).authority(authority).path_and_query("/").build().ok()?;
        let raw = found.raw_auth().map(|(user, password)| (user.to_owned(), password.to_owned()));
        Some(Self { uri, speaks, basic: found.basic_auth().cloned(), raw })
    }
}

impl fmt::Debug for Hop {
    /// Without its credential.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown())
    }
}

/// The proxy on the way to an upstream, if there is one; `via` is what the configuration says.
pub(super) fn find(via: &str, base: &Base, variable: &dyn Fn(&str) -> Option<String>) -> Result<Option<Hop>, Invalid> {
    let read = |url: &str| {
        let matcher = Matcher::builder().all(url.to_owned()).build();
        matcher.intercept(&base.origin()?).as_ref().and_then(Hop::of)
    };
    match via {
        DIRECT => Ok(None),
        ENVIRONMENT => {
            of_environment(base, variable).map(|url| read(&url).ok_or(Invalid::text("via", VARIABLE))).transpose()
        }
        url => read(url).map(Some).ok_or(Invalid::url("via", url, FORM)),
    }
}

/// What stands in the variable that is for an upstream; `None` where it is exempt, or none is set.
fn of_environment(base: &Base, variable: &dyn Fn(&str) -> Option<String>) -> Option<String> {
    let set = |name: &str| {
        let names = [name.to_owned(), name.to_ascii_uppercase()];
        names.iter().find_map(|name| variable(name).map(|value| value.trim().to_owned()).filter(|url| !url.is_empty()))
    };
    if is_here(base.authority.host()) {
        return None;
    }
    let any = Matcher::builder().all("http://any").no(set("no_proxy").unwrap_or_default()).build();
    any.intercept(&base.origin()?)?;
    set(&format!("{}_proxy", base.scheme)).or_else(|| set("all_proxy"))
}

const VARIABLE: &str = "HTTPS_PROXY, HTTP_PROXY or ALL_PROXY holds no URL of a proxy (http, https, socks5, socks5h): correct it, name \
     the upstream's host in NO_PROXY, or set `upstream.via` to `direct`";

#[cfg(test)]
mod tests {
    use super::*;

    fn way(via: &str, to: &str, set: &[(&str, &str)]) -> String {
        let look = |name: &str| set.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
        match find(via, &Base::of(to).unwrap(), &look) {
            Ok(None) => "direct".into(),
            Ok(Some(hop)) => hop.shown(),
            Err(_) => "refused".into(),
        }
    }

    #[test]
    fn a_proxy_of_the_environment_stands_between_as_it_does_for_curl() {
        let (openai, corporate) = ("https://api.openai.com", "http://me:SECRET@proxy.corp:3128");
        let secure = [("HTTPS_PROXY", corporate)];
        for (via, to, set, expected) in [
            (ENVIRONMENT, openai, &secure[..], "http://proxy.corp:3128"),
            (ENVIRONMENT, openai, &[("https_proxy", "proxy.corp:3128")], "http://proxy.corp:3128"),
            (ENVIRONMENT, openai, &[("https_proxy", "http://a:1"), secure[0]], "http://a:1"),
            (ENVIRONMENT, openai, &[("ALL_PROXY", "socks5h://s")], "socks5h://s:1080"),
            (ENVIRONMENT, openai, &[("HTTPS_PROXY", "https://p")], "https://p:443"),
            (ENVIRONMENT, openai, &[("HTTP_PROXY", corporate)], "direct"),
            (ENVIRONMENT, "http://gw.corp:4000", &[("HTTP_PROXY", corporate)], "http://proxy.corp:3128"),
            (ENVIRONMENT, openai, &[("HTTPS_PROXY", " ")], "direct"),
            (ENVIRONMENT, openai, &[secure[0], ("NO_PROXY", "openai.com")], "direct"),
            (ENVIRONMENT, openai, &[secure[0], ("no_proxy", "intra, .openai.com")], "direct"),
            (ENVIRONMENT, openai, &[secure[0], ("NO_PROXY", "*")], "direct"),
            (ENVIRONMENT, openai, &[secure[0], ("NO_PROXY", "ai.com")], "http://proxy.corp:3128"),
            (ENVIRONMENT, "https://10.1.2.3", &[secure[0], ("NO_PROXY", "10.0.0.0/8")], "direct"),
            (ENVIRONMENT, "https://localhost", &secure, "direct"),
            (ENVIRONMENT, "https://127.0.0.9:1", &secure, "direct"),
            (ENVIRONMENT, "https://[::1]:1", &secure, "direct"),
            (ENVIRONMENT, openai, &[("HTTPS_PROXY", "socks4://p:1")], "refused"),
            (ENVIRONMENT, openai, &[("HTTPS_PROXY", "ht tp://p:1")], "refused"),
            (DIRECT, openai, &secure, "direct"),
            ("http://p:1", "http://127.0.0.1:1", &[], "http://p:1"),
            ("http://p:1", openai, &[("NO_PROXY", "*")], "http://p:1"),
        ] {
            assert_eq!(way(via, to, set), expected, "{via} {to} {set:?}");
        }
    }
}
