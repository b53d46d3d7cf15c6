//! The proxy with the settings of now. Settings that change make another one, which goes on with everything that the old
//! one holds; a request keeps the proxy that it began with, and so does a WebSocket.

use std::sync::Arc;

use arc_swap::ArcSwap;

use super::Proxy;

/// Where the current proxy is found.
#[derive(Debug)]
pub struct Current(ArcSwap<Proxy>);

impl Current {
    /// Begins with a proxy.
    #[must_use]
    pub fn new(proxy: Proxy) -> Self {
        Self(ArcSwap::from_pointee(proxy))
    }

    /// The proxy for a request that begins now.
    #[must_use]
    pub fn proxy(&self) -> Arc<Proxy> {
        self.0.load_full()
    }

    /// Requests that begin from now on are answered by another one.
    pub fn replace(&self, proxy: Proxy) {
        self.0.store(Arc::new(proxy));
    }
}
