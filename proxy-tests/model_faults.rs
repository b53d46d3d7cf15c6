//! Whatever the model does, the request reaches the upstream.

use std::sync::mpsc;

use headroom::{
    compress::{Interrupt, RewriteError, Rewriter, Shorter},
    engine::Backend,
};
use serde_json::json;

use crate::support::{Rig, long_text, ok, post, soon};

/// A model that does one thing whatever it is asked.
struct Odd<F>(F);

impl<F: FnMut() -> RewriteError> Rewriter for Odd<F> {
    fn fingerprint(&self) -> &str {
        "odd"
    }

    fn interrupt(&mut self, _: Interrupt) {}

    fn meanings(&mut self, _: &[&str]) -> Result<Vec<Vec<f32>>, RewriteError> {
        Err((self.0)())
    }

    fn shorten(&mut self, _: &[&str]) -> Result<Vec<Option<Shorter>>, RewriteError> {
        Err((self.0)())
    }
}

fn odd(what: impl FnMut() -> RewriteError + Send + 'static) -> Backend {
    Backend::model(move || Ok(Box::new(Odd(what))))
}

/// A long text with a question and a ratio, so that the model is asked what is near to it.
fn completion() -> String {
    let text = format!("{}\n\nWhat was decided about the mill?", long_text());
    let body = json!({"model": "gpt-4o", "messages": [{"role": "user", "content": text}]}).to_string();
    post("/v1/chat/completions", &body).replacen("Host: h\r\n", "Host: h\r\nX-Headroom-Ratio: 4\r\n", 1)
}

#[tokio::test]
async fn a_model_that_fails_panics_or_cannot_be_loaded_costs_only_the_saving() {
    for model in [
        odd(|| RewriteError::Failed("no".into())),
        odd(|| panic!("a fault in the model")),
        Backend::model(|| Err("no such file".into())),
    ] {
        let rig = Rig::with(|settings| settings.model = model).await;
        let request = completion();
        let (got, answer) = rig.exchange(request.as_bytes(), ok("fine").as_bytes()).await;
        assert!(request.ends_with(got.text()));
        assert_eq!(answer.header("x-headroom-outcome"), Some("unchanged; reason=model_failed"));
        assert_eq!((answer.status(), answer.text()), (200, "fine"));
    }
}

#[tokio::test]
async fn a_model_that_hangs_costs_time_and_words_choose_in_its_place() {
    let (release, hang) = mpsc::channel::<()>();
    let rig = Rig::with(|settings| {
        settings.engine.time_budget_ms = 2_000;
        settings.model = odd(move || {
            let _ = hang.recv();
            RewriteError::Cancelled
        });
    })
    .await;
    rig.engine.loaded().await;
    let request = completion();
    let (got, answer) = rig.exchange(request.as_bytes(), ok("").as_bytes()).await;
    assert!(got.text().len() < request.len() / 2);
    assert_eq!(answer.header("x-headroom-outcome"), Some("compressed; limit=time"));
    drop(release);
}

#[tokio::test]
async fn a_client_that_goes_during_compression_stops_it_and_the_upstream_never_hears_of_it() {
    let (arrived, mut arrivals) = tokio::sync::mpsc::unbounded_channel();
    let (release, hang) = mpsc::channel::<()>();
    let rig = Rig::with(|settings| {
        settings.model = odd(move || {
            arrived.send(()).unwrap();
            let _ = hang.recv();
            RewriteError::Cancelled
        });
    })
    .await;
    let mut client = rig.client().await;
    client.write(completion()).await;
    soon(arrivals.recv()).await.unwrap();
    drop(client);
    // Nobody waits any more: the engine counts the job as cancelled.
    soon(async {
        while rig.engine.stats().cancelled == 0 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    drop(release);
    let (got, _) = rig.exchange(b"GET /next HTTP/1.1\r\nHost: h\r\n\r\n", ok("").as_bytes()).await;
    assert!(got.head.starts_with("GET /next "), "the first request that the upstream hears of: {}", got.head);
}
