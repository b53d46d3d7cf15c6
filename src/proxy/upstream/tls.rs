//! Whom to trust: the system's certificate authorities (`SSL_CERT_FILE` is honoured) and the operator's own.

use std::sync::Arc;

use rustls::{
    ClientConfig, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, pem::PemObject as _},
};

use super::Config;
use crate::setting::Invalid;

/// The TLS side of the client.
pub(super) fn client(config: &Config) -> Result<Arc<ClientConfig>, Invalid> {
    let mut roots = RootCertStore::empty();
    if let Some(path) = &config.ca_file {
        let wrong = || Invalid::path("ca_file", path, "name a readable PEM file with certificates");
        let own: Vec<_> =
            CertificateDer::pem_file_iter(path).map_err(|_| wrong())?.collect::<Result<_, _>>().map_err(|_| wrong())?;
        if roots.add_parsable_certificates(own).0 == 0 {
            return Err(wrong());
        }
    }
    let system = rustls_native_certs::load_native_certs();
    roots.add_parsable_certificates(system.certs);
    if roots.is_empty() {
        let remedy =
            "the system has no certificate authorities: install ca-certificates, set SSL_CERT_FILE or `ca_file`";
        return Err(Invalid::url("url", &config.url, remedy));
    }
    let client = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|_| Invalid::url("url", &config.url, "TLS is not available in this build"))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(client))
}
