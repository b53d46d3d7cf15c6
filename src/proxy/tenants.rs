//! What the operator calls whoever brings a credential: for reports, which must not show the credential itself.

use std::sync::Arc;

use http::HeaderMap;

use super::access::{Presented, Written};
use crate::{ledger::Tenant, setting::Invalid};

/// Names by the hashes of credentials.
#[derive(Debug, Clone, Default)]
pub struct Tenants(Vec<(Arc<str>, Vec<blake3::Hash>)>);

impl Tenants {
    /// Reads names and credentials; `variable` is the environment.
    ///
    /// # Errors
    /// When a key is not written as it should be, or its variable is not set.
    pub fn new(tenants: &[Tenant], variable: impl Fn(&str) -> Option<String>) -> Result<Self, Invalid> {
        check(tenants)?;
        let unset = Invalid::text("tenants", "set every variable that a `key` names to a key");
        let hash = |key: &String| Written::hash_of(key, &variable).ok_or(unset.clone());
        let tenant = |tenant: &Tenant| {
            let keys = tenant.key.as_slice().iter().map(hash).collect::<Result<_, _>>()?;
            Ok((Arc::from(tenant.name.as_str()), keys))
        };
        tenants.iter().map(tenant).collect::<Result<_, _>>().map(Self)
    }

    /// The name of whoever brings these credentials; empty where nobody has one.
    pub(crate) fn name(&self, headers: &HeaderMap) -> Arc<str> {
        if self.0.is_empty() {
            return Arc::from("");
        }
        let presented = Presented::of(headers);
        let named = self.0.iter().find(|(_, keys)| presented.is_one_of(keys));
        named.map_or_else(|| Arc::from(""), |(name, _)| Arc::clone(name))
    }
}

/// Checks how keys are written.
///
/// # Errors
/// Where one is not.
pub fn check(tenants: &[Tenant]) -> Result<(), Invalid> {
    let remedy = "give each tenant a `key`: `env:NAME`, `sha256:` and 64 hexadecimal digits, or a list of these";
    if tenants.iter().all(|tenant| Written::are_keys(tenant.key.as_slice())) {
        Ok(())
    } else {
        Err(Invalid::text("tenants", remedy))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::Named;

    #[test]
    fn whoever_brings_a_key_has_the_name_of_it() {
        let tenant = |name: &str, key: &str| Tenant { name: name.into(), key: Named::One(key.into()) };
        let tenants = [tenant("search", "env:SEARCH_KEY"), tenant("ops", "env:OPS_KEY")];
        let tenants = Tenants::new(&tenants, |name| Some(format!("key of {name}"))).unwrap();
        let name = |key: &str| {
            let headers = [(http::header::AUTHORIZATION, key.parse().unwrap())].into_iter().collect();
            tenants.name(&headers).to_string()
        };
        assert_eq!(name("Bearer key of SEARCH_KEY"), "search");
        assert_eq!((name("Bearer key of OPS_KEY"), name("Bearer another")), ("ops".into(), String::new()));
        let written = [tenant("x", "sk-secret")];
        assert_eq!(check(&written).unwrap_err().value, crate::redact::HIDDEN);
        assert!(Tenants::new(&[tenant("x", "env:X")], |_| None).is_err());
    }
}
