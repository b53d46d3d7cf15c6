//! Whether the server answers by which replicas share decisions.

use std::time::Duration;

use headroom::engine::{Peers, PeersConfig};

use super::{super::Failure, finding::Finding};

/// Nothing where no server is configured.
pub(super) fn finding(config: &PeersConfig) -> Result<Option<Finding>, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let checked = runtime.block_on(Peers::check(config, |name| std::env::var(name).ok()));
    runtime.shutdown_timeout(Duration::from_secs(1));
    Ok(checked.map(|checked| match checked {
        Ok(took) => {
            let took = took.as_secs_f64() * 1000.0;
            Finding::ok("decisions", format!("are shared by a server that answers in {took:.1} ms"))
        }
        Err(why) => Finding::problem("decisions", format!("the server that shares them can't be used: {why}"), REMEDY),
    }))
}

const REMEDY: &str = "correct `[decisions]`, or see to the server; requests go on without it, though a conversation that \
                      moves between replicas may change its form";
