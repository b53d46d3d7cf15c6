use super::*;

/// Conversations whose costs are spread widely: half an order of magnitude either way, and some far more.
fn arm(random: &mut Random, arm: Arm, count: usize, (cost, turns, retries): (f64, f64, f64)) -> Vec<Conversation> {
    let mut uniform = || (random.next() >> 11) as f64 / (1u64 << 53) as f64;
    let mut one = |_| {
        let normal = (-2.0 * (1.0 - uniform()).ln()).sqrt() * (std::f64::consts::TAU * uniform()).cos();
        let took = 1.0 + (-(1.0 - uniform()).ln() * 5.0 * turns).floor();
        let prompt = (normal.exp() * 8000.0 * took * cost).round();
        Conversation {
            arm,
            turns: took as u64,
            retries: u64::from(uniform() < 0.05 * retries),
            told: took as u64,
            priced: took as u64,
            prompt: prompt as u64,
            cached: (prompt * 0.7 * uniform()) as u64,
            billed: (prompt * 0.4) as u64,
            paid_nano: (prompt * 1000.0) as i64,
        }
    };
    (0..count).map(&mut one).collect()
}

fn compared(seed: u64, (condensed, held_out): (usize, usize), planted: (f64, f64, f64)) -> Comparison {
    let mut random = Random(seed.wrapping_mul(7919));
    let mut all = arm(&mut random, Arm::Condensed, condensed, planted);
    all.extend(arm(&mut random, Arm::HeldOut, held_out, (1.0, 1.0, 1.0)));
    compare(&all)
}

const EQUAL: (f64, f64, f64) = (1.0, 1.0, 1.0);

#[test]
fn equal_arms_raise_an_alarm_no_oftener_than_promised() {
    let runs = 100;
    let alarm = |seed: &u64| compared(*seed, (270, 30), EQUAL).verdict != Verdict::NoDifference;
    let alarms = (0..runs).filter(alarm).count();
    // A twentieth is promised, and 9 of 100 are still likely at that rate.
    assert!(alarms <= 9, "{alarms} of {runs}");
}

#[test]
fn a_planted_regression_is_found() {
    for seed in 0..10 {
        let comparison = compared(seed, (600, 300), (1.0, 1.5, 1.0));
        let turns = comparison.measures.iter().find(|measure| measure.name == "turns").unwrap();
        assert_eq!(turns.change, Change::Worse, "{comparison:#?}");
        assert!(matches!(comparison.verdict, Verdict::Worse | Verdict::Mixed));
        assert!(comparison.words.iter().any(|words| words.starts_with("turns a conversation: +")));
        let retries = compared(seed, (600, 300), (1.0, 1.0, 6.0));
        assert!(retries.measures.iter().any(|measure| measure.name == "retries" && measure.change == Change::Worse));
    }
}

#[test]
fn a_planted_saving_is_found_and_said_in_money() {
    for seed in 0..10 {
        let comparison = compared(seed, (900, 400), (0.6, 1.0, 1.0));
        let cost = comparison.measures.iter().find(|measure| measure.name == "cost").unwrap();
        assert_eq!((cost.change, comparison.verdict), (Change::Better, Verdict::Better), "{comparison:#?}");
        assert!(cost.between.0 < cost.condensed - cost.held_out && cost.condensed - cost.held_out < cost.between.1);
    }
}

#[test]
fn too_few_conversations_have_no_verdict() {
    let comparison = compared(1, (270, 29), (0.1, 1.0, 1.0));
    assert_eq!((comparison.verdict, comparison.measures.len()), (Verdict::TooFew, 0));
    assert!(comparison.words[0].contains("30 of each"));
}

#[test]
fn without_prices_tokens_as_billed_are_compared() {
    let mut all = arm(&mut Random(3), Arm::Condensed, 100, EQUAL);
    all.extend(arm(&mut Random(4), Arm::HeldOut, 100, EQUAL));
    all[5].priced = 0;
    let names: Vec<_> = compare(&all).measures.iter().map(|measure| measure.name).collect();
    assert_eq!(names, ["prompt_tokens", "cached_share", "billed_tokens", "turns", "retries"]);
}

#[test]
fn arms_in_which_nothing_differs_at_all_are_equal() {
    let one = Conversation {
        arm: Arm::Condensed,
        turns: 1,
        retries: 0,
        told: 1,
        priced: 1,
        prompt: 9,
        cached: 0,
        billed: 9,
        paid_nano: 9,
    };
    let all: Vec<_> =
        (0..80).map(|at| Conversation { arm: if at % 2 == 0 { Arm::HeldOut } else { one.arm }, ..one }).collect();
    assert_eq!(compare(&all).verdict, Verdict::NoDifference);
}

#[test]
fn the_quantile_is_students() {
    // From tables: 2.7500 for 30 degrees of freedom, 2.6259 for 100.
    assert!((student(30.0) - 2.7500).abs() < 2e-3 && (student(100.0) - 2.6259).abs() < 2e-4);
}
