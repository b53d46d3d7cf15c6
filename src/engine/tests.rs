//! What the engine promises.

use std::{
    fs,
    pin::Pin,
    sync::mpsc::{Receiver, Sender, channel},
};

use futures_util::{FutureExt, future::join_all};
use proptest::prelude::*;

use crate::{
    compress::{Decision, Factor, Interrupt, Limit, Outcome, Ratio, RewriteError, Rewriter, Shorter, ToolCall, Unit},
    model::ScriptedRewriter,
};

use super::*;

mod peers;
mod replay;

/// A model that does `before` at the beginning of every call.
struct Double<F> {
    before: F,
    interrupt: Interrupt,
    scripted: ScriptedRewriter,
}

impl<F: FnMut(&Interrupt) -> Result<(), RewriteError>> Rewriter for Double<F> {
    fn fingerprint(&self) -> &str {
        "double"
    }

    fn interrupt(&mut self, interrupt: Interrupt) {
        self.interrupt = interrupt;
    }

    fn meanings(&mut self, texts: &[&str]) -> Result<Vec<Vec<f32>>, RewriteError> {
        (self.before)(&self.interrupt)?;
        self.scripted.meanings(texts)
    }

    fn shorten(&mut self, statements: &[&str]) -> Result<Vec<Option<Shorter>>, RewriteError> {
        (self.before)(&self.interrupt)?;
        self.scripted.shorten(statements)
    }
}

fn backend<F: FnMut(&Interrupt) -> Result<(), RewriteError> + Send + 'static>(before: F) -> Backend {
    Backend::model(move || {
        Ok(Box::new(Double { before, interrupt: Interrupt::never(), scripted: ScriptedRewriter::new() }))
    })
}

fn works() -> Backend {
    backend(|_| Ok(()))
}

/// A model whose every call arrives at a gate, waits for a word, and says what its interrupt told it then.
struct Gate {
    arrived: Receiver<()>,
    /// Dropped, it lets every call through.
    go: Option<Sender<()>>,
    told: Receiver<Result<(), String>>,
}

impl Gate {
    fn new() -> (Self, Backend) {
        let ((arrive, arrived), (go, wait), (tell, told)) = (channel(), channel(), channel());
        let before = move |interrupt: &Interrupt| {
            let _ = arrive.send(());
            let _ = wait.recv();
            let _ = tell.send(interrupt.check().map_err(|error| error.to_string()));
            interrupt.check()
        };
        (Self { arrived, go: Some(go), told }, backend(before))
    }

    fn open(&mut self) {
        self.go = None;
    }
}

fn config() -> Config {
    Config { workers: 2, stuck_after_ms: 0, ..Config::default() }
}

async fn start(config: &Config, backend: Backend) -> Engine {
    let engine = Engine::start(config, None, backend).unwrap();
    engine.loaded().await;
    engine
}

/// A text that the pipeline asks the model about.
fn prose(day: usize) -> Arc<str> {
    let sentence = |mile: usize| {
        format!(
            "On day {day} of their journey the travellers walked slowly along the river for {mile} miles. The bridge at \
             mill {mile} had been closed since {mile} April and nobody in the town had told them about it. "
        )
    };
    (1..12).map(sentence).collect::<String>().into()
}

fn job(text: &Arc<str>) -> Job {
    Job {
        text: Arc::clone(text).into(),
        query: Query { preceding: "Which bridge had been closed since 4 April?".to_owned(), ..Query::default() },
        policy: Policy {
            ratio: Ratio::By(Factor::new(4.0).unwrap()),
            min_tokens: 16,
            rewrite: true,
            ..Policy::default()
        },
        encoding: Encoding::O200k,
        tenant: Tenant::default(),
    }
}

fn reason(reply: &Reply) -> Option<Reason> {
    match reply.condensation.outcome {
        Outcome::Unchanged(reason) => Some(reason),
        Outcome::Compressed(_) => None,
    }
}

/// A job that needs no model, of this tenant.
fn plain_job(day: usize, tenant: u8) -> Job {
    let job = job(&prose(day));
    Job { policy: Policy { rewrite: false, ..job.policy.clone() }, tenant: Tenant([tenant; 16]), ..job }
}

#[tokio::test]
async fn a_flood_of_one_tenant_leaves_another_its_turn() {
    let (mut gate, backend) = Gate::new();
    let engine = start(&Config { queue: 8, ..config() }, backend).await;
    // Two are under work for as long as the gate is shut, eight wait, and the rest finds no place.
    let flood = |day| Job { tenant: Tenant([7; 16]), ..job(&prose(day)) };
    let mut waiting: Vec<_> = (1..40).map(|day| Box::pin(engine.condense(flood(day), None))).collect();
    for future in &mut waiting {
        let _ = future.as_mut().now_or_never();
    }
    gate.arrived.recv().unwrap();
    for tenant in 1..4 {
        let reply = engine.condense(plain_job(50, tenant), None).await;
        assert_eq!(reason(&reply), None, "tenant {tenant}");
    }
    gate.open();
}

#[tokio::test]
async fn a_batch_leaves_chats_their_turn() {
    let (mut gate, backend) = Gate::new();
    let engine = start(&config(), backend).await;
    let batch = engine.batch();
    let mut waiting: Vec<_> = (1..=16)
        .map(|day| {
            let job = Job { tenant: Tenant([u8::try_from(day).unwrap(); 16]), ..job(&prose(day)) };
            Box::pin(batch.condense(job, None))
        })
        .collect();
    waiting.iter_mut().for_each(|future| begin(future.as_mut()));
    gate.arrived.recv().unwrap();
    // Of a tenant of the batch, of another, and several at once.
    let chats = (50..58).map(|day| engine.condense(plain_job(day, (day % 3) as u8), None));
    for reply in join_all(chats).await {
        assert_eq!(reason(&reply), None);
    }
    gate.open();
    for reply in join_all(waiting).await {
        assert_eq!(reason(&reply), None, "a batch is only later");
    }
}

/// A deadline that has passed.
fn passed() -> Option<Instant> {
    Some(Instant::now())
}

/// Polls a future once, so that what it starts has started.
fn begin(future: Pin<&mut impl Future<Output = Reply>>) {
    assert!(future.now_or_never().is_none());
}

#[tokio::test]
async fn equal_jobs_are_computed_once() {
    let (mut gate, backend) = Gate::new();
    let engine = start(&config(), backend).await;
    let text = prose(1);
    let mut waiting: Vec<_> = (0..50).map(|_| Box::pin(engine.condense(job(&text), None))).collect();
    waiting.iter_mut().for_each(|future| begin(future.as_mut()));
    gate.open();
    let replies = join_all(waiting).await;
    assert!(replies[0].condensation.text().is_some_and(|short| short.len() < text.len()));
    assert_eq!(replies.iter().filter(|reply| reply.cache == Cache::Miss).count(), 1);
    assert!(replies.iter().all(|reply| Arc::ptr_eq(&reply.condensation, &replies[0].condensation)));
    let stats = engine.stats();
    assert_eq!((stats.misses, stats.joined, stats.hits, stats.queued), (1, 49, 0, 0));
    assert_eq!(engine.condense(job(&text), passed()).await.cache, Cache::Hit);
}

#[tokio::test]
async fn one_who_leaves_does_not_take_the_others_along() {
    let (mut gate, backend) = Gate::new();
    let engine = start(&config(), backend).await;
    let text = prose(1);
    let mut first = Box::pin(engine.condense(job(&text), None));
    let mut second = Box::pin(engine.condense(job(&text), None));
    begin(first.as_mut());
    begin(second.as_mut());
    drop(first);
    gate.open();
    assert_eq!(reason(&second.await), None);
    assert_eq!(engine.stats().cancelled, 0);
}

#[tokio::test]
async fn the_model_is_stopped_when_the_last_one_leaves_and_nothing_is_decided() {
    let (mut gate, backend) = Gate::new();
    let engine = start(&config(), backend).await;
    let text = prose(1);
    let mut only = Box::pin(engine.condense(job(&text), None));
    begin(only.as_mut());
    gate.arrived.recv().unwrap();
    drop(only);
    gate.open();
    assert_eq!(gate.told.recv().unwrap(), Err("the request was cancelled".to_owned()));
    assert_eq!((engine.stats().cancelled, engine.stats().remembered), (1, 0));
    // The word came from inside of the call; the model has answered once the engine says so.
    while engine.stats().stuck {
        tokio::task::yield_now().await;
    }
    assert_eq!(reason(&engine.condense(job(&text), None).await), None);
}

#[tokio::test]
async fn a_text_that_ran_out_of_time_goes_on_as_it_is_from_then_on() {
    let (mut gate, backend) = Gate::new();
    let engine = start(&config(), backend).await;
    let text = prose(1);
    let mut patient = Box::pin(engine.condense(job(&text), None));
    begin(patient.as_mut());
    gate.arrived.recv().unwrap();
    let late = engine.condense(job(&text), passed()).await;
    assert_eq!(reason(&late), Some(Reason::Deadline));
    assert_eq!(late.condensation.tokens_before, Encoding::O200k.count(&text));
    assert_eq!(reason(&patient.await), Some(Reason::Deadline), "one key, one decision");
    gate.open();
    assert_eq!(gate.told.recv().unwrap(), Err("the time budget ran out".to_owned()));
    let again = engine.condense(job(&text), None).await;
    assert_eq!((reason(&again), again.cache), (Some(Reason::Deadline), Cache::Hit));
    assert_eq!((engine.stats().forced_deadline, engine.stats().remembered), (1, 1));
}

#[tokio::test]
async fn forced_decisions_outlive_the_process() {
    let folder = tempfile::tempdir().unwrap();
    let text = prose(1);
    let engine = Engine::start(&config(), Some(folder.path()), works()).unwrap();
    assert_eq!(reason(&engine.condense(job(&text), passed()).await), Some(Reason::Deadline));
    drop(engine);

    let engine = Engine::start(&config(), Some(folder.path()), works()).unwrap();
    assert_eq!(reason(&engine.condense(job(&text), None).await), Some(Reason::Deadline));
    assert_eq!(reason(&engine.condense(job(&prose(2)), None).await), None);
}

#[tokio::test]
async fn a_replay_after_a_restart_gives_the_same_texts_in_any_order() {
    let folder = tempfile::tempdir().unwrap();
    let mut outcomes = Vec::new();
    for (order, cache_mib) in [([0, 1, 2, 3, 4], 64), ([3, 1, 4, 0, 2], 0), ([4, 3, 2, 1, 0], 64)] {
        let engine = Engine::start(&Config { cache_mib, ..config() }, Some(folder.path()), works()).unwrap();
        engine.loaded().await;
        let mut replies: Vec<_> = Vec::new();
        for day in order {
            let deadline = if day == 2 && outcomes.is_empty() { passed() } else { None };
            replies.push((day, engine.condense(job(&prose(day)), deadline).await.condensation.outcome.clone()));
        }
        replies.sort_by_key(|(day, _)| *day);
        outcomes.push(replies);
    }
    assert_eq!(outcomes[0][2].1, Outcome::Unchanged(Reason::Deadline));
    assert!(outcomes[0].iter().all(|(day, outcome)| *day == 2 || matches!(outcome, Outcome::Compressed(_))));
    assert!(outcomes.iter().all(|replay| *replay == outcomes[0]));
}

#[tokio::test]
async fn a_full_queue_lets_texts_go_on_as_they_are() {
    let (mut gate, backend) = Gate::new();
    let engine = start(&Config { workers: 1, queue: 1, ..config() }, backend).await;
    let texts = [prose(1), prose(2), prose(3)];
    let mut running = Box::pin(engine.condense(job(&texts[0]), None));
    begin(running.as_mut());
    gate.arrived.recv().unwrap();
    let mut queued = Box::pin(engine.condense(job(&texts[1]), None));
    begin(queued.as_mut());
    assert_eq!(engine.stats().queued, 1);
    assert_eq!(reason(&engine.condense(job(&texts[2]), None).await), Some(Reason::Overloaded));
    gate.open();
    assert_eq!((reason(&running.await), reason(&queued.await)), (None, None));
    assert_eq!(reason(&engine.condense(job(&texts[2]), None).await), Some(Reason::Overloaded));
    assert_eq!(engine.stats().forced_overloaded, 1);
}

#[tokio::test]
async fn a_model_that_hangs_holds_up_nobody_until_it_answers_again() {
    let (mut gate, backend) = Gate::new();
    let engine = start(&config(), backend).await;
    let mut first = Box::pin(engine.condense(job(&prose(1)), None));
    begin(first.as_mut());
    gate.arrived.recv().unwrap();
    assert!(!engine.stats().stuck, "a call that nobody stopped may take its time");
    assert_eq!(reason(&engine.condense(job(&prose(1)), passed()).await), Some(Reason::Deadline));
    assert!(engine.stats().stuck);
    let second = engine.condense(job(&prose(2)), None).await;
    assert!(second.condensation.hurried && reason(&second).is_none(), "words choose in its place");
    gate.open();
    gate.told.recv().unwrap().unwrap_err();
    while engine.stats().stuck {
        tokio::task::yield_now().await;
    }
    assert_eq!(reason(&engine.condense(job(&prose(3)), None).await), None);
}

#[tokio::test]
async fn a_failing_model_and_a_panicking_one_let_texts_go_on_as_they_are() {
    let failing = backend(|_| Err(RewriteError::Failed("scripted".into())));
    let engine = start(&config(), failing).await;
    assert_eq!(reason(&engine.condense(job(&prose(1)), None).await), Some(Reason::ModelFailed));

    let mut calls = 0;
    let panicking = backend(move |_| {
        calls += 1;
        assert!(calls > 1, "scripted");
        Ok(())
    });
    let engine = start(&config(), panicking).await;
    assert_eq!(reason(&engine.condense(job(&prose(1)), None).await), Some(Reason::ModelFailed));
    assert_eq!(reason(&engine.condense(job(&prose(2)), None).await), None);
    assert_eq!((engine.stats().panics, engine.stats().forced_model_failed), (1, 1));
}

#[tokio::test]
async fn a_model_that_cannot_be_loaded_says_why_and_texts_go_on_as_they_are() {
    let engine = start(&config(), Backend::model(|| Err("no such file".into()))).await;
    assert_eq!(engine.readiness(), Readiness::Failed("no such file".into()));
    assert_eq!(reason(&engine.condense(job(&prose(1)), None).await), Some(Reason::ModelFailed));
    let without = Job { policy: Policy { rewrite: false, ..job(&prose(1)).policy }, ..job(&prose(1)) };
    assert_eq!(reason(&engine.condense(without, None).await), None);

    let engine = start(&config(), Backend::model(|| panic!("scripted"))).await;
    assert_eq!(engine.readiness(), Readiness::Failed("loading panicked".into()));
}

#[tokio::test]
async fn a_job_waits_for_the_model_to_load_as_long_as_it_has_time() {
    let (go, wait) = channel::<()>();
    let loading = Backend::model(move || {
        let _ = wait.recv();
        Ok(Box::new(ScriptedRewriter::new()))
    });
    let engine = Engine::start(&config(), None, loading).unwrap();
    assert_eq!(engine.readiness(), Readiness::Loading);
    let mut patient = Box::pin(engine.condense(job(&prose(1)), None));
    begin(patient.as_mut());
    assert_eq!(reason(&engine.condense(job(&prose(2)), passed()).await), Some(Reason::Deadline));
    drop(go);
    assert_eq!(reason(&patient.await), None);
    assert_eq!(engine.readiness(), Readiness::Ready);
    assert_eq!(reason(&engine.condense(job(&prose(2)), None).await), Some(Reason::Deadline));
}

#[tokio::test]
async fn what_a_verdict_put_back_stays_put_back_after_eviction_and_restart() {
    let folder = tempfile::tempdir().unwrap();
    let text = prose(1);
    let mut forms = Vec::new();
    for cache_mib in [64, 0, 64] {
        let engine = Engine::start(&Config { cache_mib, ..config() }, Some(folder.path()), works()).unwrap();
        engine.loaded().await;
        let reply = engine.condense(job(&text), None).await;
        if forms.is_empty() {
            let at = |unit: &Unit| unit.decision == Decision::Dropped && unit.form == crate::compress::Form::Prose;
            let dropped = reply.condensation.units.iter().position(at).unwrap();
            assert!(!engine.is_judged(reply.id));
            let judged = engine.judge(&job(&text), reply.clone(), &[dropped]);
            assert_ne!(judged.condensation, reply.condensation);
            forms.push(judged.condensation.outcome.clone());
            // The first verdict holds.
            let second = engine.judge(&job(&text), reply.clone(), &[0, 1, 2]);
            forms.push(second.condensation.outcome.clone());
        }
        assert!(engine.is_judged(reply.id));
        forms.push(engine.condense(job(&text), None).await.condensation.outcome.clone());
        forms.push(engine.condense(job(&text), None).await.condensation.outcome.clone());
    }
    assert!(matches!(forms[0], Outcome::Compressed(_)));
    assert!(forms.iter().all(|form| *form == forms[0]));
}

#[tokio::test]
async fn a_passed_verdict_and_a_missing_one_outlive_the_process() {
    let folder = tempfile::tempdir().unwrap();
    let (passed, missing) = (prose(1), prose(2));
    let engine = Engine::start(&config(), Some(folder.path()), works()).unwrap();
    let reply = engine.condense(job(&passed), None).await;
    let form = engine.judge(&job(&passed), reply, &[]).condensation.outcome.clone();
    let reply = engine.condense(job(&missing), None).await;
    assert_eq!(reason(&engine.forgo(&job(&missing), reply)), Some(Reason::Unverified));
    assert_eq!((engine.stats().judged, engine.stats().forced_unverified), (1, 1));
    drop(engine);

    let engine = Engine::start(&config(), Some(folder.path()), works()).unwrap();
    let again = engine.condense(job(&passed), None).await;
    assert!(engine.is_judged(again.id) && again.condensation.outcome == form);
    assert_eq!(reason(&engine.condense(job(&missing), None).await), Some(Reason::Unverified));
}

#[tokio::test]
async fn a_text_keeps_the_level_of_its_first_time() {
    let folder = tempfile::tempdir().unwrap();
    let mut forms = Vec::new();
    for levels in [[Some(Level::Full), Some(Level::Gentler)], [Some(Level::Redundancy), None]] {
        // Nothing is cached, so that each form is computed anew.
        let engine = Engine::start(&Config { cache_mib: 0, ..config() }, Some(folder.path()), works()).unwrap();
        for level in levels {
            let old = engine.condense_at(job(&prose(1)), level, None).await;
            assert_eq!(old.level, Level::Full);
            forms.push(old.condensation.tokens_after);
        }
        let new = engine.condense_at(job(&prose(2)), Some(Level::Gentler), None).await;
        assert_eq!(new.level, Level::Gentler, "seen first when backed off");
        assert!(new.condensation.tokens_after > forms[0], "2:1 is gentler than 4:1");
        let later = engine.condense_at(job(&prose(2)), Some(Level::Full), None).await;
        assert_eq!(
            (later.level, &later.condensation.outcome),
            (Level::Gentler, &new.condensation.outcome),
            "recovered, and the same"
        );
    }
    assert!(forms.iter().all(|form| *form == forms[0]));
}

#[tokio::test]
async fn eviction_leaves_decisions_and_gives_the_same_text_again() {
    let engine = start(&Config { cache_mib: 0, ..config() }, works()).await;
    let forced = engine.condense(job(&prose(0)), None).await;
    let first = engine.condense(job(&prose(1)), None).await;
    let again = engine.condense(job(&prose(1)), None).await;
    assert_eq!((first.cache, again.cache), (Cache::Miss, Cache::Hit));
    assert_eq!(first.condensation.outcome, again.condensation.outcome);
    assert_eq!(reason(&forced), None);
    let late = Job { tenant: Tenant([9; 16]), ..job(&prose(0)) };
    assert_eq!(engine.condense(late.clone(), passed()).await.cache, Cache::Miss);
    assert_eq!(reason(&engine.condense(late, None).await), Some(Reason::Deadline));
    assert_eq!((engine.stats().cached, engine.stats().remembered), (0, 1));
}

#[tokio::test]
async fn tenants_and_policies_share_nothing() {
    let engine = start(&config(), works()).await;
    let own = job(&prose(1));
    let mut others = vec![own.clone(); 6];
    others[0].tenant = Tenant([1; 16]);
    others[1].policy.ratio = Ratio::Auto;
    others[2].policy.min_tokens = 17;
    others[3].query.siblings = "x".to_owned();
    others[4].query.call = Some(ToolCall::default());
    others[5].encoding = Encoding::Cl100k;
    assert_eq!(engine.condense(own.clone(), None).await.cache, Cache::Miss);
    assert_eq!(engine.condense(own, None).await.cache, Cache::Hit);
    for other in others {
        assert_eq!(engine.condense(other, None).await.cache, Cache::Miss);
    }
}

#[tokio::test]
async fn length_alone_decides_without_a_model() {
    let (_gate, backend) = Gate::new();
    let engine = start(&Config { longest_slot_kib: 1, ..config() }, backend).await;
    assert_eq!(reason(&engine.condense(job(&prose(1)), passed()).await), Some(Reason::TooLong));
    assert_eq!(reason(&engine.condense(job(&"short".into()), passed()).await), Some(Reason::BelowMinimum));
    assert_eq!(engine.stats().remembered, 0);
}

#[tokio::test]
async fn the_last_handle_ends_the_threads_and_a_hanging_one_is_left_behind() {
    let (sender, ended) = channel::<()>();
    let engine = start(
        &config(),
        backend(move |_| {
            let _ = &sender;
            Ok(())
        }),
    )
    .await;
    drop(engine.clone());
    assert_eq!(reason(&engine.condense(job(&prose(1)), None).await), None);
    drop(engine);
    ended.recv().unwrap_err();

    let (gate, backend) = Gate::new();
    let engine = start(&config(), backend).await;
    let mut hanging = Box::pin(engine.condense(job(&prose(1)), None));
    begin(hanging.as_mut());
    gate.arrived.recv().unwrap();
    drop(hanging);
    drop(engine);
}

#[test]
fn the_cache_stays_within_its_weight() {
    let engine = Engine::start(&Config { cache_mib: 1, ..config() }, None, Backend::None).unwrap();
    let flights = &engine.inner.shared.flights;
    let long = Condensation {
        outcome: Outcome::Compressed("x".repeat(100_000)),
        ..Condensation::unchanged(Reason::NoGain, 9)
    };
    for day in 0..40 {
        let key = Key::of(&job(&prose(day)));
        let Joined::New(waiter) = flights.join(key, ModelId::default(), Level::Full) else {
            panic!("day {day} is known")
        };
        flights.settle(&waiter.flight(), Known::new(long.clone(), Duration::ZERO));
    }
    let stats = engine.stats();
    assert!(stats.evictions >= 30 && stats.cached > 0 && stats.cached_bytes <= 1 << 20, "{stats:?}");
}

#[test]
fn handles_go_wherever_requests_go() {
    fn is_send_and_sync<T: Send + Sync + Clone>(_: &T) {}
    let engine = Engine::start(&config(), None, Backend::None).unwrap();
    is_send_and_sync(&engine);
    let future = engine.condense(job(&prose(1)), None);
    drop(Box::pin(future) as Pin<Box<dyn Future<Output = Reply> + Send>>);
}

#[test]
fn a_named_file_that_cannot_be_used_stops_the_start_and_an_automatic_one_does_not() {
    let folder = tempfile::tempdir().unwrap();
    let blocked = folder.path().join("file");
    fs::write(&blocked, "").unwrap();
    let named = Config { decisions_file: blocked.join("below").display().to_string(), ..config() };
    assert!(matches!(Engine::start(&named, None, Backend::None), Err(StartError::Decisions(..))));
    assert!(Engine::start(&config(), Some(&blocked), Backend::None).is_ok());
}

#[test]
fn settings_are_checked_with_key_and_remedy() {
    assert_eq!(Config::default().check(), Ok(()));
    let wrong = Config { queue: 0, ..Config::default() }.check().unwrap_err();
    assert_eq!(wrong.to_string(), "`queue` is 0: a number from 1 to 100000");
    assert!(toml::from_str::<Config>("wrokers = 1").is_err());
}

#[test]
fn the_state_directory_follows_the_environment() {
    let of = |list: &'static [(&str, &str)]| {
        state_directory(|name| list.iter().find(|(key, _)| *key == name).map(|(_, value)| value.into()))
    };
    assert_eq!(of(&[("XDG_STATE_HOME", "/s"), ("HOME", "/h")]), Some("/s/headroom".into()));
    assert_eq!(of(&[("XDG_STATE_HOME", "relative"), ("HOME", "/h")]), Some("/h/.local/state/headroom".into()));
    assert_eq!(of(&[]), None);
}

proptest! {
    #[test]
    fn fields_that_meet_differently_have_different_keys(text in ".{0,9}", cut in any::<prop::sample::Index>(), other in any::<prop::sample::Index>()) {
        let chars: Vec<char> = text.chars().collect();
        let at = |index: &prop::sample::Index| {
            let at = index.index(chars.len() + 1);
            let (siblings, preceding) = chars.split_at(at);
            let query = Query { siblings: siblings.iter().collect(), preceding: preceding.iter().collect(), ..Query::default() };
            (at, Key::of(&Job { query, ..job(&"text".into()) }))
        };
        let ((one, one_key), (two, two_key)) = (at(&cut), at(&other));
        prop_assert_eq!(one == two, one_key == two_key);
    }
}
