//! Responses over a WebSocket: each `response.create` frame is a request, and what a slot of it answers was said in
//! frames before it. A frame that goes on where the last response ended is read in the light of all of them, as the body
//! of a request is that has the whole conversation in it.

use super::{
    Located, Unreadable,
    asked::Asked,
    conversation::Conversation,
    json::{Json, Object, Raw},
    responses,
    turn::{text_field, word},
};

/// What was said on one connection.
#[derive(Debug, Default)]
pub struct Socket {
    asked: Asked,
    /// The last response that ended.
    last: Option<String>,
}

impl Socket {
    /// Finds the slots of a client's frame; `None` where it asks for no response.
    ///
    /// # Errors
    /// When it does and cannot be read; see [`Unreadable`].
    pub fn locate(&mut self, frame: &[u8]) -> Option<Result<Located, Unreadable>> {
        let body = std::str::from_utf8(frame).ok()?;
        let json = Json::read(body)?;
        let request = json.object()?;
        if word(&request, "type").ok()?? != "response.create" {
            return None;
        }
        let goes_on = match text_field(&request, "previous_response_id") {
            Ok(previous) => previous.is_some() && previous == self.last,
            Err(_) => false,
        };
        if !goes_on {
            self.asked = Asked::default();
        }
        let mut conversation = Conversation::after(std::mem::take(&mut self.asked));
        let located = responses::read(&request, body, &mut conversation);
        self.asked = conversation.asked();
        self.asked.keep(MOST_CALLS);
        Some(located)
    }

    /// Takes note of a server's frame: what the model called, and where a response ended.
    pub fn hear(&mut self, frame: &[u8]) {
        if tells_of_a_call(frame) || ends(frame) {
            // A frame that cannot be read says nothing.
            let _ = std::str::from_utf8(frame).ok().and_then(|body| self.note(&Json::read(body)?.object()?, body));
        }
    }

    fn note(&mut self, event: &Object<'_>, body: &str) -> Option<()> {
        match &*word(event, "type").ok()?? {
            "response.output_item.done" => {
                let turn = responses::item(event.field("item").ok()??, body)?;
                self.asked.note(turn.calls);
                self.asked.keep(MOST_CALLS);
            }
            "response.completed" | "response.incomplete" => self.last = id(event.field("response").ok()??),
            _ => {}
        }
        Some(())
    }
}

fn id(response: Raw<'_>) -> Option<String> {
    text_field(&response.object()?, "id").ok().flatten()
}

/// Whether a server's frame may tell of a call.
fn tells_of_a_call(frame: &[u8]) -> bool {
    memchr::memmem::find(frame, b"response.output_item.done").is_some()
}

/// Whether a server's frame may end a response.
fn ends(frame: &[u8]) -> bool {
    [&b"response.completed"[..], b"response.incomplete"].iter().any(|word| memchr::memmem::find(frame, word).is_some())
}

/// Calls of one connection to remember; their outputs follow soon.
const MOST_CALLS: usize = 256;
