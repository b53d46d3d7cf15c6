//! The MCP server: one tool, described so that a model knows what a mark means and what to call.

use std::sync::Arc;

use rmcp::{
    ErrorData, RoleServer, ServerHandler,
    model::{
        CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock, Implementation, JsonObject,
        ListToolsResult, PaginatedRequestParams, ServerCapabilities, ServerConfig, Tool, ToolAnnotations,
    },
    service::RequestContext,
};
use serde_json::{Value, json};

use super::{Passage, Unreadable};
use crate::compress::READ;

/// Where the tool reads: the originals themselves, or a running proxy that has them.
pub trait Reads: Send + Sync + 'static {
    /// The answer to a call with these arguments.
    fn read(&self, arguments: JsonObject) -> impl Future<Output = CallToolResult> + Send;
}

/// The server, over whatever it is reached.
#[derive(Debug)]
pub struct Server<R> {
    reads: Arc<R>,
}

impl<R> Clone for Server<R> {
    fn clone(&self) -> Self {
        Self { reads: Arc::clone(&self.reads) }
    }
}

impl<R: Reads> Server<R> {
    /// A server that reads there.
    #[must_use]
    pub fn new(reads: R) -> Self {
        Self { reads: Arc::new(reads) }
    }
}

impl<R: Reads> ServerHandler for Server<R> {
    fn get_info(&self) -> ServerConfig {
        let server = Implementation::new("headroom", env!("CARGO_PKG_VERSION"));
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
            .with_server_info(server)
            .with_instructions(INSTRUCTIONS)
    }

    async fn list_tools(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        Ok(ListToolsResult::with_all_items(vec![tool()]))
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        if request.name != READ {
            return Err(ErrorData::invalid_params(format!("the one tool here is {READ}"), None));
        }
        Ok(self.reads.read(request.arguments.unwrap_or_default()).await.into())
    }
}

/// An answer as the tool gives it: the text in a block of its own, so that nothing is added to it.
#[must_use]
pub fn told(read: Result<Passage, Unreadable>) -> CallToolResult {
    match read {
        Ok(Passage { text, note }) => {
            CallToolResult::success([Some(text), note].into_iter().flatten().map(ContentBlock::text).collect())
        }
        // For the model to read, and to do otherwise: an error of the protocol would reach nobody.
        Err(Unreadable(why)) => CallToolResult::error(vec![ContentBlock::text(why)]),
    }
}

fn tool() -> Tool {
    let text = |description: &str| json!({"type": "string", "description": description});
    let schema = json!({
        "type": "object",
        "properties": {
            "id": text("The word (a letter and 18 digits) behind `headroom_read` in the mark, e.g. \"r482133901277640915\"."),
            "lines": text("Lines of the original to read, counted from 1: \"120-180\", \"120-\" or \"120\"."),
            "pattern": text("A regular expression: gives the lines of the original that match, with their numbers and two \
                             lines around each. With `lines`, only within those."),
            "from_byte": {"type": "integer", "description": "Where to read on, if an answer says so."},
        },
        "required": ["id"],
        "additionalProperties": false,
    });
    let schema = match schema {
        Value::Object(schema) => schema,
        _ => JsonObject::new(),
    };
    let hints = ToolAnnotations::from_raw(None, Some(true), Some(false), Some(true), Some(false));
    Tool::new(READ, DESCRIPTION, schema).with_annotations(hints)
}

const DESCRIPTION: &str = "\
Reads text that was left out of a message or tool result above. A mark such as `[… 240 lines; headroom_read r482133901277640915]` \
stands where something is missing; the word in it is the id of the whole original text, also for later marks `[…]` of the \
same text. Call this when the answer may depend on what is missing, or before you quote or edit it; prefer `pattern` or \
`lines` to reading everything. The original is returned exactly.";

const INSTRUCTIONS: &str = "\
Long texts above may be shortened: `[… 240 lines; headroom_read r482133901277640915]` marks what is missing. Call headroom_read \
with that id to read the original, by `pattern` or by `lines`.";
