//! Keeps a page up to date by server-sent events: the whole state at once, and again whenever it differs. Who watches is
//! bounded, a slow reader skips states instead of piling them up, and a drain or other settings end it.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use tokio::{sync::mpsc, time::timeout};

use super::{Viewer, state::State};
use crate::proxy::{Proxy, body::Answer};

/// The stream of states; `None` where too many watch already.
pub(super) fn watch(proxy: &Arc<Proxy>, viewer: Viewer) -> Option<Answer> {
    let place = Arc::clone(&proxy.books.watchers).try_acquire_owned().ok()?;
    let (send, events) = mpsc::channel(1);
    let (told, settings) = (Arc::clone(proxy), proxy.books.settings());
    proxy.life.tasks.spawn(async move {
        tokio::select! {
            // Nobody is left to be told anything by the end of it.
            _ = tell(&told, viewer, &send) => {}
            () = told.life.drain.cancelled() => {}
            () = settings.cancelled() => {}
        }
        drop(place);
    });
    Some(Answer::live(events))
}

async fn tell(proxy: &Proxy, viewer: Viewer, to: &mpsc::Sender<Bytes>) -> Result<(), mpsc::error::SendError<Bytes>> {
    let (mut last, mut silent) = (String::new(), 0);
    loop {
        let state = serde_json::to_string(&State::of(proxy, viewer)).unwrap_or_default();
        if state != last {
            to.send(format!("event: state\ndata: {state}\n\n").into()).await?;
            (last, silent) = (state, 0);
        } else if silent >= HEARTBEAT {
            // So that whoever stands between doesn't take it for dead, and we notice when it is.
            to.send(Bytes::from_static(b": still here\n\n")).await?;
            silent = 0;
        }
        silent += 1;
        if timeout(PAUSE, to.closed()).await.is_ok() {
            return Ok(());
        }
    }
}

/// Between two states.
const PAUSE: Duration = Duration::from_millis(500);

/// Pauses without a change after which a line is sent all the same.
const HEARTBEAT: u32 = 30;
