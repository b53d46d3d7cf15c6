//! `headroom mcp`: the tool `headroom_read` on standard input and output, for an agent that starts it. It holds nothing
//! itself: each call goes to the running proxy, which has the originals.

use std::time::Duration;

use anyhow::Context as _;
use clap::Args;
use headroom::{
    compress::READ,
    originals::{Reads, Server, Unreadable, told},
};
use rmcp::{
    ServiceExt as _,
    model::{CallToolResult, JsonObject},
};
use serde::Deserialize;
use serde_json::json;

use super::{
    Failure,
    running::{Asked, Running},
};

#[derive(Debug, Args)]
#[group(skip)]
pub(super) struct Arguments {
    #[command(flatten)]
    running: Running,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let server = Server::new(Proxy(arguments.running.asked()?));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    // Nothing else may be written to standard output from here on.
    let served = runtime.block_on(async {
        let serving = server.serve(rmcp::transport::stdio()).await.context("the agent began with no MCP handshake")?;
        serving.waiting().await.context("serving broke off")?;
        Ok(())
    });
    // A read of standard input is still waiting.
    runtime.shutdown_timeout(Duration::ZERO);
    served
}

/// The running proxy that has the originals.
struct Proxy(Asked);

impl Reads for Proxy {
    async fn read(&self, arguments: JsonObject) -> CallToolResult {
        let call = json!({
            "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": READ, "arguments": arguments},
        });
        match self.0.post("mcp", &call).await.and_then(|answer| Ok(serde_json::from_slice(&answer)?)) {
            Ok(Answer { result: Some(result), .. }) => result,
            Ok(Answer { error: Some(error), .. }) => told(Err(Unreadable(error.message))),
            Ok(_) => told(Err(Unreadable("the proxy is of another version than `headroom mcp`".to_owned()))),
            Err(Failure::Setup(error) | Failure::Work(error)) => told(Err(Unreadable(format!("{error}")))),
            Err(Failure::Status(_)) => told(Err(Unreadable("the proxy can't be asked".to_owned()))),
        }
    }
}

#[derive(Deserialize)]
struct Answer {
    result: Option<CallToolResult>,
    error: Option<Told>,
}

#[derive(Deserialize)]
struct Told {
    message: String,
}

pub(super) const AFTER: &str = "\
The proxy must run with `HEADROOM_ORIGINALS__ENABLED=true` (`[originals]`), so that its marks name what they stand for.
Whose texts are read: without --key-env, as the user who runs the proxy, on its machine, those of all its requests; with
--key-env NAME those that were sent with that key (--key-header says in which header).

Claude Code:  claude mcp add headroom -- headroom mcp
Codex:        codex mcp add headroom -- headroom mcp
opencode:     {\"mcp\": {\"headroom\": {\"type\": \"local\", \"command\": [\"headroom\", \"mcp\"]}}} in opencode.json

The proxy serves the same at /headroom/mcp, for agents elsewhere, with the key of their requests:
  claude mcp add --transport http headroom https://proxy.example.org/headroom/mcp --header \"x-api-key: $ANTHROPIC_API_KEY\"";
