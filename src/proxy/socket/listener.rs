//! Listens to what the server says on a WebSocket while it passes by: which tools the model calls, where a response
//! ends, and what it cost. What cannot be read is not heard, and never held up.

use std::{
    borrow::Cow,
    sync::{Arc, Mutex, PoisonError},
};

use bytes::{Buf as _, BytesMut};
use tungstenite::protocol::frame::coding::Data;

use super::{
    Asked, Session,
    frame::Head,
    inflate::{Inflater, Lost},
};
use crate::{
    proxy::usage::{self, UsageWatch},
    telemetry::Metrics,
    wire::{self, Surface},
};

/// Whoever listens.
#[derive(Debug)]
pub(super) struct Listener {
    socket: Arc<Mutex<wire::Socket>>,
    metrics: Arc<Metrics>,
    cached_price: f64,
    /// The requests that await a response.
    asked: Asked,
    inflater: Option<Inflater>,
    pending: BytesMut,
    /// The message under way.
    message: Vec<u8>,
    compressed: bool,
    /// Something could not be read, so nothing after it can.
    deaf: bool,
}

impl Listener {
    pub(super) fn new(session: &Session, inflater: Option<Inflater>) -> Self {
        Self {
            socket: Arc::clone(&session.socket),
            metrics: Arc::clone(&session.proxy.metrics),
            cached_price: session.proxy.config.cached_token_price,
            asked: Arc::clone(&session.asked),
            inflater,
            pending: BytesMut::new(),
            message: Vec::new(),
            compressed: false,
            deaf: false,
        }
    }

    /// The next bytes pass by.
    pub(super) fn see(&mut self, data: &[u8]) {
        if self.deaf {
            return;
        }
        self.pending.extend_from_slice(data);
        while !self.deaf {
            let head = match Head::read(&self.pending) {
                Ok(Some(head)) => head,
                Ok(None) => return,
                Err(_) => return self.give_up(),
            };
            if head.payload > MOST as u64 || head.header.mask.is_some() {
                return self.give_up();
            }
            // Bounded just now.
            let payload = usize::try_from(head.payload).unwrap_or_default();
            if self.pending.len() < head.bytes + payload {
                return;
            }
            self.pending.advance(head.bytes);
            let payload = self.pending.split_to(payload);
            self.frame(&head, &payload);
        }
    }

    fn frame(&mut self, head: &Head, payload: &[u8]) {
        match head.data() {
            None => return,
            Some(Data::Continue) => {}
            Some(_) => {
                self.message.clear();
                self.compressed = head.header.rsv1;
            }
        }
        if self.message.len() + payload.len() > MOST {
            return self.give_up();
        }
        self.message.extend_from_slice(payload);
        if head.header.is_final {
            let message = std::mem::take(&mut self.message);
            match (self.compressed, &mut self.inflater) {
                (false, _) => self.hear(&message),
                (true, Some(inflater)) => match inflater.message(&message, MOST) {
                    Ok(message) => self.hear(&message),
                    Err(Lost) => self.give_up(),
                },
                (true, None) => self.give_up(),
            }
        }
    }

    fn hear(&self, message: &[u8]) {
        self.socket.lock().unwrap_or_else(PoisonError::into_inner).hear(message);
        if let Some(failed) = ends(message) {
            let mut watch = UsageWatch::new(Surface::Responses);
            watch.see(message);
            let told = watch.usage();
            if let Some(told) = told {
                usage::count(told, &self.metrics, self.cached_price);
            }
            let entry = self.asked.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
            if let Some(mut entry) = entry {
                entry.answered(failed, told, watch.stored().as_deref());
            }
        }
    }

    fn give_up(&mut self) {
        self.deaf = true;
        (self.pending, self.message, self.inflater) = (BytesMut::new(), Vec::new(), None);
    }
}

/// Whether a message ends a response, and then whether it failed.
fn ends(message: &[u8]) -> Option<bool> {
    #[derive(serde::Deserialize)]
    struct Event<'a> {
        #[serde(borrow, rename = "type")]
        kind: Cow<'a, str>,
    }
    // Most messages are pieces of text; what they say is not read.
    let may = ["response.completed", "response.incomplete", "response.failed", "error"];
    let said = |word: &str| memchr::memmem::find(message, format!("\"{word}\"").as_bytes()).is_some();
    may.iter().find(|word| said(word))?;
    let event: Event<'_> = serde_json::from_slice(message).ok()?;
    match &*event.kind {
        "response.completed" | "response.incomplete" => Some(false),
        "response.failed" | "error" => Some(true),
        _ => None,
    }
}

/// Bytes of a message at most.
const MOST: usize = 4 << 20;
