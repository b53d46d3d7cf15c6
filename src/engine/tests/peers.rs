//! Replicas that share a server forward the same, and whatever the server does, they forward something and in time.

use super::*;
use crate::engine::peers::tests::{Behaves, Server};

/// A replica beside others; it knows no file of theirs.
async fn replica(server: &Server, timeout_ms: u64, backend: Backend) -> Engine {
    Engine::start_beside(Some(server.peers(timeout_ms).await), &config(), None, backend).unwrap()
}

/// What becomes of three days' texts in one request.
async fn request(engine: &Engine, deadline: Option<Instant>) -> Vec<Outcome> {
    let jobs: Vec<Job> = (1..4).map(|day| job(&prose(day))).collect();
    engine.recall(&jobs).await;
    let mut outcomes = Vec::new();
    for job in jobs {
        outcomes.push(engine.condense(job, deadline).await.condensation.outcome.clone());
    }
    outcomes
}

const PATIENT: u64 = 1000;

#[tokio::test]
async fn what_one_decided_another_writes_without_model_and_time() {
    let server = Server::start().await;
    let one = replica(&server, PATIENT, works()).await;
    one.loaded().await;
    let first = request(&one, None).await;
    assert!(first.iter().all(|outcome| matches!(outcome, Outcome::Compressed(_))));
    let two = replica(&server, PATIENT, backend(|_| Err(RewriteError::Deadline))).await;
    two.loaded().await;
    assert_eq!(request(&two, passed()).await, first);
    let stats = two.stats();
    assert_eq!((stats.replayed, stats.misses, stats.peers.unwrap().found), (3, 0, 3));
    // Once known, nobody is asked again.
    request(&two, passed()).await;
    assert_eq!(two.stats().peers.unwrap().answered, 1);
    // Another tenant finds nothing.
    let other = Job { tenant: Tenant([7; 16]), ..job(&prose(1)) };
    two.recall(std::slice::from_ref(&other)).await;
    assert_eq!(reason(&two.condense(other, passed()).await), Some(Reason::Deadline));
}

#[tokio::test]
async fn a_text_that_had_to_go_on_raw_does_so_everywhere() {
    let server = Server::start().await;
    let (one, two) = (replica(&server, PATIENT, works()).await, replica(&server, PATIENT, works()).await);
    one.loaded().await;
    two.loaded().await;
    let first = request(&one, passed()).await;
    assert_eq!(first, vec![Outcome::Unchanged(Reason::Deadline); 3]);
    assert_eq!(request(&two, None).await, first);
}

#[tokio::test]
async fn of_two_that_decide_at_once_the_second_forwards_what_the_first_does() {
    let server = Server::start().await;
    let (one, two) = (replica(&server, PATIENT, works()).await, replica(&server, PATIENT, works()).await);
    one.loaded().await;
    two.loaded().await;
    // Neither has heard of the other's when it begins.
    let (raw, chosen) = (prose(1), prose(2));
    let first = one.condense(job(&raw), passed()).await;
    let second = two.condense(job(&raw), None).await;
    assert_eq!((reason(&first), reason(&second)), (Some(Reason::Deadline), Some(Reason::Deadline)));
    let first = two.condense(job(&chosen), None).await;
    let second = one.condense(job(&chosen), passed()).await;
    assert!(first.condensation.text().is_some());
    assert_eq!(second.condensation.outcome, first.condensation.outcome);
    assert_eq!((one.stats().peers.unwrap().adopted, two.stats().peers.unwrap().adopted), (1, 1));
    // And so from then on, also where the server knows nothing any more.
    server.forget();
    assert_eq!(one.condense(job(&chosen), None).await.condensation.outcome, first.condensation.outcome);
    assert_eq!(reason(&two.condense(job(&raw), None).await), Some(Reason::Deadline));
}

#[tokio::test]
async fn a_level_is_taken_over_with_what_was_chosen_at_it() {
    let server = Server::start().await;
    let (one, two) = (replica(&server, PATIENT, works()).await, replica(&server, PATIENT, works()).await);
    one.loaded().await;
    two.loaded().await;
    let gentle = one.condense_at(job(&prose(1)), Some(Level::Gentle), None).await;
    let taken = two.condense_at(job(&prose(1)), Some(Level::Full), None).await;
    assert_eq!((taken.level, taken.id), (Level::Gentle, gentle.id));
    assert_eq!(taken.condensation.outcome, gentle.condensation.outcome);
    let other = replica(&server, PATIENT, works()).await;
    other.loaded().await;
    other.recall(&[job(&prose(1))]).await;
    assert_eq!(other.condense_at(job(&prose(1)), Some(Level::Full), None).await.id, gentle.id);
}

#[tokio::test]
async fn what_a_verdict_put_back_is_put_back_everywhere() {
    let server = Server::start().await;
    let one = replica(&server, PATIENT, works()).await;
    one.loaded().await;
    let text = job(&prose(1));
    let reply = one.condense(text.clone(), None).await;
    let gone = |unit: &Unit| unit.decision == Decision::Dropped;
    let unit = reply.condensation.units.iter().position(gone).unwrap();
    let judged = one.judge(&text, reply, &[unit]);
    // The verdict is told in the background.
    loop {
        let two = replica(&server, PATIENT, works()).await;
        two.loaded().await;
        two.recall(std::slice::from_ref(&text)).await;
        let reply = two.condense(text.clone(), None).await;
        if reply.condensation.outcome == judged.condensation.outcome {
            break assert!(two.is_judged(reply.id));
        }
    }
}

#[tokio::test]
async fn whatever_the_server_does_every_text_is_forwarded_as_without_one() {
    let alone = start(&config(), works()).await;
    let expected = request(&alone, None).await;
    for behaves in [Behaves::Hangs, Behaves::Late, Behaves::Babbles, Behaves::Closes, Behaves::Refuses] {
        let server = Server::start().await;
        let engine = replica(&server, 50, works()).await;
        engine.loaded().await;
        server.behave(behaves);
        for _ in 0..3 {
            assert_eq!(request(&engine, None).await, expected, "{behaves:?}");
        }
        let peers = engine.stats().peers.unwrap();
        // Each of these cost a time limit at most; the fourth is an offer's in the background.
        assert!(peers.late <= 4 && peers.broken <= 1 && peers.found == 0, "{behaves:?}: {peers:?}");
        // One that is always one answer behind is in time for whoever asks while another does.
        assert!(peers.up == (behaves == Behaves::Refuses) || behaves == Behaves::Late, "{behaves:?}");
    }
}

#[test]
fn a_link_whose_runtime_is_gone_holds_no_answer_up() {
    let runtime = || tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let (gone, lives) = (runtime(), runtime());
    let engine = gone.block_on(async { replica(&Server::start().await, 50, works()).await });
    gone.shutdown_background();
    let outcomes = lives.block_on(async {
        engine.loaded().await;
        request(&engine, None).await
    });
    assert!(outcomes.iter().all(|outcome| matches!(outcome, Outcome::Compressed(_))));
}

#[tokio::test]
async fn without_a_server_that_answers_the_start_waits_for_nothing() {
    let server = Server::start().await;
    server.behave(Behaves::Hangs);
    let peers = Peers::start(&server.config(50), |_| None).unwrap();
    let engine = Engine::start_beside(peers, &config(), None, works()).unwrap();
    assert_eq!(engine.loaded().await, Readiness::Ready);
    assert!(request(&engine, None).await.iter().all(|outcome| matches!(outcome, Outcome::Compressed(_))));
    let peers = engine.stats().peers.unwrap();
    assert_eq!((peers.late, peers.answered, peers.skipped), (0, 0, 4));
}
