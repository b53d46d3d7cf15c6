//! What was decided once comes out the same after a restart, an eviction, in another process, and however busy the engine is.

use super::{decisions::Chosen, *};
use crate::compress::compress;

/// A model that can't be had.
fn never() -> (Sender<()>, Backend) {
    let (go, wait) = channel::<()>();
    let load = move || {
        let _ = wait.recv();
        Err("it never came".into())
    };
    (go, Backend::model(load))
}

/// The outcomes of one day's text each, out of time or not.
async fn outcomes(engine: &Engine, deadline: Option<Instant>) -> Vec<(Outcome, Cache)> {
    let mut outcomes = Vec::new();
    for day in 1..4 {
        let reply = engine.condense(job(&prose(day)), deadline).await;
        outcomes.push((reply.condensation.outcome.clone(), reply.cache));
    }
    outcomes
}

fn texts(outcomes: &[(Outcome, Cache)]) -> Vec<&Outcome> {
    outcomes.iter().map(|(outcome, _)| outcome).collect()
}

#[tokio::test]
async fn after_a_restart_a_text_needs_neither_model_nor_time_nor_room_in_the_queue() {
    let folder = tempfile::tempdir().unwrap();
    let engine = Engine::start(&config(), Some(folder.path()), works()).unwrap();
    let first = outcomes(&engine, None).await;
    assert!(first.iter().all(|(outcome, _)| matches!(outcome, Outcome::Compressed(_))));
    assert_eq!(engine.stats().chosen, 3);
    drop(engine);

    let (_loading, backend) = never();
    let engine = Engine::start(&config(), Some(folder.path()), backend).unwrap();
    let again = outcomes(&engine, passed()).await;
    assert_eq!((texts(&again), again[0].1), (texts(&first), Cache::Hit));
    assert_eq!(reason(&engine.condense(job(&prose(9)), passed()).await), Some(Reason::Deadline), "a new text waits");
    drop(engine);

    // A worker is held, and one more text fills the queue.
    let (mut gate, backend) = Gate::new();
    let engine = Engine::start(&Config { workers: 1, queue: 1, ..config() }, Some(folder.path()), backend).unwrap();
    engine.loaded().await;
    let (held, queued) = (prose(10), prose(11));
    let mut held = Box::pin(engine.condense(job(&held), None));
    assert!((&mut held).now_or_never().is_none());
    while gate.arrived.try_recv().is_err() {
        assert!((&mut held).now_or_never().is_none());
        tokio::task::yield_now().await;
    }
    let mut queued = Box::pin(engine.condense(job(&queued), None));
    while engine.stats().queued == 0 {
        assert!((&mut queued).now_or_never().is_none());
        tokio::task::yield_now().await;
    }
    assert_eq!(texts(&outcomes(&engine, None).await), texts(&first));
    assert_eq!(
        reason(&engine.condense(job(&prose(12)), None).await),
        Some(Reason::Overloaded),
        "a new text finds none"
    );
    gate.open();
    held.await;
    queued.await;
}

#[tokio::test]
async fn an_eviction_costs_no_text_its_form() {
    let (mut gate, backend) = Gate::new();
    gate.open();
    let engine = start(&Config { cache_mib: 0, ..config() }, backend).await;
    let first = outcomes(&engine, None).await;
    let asked = engine.stats().inference_calls;
    assert_eq!(texts(&outcomes(&engine, passed()).await), texts(&first));
    let stats = engine.stats();
    assert_eq!((stats.replayed, stats.inference_calls, stats.forced_deadline), (3, asked, 0));
}

#[tokio::test]
async fn a_process_beside_it_writes_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let (_loading, backend) = never();
    let other = Engine::start(&config(), Some(folder.path()), backend).unwrap();
    let engine = Engine::start(&config(), Some(folder.path()), works()).unwrap();
    let first = outcomes(&engine, None).await;
    // It ends, so that all is written.
    drop(engine);
    // All at once: whoever comes second finds the news that another one has read.
    let replies = join_all((1..4).map(|day| other.condense(job(&prose(day)), passed()))).await;
    let again: Vec<&Outcome> = replies.iter().map(|reply| &reply.condensation.outcome).collect();
    assert_eq!((again, other.stats().replayed), (texts(&first), 3));
}

#[tokio::test]
async fn another_model_or_policy_or_tenant_chooses_anew() {
    let folder = tempfile::tempdir().unwrap();
    let engine = Engine::start(&config(), Some(folder.path()), works()).unwrap();
    outcomes(&engine, None).await;
    drop(engine);
    let engine =
        Engine::start(&config(), Some(folder.path()), Backend::model(|| Ok(Box::new(ScriptedRewriter::new()))));
    let engine = engine.unwrap();
    engine.loaded().await;
    assert!(outcomes(&engine, None).await.iter().all(|(_, cache)| *cache == Cache::Miss));
    let other = Job { tenant: Tenant([3; 16]), ..job(&prose(1)) };
    assert_eq!(engine.condense(other, None).await.cache, Cache::Miss);
}

#[tokio::test]
async fn without_time_to_ask_the_model_words_choose_and_that_holds() {
    let folder = tempfile::tempdir().unwrap();
    // Of ten hours four are kept for words, and one is left.
    let budget = Config { time_budget_ms: 36_000_000, ..config() };
    let late = || Some(Instant::now() + Duration::from_secs(3600));
    let (gate, backend) = Gate::new();
    let engine = Engine::start(&budget, Some(folder.path()), backend).unwrap();
    engine.loaded().await;
    let first = outcomes(&engine, late()).await;
    assert!(first.iter().all(|(outcome, _)| matches!(outcome, Outcome::Compressed(_))), "{first:?}");
    assert!(gate.arrived.try_recv().is_err(), "the model was asked");
    assert_eq!((engine.stats().hurried, engine.stats().forced_deadline), (3, 0));
    let known = engine.condense(job(&prose(1)), None).await;
    assert_eq!((known.cache, known.condensation.limit(job(&prose(1)).policy.ratio)), (Cache::Hit, Some(Limit::Time)));
    drop((gate, engine));

    // It holds where there is time, and under a model.
    let engine = Engine::start(&budget, Some(folder.path()), works()).unwrap();
    engine.loaded().await;
    assert_eq!(texts(&outcomes(&engine, None).await), texts(&first));
    assert!(engine.condense(job(&prose(1)), None).await.condensation.hurried);
    // A new text is asked about, and one for which the model isn't there in time is not.
    assert!(!engine.condense(job(&prose(5)), None).await.condensation.hurried);
    let (_loading, backend) = never();
    let engine = Engine::start(&budget, None, backend).unwrap();
    let reply = engine.condense(job(&prose(6)), late()).await;
    assert!(reply.condensation.hurried && reply.condensation.text().is_some());
}

#[tokio::test]
async fn a_choice_that_is_none_of_its_text_gives_way_to_what_is_forwarded() {
    let folder = tempfile::tempdir().unwrap();
    let (job, other) = (plain_job(1, 0), plain_job(2, 0));
    let found = compress(&other.text, &other.query, &other.policy, &other.encoding, None).unwrap();
    let wrong = Chosen::of(Key::of(&job), Level::Full, ModelId::default(), &found).unwrap();
    let (alive, ended) = mpsc::sync_channel(1);
    let decisions = Decisions::open(&config(), Some(folder.path()), alive).unwrap();
    decisions.choose(Key::of(&job), Arc::new(wrong));
    decisions.close();
    assert!(ended.recv().is_err(), "it was written");

    let engine = Engine::start(&config(), Some(folder.path()), Backend::None).unwrap();
    let first = engine.condense(job.clone(), None).await;
    let right = compress(&job.text, &job.query, &job.policy, &job.encoding, None).unwrap();
    assert_eq!((&first.condensation.outcome, first.cache), (&right.outcome, Cache::Miss));
    drop(engine);
    let engine = Engine::start(&config(), Some(folder.path()), Backend::None).unwrap();
    assert_eq!(engine.condense(job, passed()).await.condensation.outcome, right.outcome, "it needs no time any more");
}

#[tokio::test]
async fn what_another_model_chose_anew_outlives_the_process() {
    let folder = tempfile::tempdir().unwrap();
    let models = || [works(), Backend::model(|| Ok(Box::new(ScriptedRewriter::new())))];
    // There and back: each time the last choice is the one that holds, though the first ones stand in the file before it.
    for round in 0..3 {
        for model in 0..2 {
            let mut first = Vec::new();
            for deadline in [None, passed()] {
                let backend = models().into_iter().nth(model).unwrap();
                let engine = Engine::start(&config(), Some(folder.path()), backend).unwrap();
                engine.loaded().await;
                let now = outcomes(&engine, deadline).await;
                assert!(deadline.is_none() || texts(&now) == texts(&first), "round {round}, model {model}: {now:?}");
                first = now;
            }
        }
    }
}
