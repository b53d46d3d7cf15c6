//! Black-box promises of the proxy.
