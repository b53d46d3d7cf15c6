//! How a configuration says which proxy stands on the way to a server: none, one of its own choice, or a company's that the
//! environment names. What is on this machine is asked directly in that case.

use std::net::IpAddr;

use http::Uri;

use crate::setting::Invalid;

/// Whatever HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY say.
pub const ENVIRONMENT: &str = "environment";

/// No proxy.
pub const DIRECT: &str = "direct";

/// Checks the way as it is written.
///
/// # Errors
/// When it is none.
pub fn check(via: &str) -> Result<(), Invalid> {
    if matches!(via, DIRECT | ENVIRONMENT) {
        return Ok(());
    }
    // Anywhere: a password may hold what looks like a path.
    if via.contains('@') {
        let remedy =
            "leave user and password out of the configuration: HTTPS_PROXY may hold them, with `environment` here";
        return Err(Invalid::url("via", via, remedy));
    }
    let known = ["http://", "https://", "socks5://", "socks5h://"].iter().any(|scheme| via.starts_with(scheme));
    if known && via.parse::<Uri>().is_ok_and(|uri| uri.host().is_some_and(|host| !host.is_empty())) {
        return Ok(());
    }
    Err(Invalid::url("via", via, FORM))
}

/// Whether a host is this machine.
#[must_use]
pub fn is_here(host: &str) -> bool {
    let name = host.trim_matches(['[', ']']).trim_end_matches('.').to_ascii_lowercase();
    let loopback = name.parse().is_ok_and(|ip: IpAddr| ip.to_canonical().is_loopback());
    loopback || name == "localhost" || name.ends_with(".localhost")
}

pub(crate) const FORM: &str = "give `environment` (HTTPS_PROXY, HTTP_PROXY, ALL_PROXY, NO_PROXY), `direct`, or a proxy's URL: `http://host:port`, \
     `https://…`, `socks5://…` or `socks5h://…`";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_way_that_is_none_is_refused_without_its_secret() {
        for right in [ENVIRONMENT, DIRECT, "http://p:1", "socks5h://p", "https://[::1]:1/"] {
            assert_eq!(check(right), Ok(()), "{right}");
        }
        for wrong in ["", "proxy", "http://", "http://me:SECRET@p:1", "ftp://p"] {
            assert!(!check(wrong).unwrap_err().to_string().contains("SECRET"), "{wrong}");
        }
    }

    #[test]
    fn this_machine_is_known_by_all_its_names() {
        for host in ["localhost", "LOCALHOST.", "app.localhost", "127.9.9.9", "[::1]", "::ffff:127.0.0.1"] {
            assert!(is_here(host), "{host}");
        }
        for host in ["localhost.example.org", "10.0.0.1", "0.0.0.0", "api.openai.com"] {
            assert!(!is_here(host), "{host}");
        }
    }
}
