//! Compares the conversations that were condensed with those that were left alone.
//!
//! What a conversation costs is spread widely: a few long ones cost more than all the others. So no bell curve is assumed.
//! The statistic is Welch's (the difference of the means by its standard error), and how large it gets by chance is found by
//! dealing the same conversations out to the arms anew, again and again (a permutation test of a studentised statistic,
//! Janssen 1997: exact where the arms are equal, and right in the limit where only their means are). Five things are
//! compared, so each is held to a fifth of the error that all of them may have together (Bonferroni).

use serde::Serialize;

use super::figures::Arm;

/// A conversation, as it is compared.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Conversation {
    pub(super) arm: Arm,
    pub(super) turns: u64,
    pub(super) retries: u64,
    /// Requests whose usage was told.
    pub(super) told: u64,
    /// Of these, those of a model that has a price.
    pub(super) priced: u64,
    pub(super) prompt: u64,
    pub(super) cached: u64,
    pub(super) billed: u64,
    pub(super) paid_nano: i64,
}

/// What the comparison of the arms has come to.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Comparison {
    /// Conversations compared: those in which a text was long enough to be condensed.
    pub condensed: usize,
    /// The same, of those left alone.
    pub held_out: usize,
    /// What was compared. Empty where there are too few conversations.
    pub measures: Vec<Measure>,
    /// In one word.
    pub verdict: Verdict,
    /// The same in words, a line each.
    pub words: Vec<String>,
}

/// The word for all of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// One arm has too few conversations.
    TooFew,
    /// No difference is larger than chance makes it.
    NoDifference,
    /// Something is better, nothing is worse.
    Better,
    /// Something is worse, nothing is better.
    Worse,
    /// Something is better and something is worse.
    Mixed,
}

/// One thing that was compared, for each conversation.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Measure {
    /// `prompt_tokens`, `cached_share`, `cost` (dollars) or `billed_tokens`, `turns`, `retries`.
    pub name: &'static str,
    /// The mean of the condensed conversations.
    pub condensed: f64,
    /// The mean of those left alone.
    pub held_out: f64,
    /// By how much the first is larger, at least and at most.
    pub between: (f64, f64),
    /// Whether that is more than chance, and for the better.
    pub change: Change,
}

/// What a measure has come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// The difference may be chance.
    None,
    /// It is not, and it is for the better.
    Better,
    /// It is not, and it is for the worse.
    Worse,
}

/// Compares the arms.
pub(super) fn compare(all: &[Conversation]) -> Comparison {
    let told: Vec<&Conversation> = all.iter().filter(|one| one.told > 0).collect();
    let priced = told.iter().all(|one| one.priced == one.told);
    let (condensed, held_out) = (count(all, Arm::Condensed), count(all, Arm::HeldOut));
    if condensed.min(held_out) < FEWEST {
        let words = format!(
            "too few conversations for a verdict: {condensed} condensed and {held_out} left alone had a text long enough to \
             be condensed; {FEWEST} of each are needed"
        );
        return Comparison { condensed, held_out, measures: Vec::new(), verdict: Verdict::TooFew, words: vec![words] };
    }
    let mut measures = Vec::new();
    let mut measure = |name, more_is_better, values: &dyn Fn(&Conversation) -> Option<f64>| {
        let of = |arm| all.iter().filter(|one| one.arm == arm).filter_map(values).collect::<Vec<f64>>();
        measures.extend(measured(name, more_is_better, &of(Arm::Condensed), &of(Arm::HeldOut)));
    };
    measure("prompt_tokens", false, &|one| (one.told > 0).then_some(one.prompt as f64));
    measure("cached_share", true, &|one| (one.prompt > 0).then(|| one.cached as f64 / one.prompt as f64));
    if priced {
        measure("cost", false, &|one| (one.told > 0).then_some(one.paid_nano as f64 / 1e9));
    } else {
        measure("billed_tokens", false, &|one| (one.told > 0).then_some(one.billed as f64));
    }
    measure("turns", false, &|one| Some(one.turns as f64));
    measure("retries", false, &|one| Some(one.retries as f64));
    let any = |change| measures.iter().any(|measure| measure.change == change);
    let verdict = match (any(Change::Better), any(Change::Worse)) {
        (false, false) => Verdict::NoDifference,
        (true, false) => Verdict::Better,
        (false, true) => Verdict::Worse,
        (true, true) => Verdict::Mixed,
    };
    let words = words(verdict, &measures);
    Comparison { condensed, held_out, measures, verdict, words }
}

fn count(all: &[Conversation], arm: Arm) -> usize {
    all.iter().filter(|one| one.arm == arm).count()
}

fn measured(name: &'static str, more_is_better: bool, condensed: &[f64], held_out: &[f64]) -> Option<Measure> {
    if condensed.len().min(held_out.len()) < FEWEST {
        return None;
    }
    let (ours, theirs) = (Moments::of(condensed), Moments::of(held_out));
    let (difference, error) = (ours.mean() - theirs.mean(), ours.error_with(&theirs));
    // What does not vary at all is as it is; rounding makes something of it that is next to nothing.
    let nothing = (ours.mean().abs() + theirs.mean().abs()) * 1e-9;
    let (least, most) = if error > nothing { chance(condensed, held_out) } else { (0.0, 0.0) };
    let between = (difference - most * error, difference - least * error);
    let change = match () {
        () if difference.abs() <= nothing => Change::None,
        () if between.0 > 0.0 && more_is_better || between.1 < 0.0 && !more_is_better => Change::Better,
        () if between.0 > 0.0 || between.1 < 0.0 => Change::Worse,
        () => Change::None,
    };
    Some(Measure { name, condensed: ours.mean(), held_out: theirs.mean(), between, change })
}

/// Between which values the statistic lies by chance.
fn chance(one: &[f64], other: &[f64]) -> (f64, f64) {
    let swapped = one.len() > other.len();
    let (few, many) = if swapped { (other, one) } else { (one, other) };
    if few.len() > DEALT {
        let freedom = Moments::of(one).freedom_with(&Moments::of(other));
        return (-student(freedom), student(freedom));
    }
    let mut pool: Vec<f64> = few.iter().chain(many).copied().collect();
    let whole = Moments::of(&pool);
    let mut random = Random(pool.len() as u64);
    let deal = |_| {
        for at in 0..few.len() {
            let other = at + random.below(pool.len() - at);
            pool.swap(at, other);
        }
        let dealt = Moments::of(pool.get(..few.len()).unwrap_or_default());
        let rest = whole.without(&dealt);
        let (error, sign) = (dealt.error_with(&rest), if swapped { -1.0 } else { 1.0 });
        if error > 0.0 { sign * (dealt.mean() - rest.mean()) / error } else { 0.0 }
    };
    let mut dealt: Vec<f64> = (0..DEALS).map(deal).collect();
    dealt.sort_unstable_by(f64::total_cmp);
    let tail = (DEALS as f64 * ERROR / 2.0).ceil() as usize;
    let at = |index: usize| dealt.get(index).copied().unwrap_or_default();
    (at(tail - 1), at(DEALS - tail))
}

/// Count, sum and sum of squares.
#[derive(Debug, Clone, Copy, Default)]
struct Moments {
    count: f64,
    sum: f64,
    squares: f64,
}

impl Moments {
    fn of(values: &[f64]) -> Self {
        let add = |moments: Self, value: &f64| Self {
            count: moments.count + 1.0,
            sum: moments.sum + value,
            squares: moments.squares + value * value,
        };
        values.iter().fold(Self::default(), add)
    }

    fn without(&self, part: &Self) -> Self {
        Self { count: self.count - part.count, sum: self.sum - part.sum, squares: self.squares - part.squares }
    }

    fn mean(&self) -> f64 {
        self.sum / self.count
    }

    /// The variance of the mean.
    fn of_mean(&self) -> f64 {
        let variance = (self.squares - self.sum * self.sum / self.count).max(0.0) / (self.count - 1.0);
        variance / self.count
    }

    /// The standard error of the difference of two means.
    fn error_with(&self, other: &Self) -> f64 {
        (self.of_mean() + other.of_mean()).sqrt()
    }

    /// Welch's degrees of freedom.
    fn freedom_with(&self, other: &Self) -> f64 {
        let part = |moments: &Self| moments.of_mean().powi(2) / (moments.count - 1.0);
        (self.of_mean() + other.of_mean()).powi(2) / (part(self) + part(other))
    }
}

/// The quantile of Student's distribution at `1 - ERROR / 2`, by the expansion of Cornish and Fisher (Abramowitz and
/// Stegun, 26.7.5); good to four digits from 30 degrees of freedom on.
fn student(freedom: f64) -> f64 {
    let z = NORMAL;
    let first = (z.powi(3) + z) / 4.0;
    let second = (5.0 * z.powi(5) + 16.0 * z.powi(3) + 3.0 * z) / 96.0;
    z + first / freedom + second / freedom.powi(2)
}

/// SplitMix64 (Steele, Lea, Flood 2014): the same deal each time, so that a report says the same twice.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below another.
    fn below(&mut self, bound: usize) -> usize {
        let wide = u128::from(self.next()) * bound as u128;
        usize::try_from(wide >> 64).unwrap_or_default()
    }
}

fn words(verdict: Verdict, measures: &[Measure]) -> Vec<String> {
    let head = match verdict {
        Verdict::TooFew => "too few conversations for a verdict",
        Verdict::NoDifference => "no difference between the arms is larger than chance makes it",
        Verdict::Better => "condensed conversations do better, and in nothing worse",
        Verdict::Worse => "REGRESSION: condensed conversations do worse",
        Verdict::Mixed => "MIXED: condensed conversations do better in one thing and worse in another",
    };
    let told = |measure: &&Measure| measure.change != Change::None || matches!(measure.name, "cost" | "billed_tokens");
    std::iter::once(head.to_owned()).chain(measures.iter().filter(told).map(in_words)).collect()
}

fn in_words(measure: &Measure) -> String {
    let Measure { name, condensed, held_out, between: (least, most), change } = measure;
    let name = match *name {
        "prompt_tokens" => "prompt tokens",
        "cached_share" => "the share of the prompt that was cached",
        "billed_tokens" => "prompt tokens as they are billed",
        name => name,
    };
    let percent = |difference: f64| match *held_out {
        0.0 => format!("{difference:+.3}"),
        held_out => format!("{:+.1} %", difference / held_out * 100.0),
    };
    let (all, least, most) = (percent(condensed - held_out), percent(*least), percent(*most));
    match change {
        Change::None => format!("{name} a conversation: {all}, which may be chance (between {least} and {most})"),
        Change::Better => format!("{name} a conversation: {all}, for the better (between {least} and {most})"),
        Change::Worse => format!("{name} a conversation: {all}, for the WORSE (between {least} and {most})"),
    }
}

/// Conversations of each arm at least.
const FEWEST: usize = 30;

/// The error of one measure: a twentieth for the five of them.
const ERROR: f64 = 0.01;

/// The quantile of the normal distribution at `1 - ERROR / 2`.
const NORMAL: f64 = 2.575_829;

/// How often the conversations are dealt out anew; ten of the deals are then past each end.
const DEALS: usize = 2000;

/// Conversations of the smaller arm up to which they are: past them the mean is normal.
const DEALT: usize = 5000;

#[cfg(test)]
mod tests;
