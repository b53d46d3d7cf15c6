//! The operator's key to an upstream, and the header in which it is sent.

use http::{HeaderName, HeaderValue, header};
use serde::{Deserialize, Serialize};

use super::base::Base;
use crate::setting::Invalid;

/// Where an upstream reads its key from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeyHeader {
    /// `Authorization: Bearer KEY`: OpenAI's and most others.
    Authorization,
    /// `x-api-key: KEY`: Anthropic's.
    XApiKey,
    /// `api-key: KEY`: Azure's.
    ApiKey,
}

/// A key, ready to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Credential {
    pub(crate) name: HeaderName,
    /// Marked as sensitive.
    pub(crate) value: HeaderValue,
}

impl Credential {
    /// The key that the variable `name` holds; in the header that is asked for, or that the host is known to want.
    pub(super) fn new(
        name: &str,
        header: Option<KeyHeader>,
        base: &Base,
        variable: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, Invalid> {
        let remedy = "name a variable that is set and holds the key, or leave `api_key_env` out";
        let key = variable(name).ok_or(Invalid::text("api_key_env", remedy))?;
        let key = key.trim();
        let (name, value) = match header.unwrap_or_else(|| usual(base)) {
            KeyHeader::Authorization => (header::AUTHORIZATION, format!("Bearer {key}")),
            KeyHeader::XApiKey => (HeaderName::from_static("x-api-key"), key.to_owned()),
            KeyHeader::ApiKey => (HeaderName::from_static("api-key"), key.to_owned()),
        };
        let mut value = HeaderValue::try_from(value)
            .ok()
            .filter(|_| !key.is_empty())
            .ok_or(Invalid::text("api_key_env", "the variable holds something that is no key"))?;
        value.set_sensitive(true);
        Ok(Self { name, value })
    }
}

fn usual(base: &Base) -> KeyHeader {
    let host = base.authority.host().to_ascii_lowercase();
    match host.as_str() {
        "api.anthropic.com" => KeyHeader::XApiKey,
        _ if host.ends_with(".openai.azure.com") => KeyHeader::ApiKey,
        _ => KeyHeader::Authorization,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(url: &str, header: Option<KeyHeader>) -> (String, String) {
        let key = Credential::new("KEY", header, &Base::of(url).unwrap(), &|_| Some(" k \n".into())).unwrap();
        assert!(key.value.is_sensitive());
        (key.name.to_string(), key.value.to_str().unwrap().to_owned())
    }

    #[test]
    fn a_key_is_sent_in_the_header_that_its_server_reads() {
        for (url, header, name, value) in [
            ("https://api.openai.com", None, "authorization", "Bearer k"),
            ("https://api.anthropic.com/v1", None, "x-api-key", "k"),
            ("https://team.openai.azure.com", None, "api-key", "k"),
            ("http://gateway:4000", None, "authorization", "Bearer k"),
            ("http://gateway:4000", Some(KeyHeader::XApiKey), "x-api-key", "k"),
            ("https://api.anthropic.com", Some(KeyHeader::Authorization), "authorization", "Bearer k"),
        ] {
            assert_eq!(sent(url, header), (name.to_owned(), value.to_owned()), "{url}");
        }
    }

    #[test]
    fn what_is_no_key_is_refused_and_not_shown() {
        let base = Base::of("http://h").unwrap();
        for held in [None, Some(String::new()), Some("SECRET\nline".into())] {
            let refused = Credential::new("KEY", None, &base, &|_| held.clone()).unwrap_err();
            assert!(refused.key == "api_key_env" && !refused.to_string().contains("SECRET"));
        }
    }
}
