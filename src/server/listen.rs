//! The address to listen on, as people write it: `localhost` is this machine, asked of no DNS.

use std::net::{Ipv4Addr, SocketAddr};

use serde::{
    Deserialize as _, Deserializer,
    de::{Error as _, Unexpected},
};

pub(super) fn read<'de, D: Deserializer<'de>>(from: D) -> Result<SocketAddr, D::Error> {
    let text = String::deserialize(from)?;
    parse(&text).ok_or_else(|| {
        let expected = "an address of this machine and a port, such as 127.0.0.1:8787 or localhost:8787";
        D::Error::invalid_value(Unexpected::Str(&text), &expected)
    })
}

fn parse(text: &str) -> Option<SocketAddr> {
    let text = text.trim();
    if let Some((host, port)) = text.rsplit_once(':')
        && host.eq_ignore_ascii_case("localhost")
    {
        return Some((Ipv4Addr::LOCALHOST, port.parse().ok()?).into());
    }
    text.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn localhost_is_this_machine_and_other_names_are_none() {
        for (text, address) in [
            ("localhost:8787", Some("127.0.0.1:8787")),
            (" LOCALHOST:0 ", Some("127.0.0.1:0")),
            ("0.0.0.0:80", Some("0.0.0.0:80")),
            ("[::1]:8787", Some("[::1]:8787")),
            ("localhost", None),
            ("localhost:x", None),
            ("example.org:80", None),
            ("8787", None),
        ] {
            assert_eq!(parse(text).map(|address| address.to_string()).as_deref(), address, "{text}");
        }
    }
}
