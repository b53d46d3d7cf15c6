//! `headroom audit --propose`: rules and a profile that fit recorded conversations, as TOML.
//!
//! Each tool's results, and what users say, are condensed at one ratio after another, and what is left out is compared with
//! what the conversation came back to (see [`later`]). A group is offered the furthest ratio at which nothing was left out
//! that the model used afterwards, if it used enough for that to say something: of ten things used and none missed, one in
//! four might still be (the rule of three).

mod later;

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    fmt::Write as _,
};

use anyhow::anyhow;
use bytes::Bytes;
use headroom::{
    audit::percent,
    compress::{Decision, Policy, Ratio},
    config::{Config, rules_of},
    engine::Engine,
    proxy::{
        Rehearsal, rehearse,
        rules::{Many, Profile, Rule, Rules},
    },
    wire::{self, Role},
};
use indicatif::ProgressBar;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::Failure;
use later::{Said, atoms, available};

/// What a text is grouped by: the tool that gave it, `None` for what users say.
type Group = Option<String>;

/// What condensing would come to.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Sums {
    texts: u64,
    before: u64,
    after: u64,
    /// Units that would be left out, of how many.
    dropped: u64,
    units: u64,
    /// What was used later.
    used: u64,
    /// Of that, what would be left out.
    missed: u64,
}

impl Sums {
    fn saved(&self) -> u64 {
        self.before.saturating_sub(self.after)
    }

    fn share(&self) -> f64 {
        percent(self.saved(), self.before)
    }

    fn add(&mut self, other: &Self) {
        self.texts += other.texts;
        self.before += other.before;
        self.after += other.after;
        self.dropped += other.dropped;
        self.units += other.units;
        self.used += other.used;
        self.missed += other.missed;
    }

    /// Whether nothing that was used later would be left out, and enough was used for that to say something.
    fn is_shown_harmless(&self) -> bool {
        self.missed == 0 && self.used >= TELLING
    }

    /// In words.
    fn told(&self) -> String {
        let Self { before, dropped, units, used, missed, .. } = self;
        format!(
            "saves {} of {before} tokens ({:.0} %), leaves out {dropped} of {units} units, and {missed} of the {used} things that \
             were used later",
            self.saved(),
            self.share()
        )
    }
}

/// Recorded conversations, and what tries them.
pub(super) struct Trial<'a> {
    pub(super) engine: &'a Engine,
    pub(super) config: &'a Config,
    pub(super) requests: &'a [Bytes],
    pub(super) bar: &'a ProgressBar,
}

/// How many times each request is tried.
pub(super) const TRIALS: usize = RATIOS.len() + Profile::ALL.len() + 2;

impl Trial<'_> {
    /// The proposal as TOML.
    pub(super) async fn propose(&self) -> Result<String, Failure> {
        let conversations = ends(self.requests);
        let plain = Rules::default();
        let auto = self.at(&conversations, Ratio::Auto, &plain).await;
        let mut ratios = Vec::new();
        for factor in RATIOS {
            let ratio: Ratio = factor.parse().map_err(|_| anyhow!("{factor} is no ratio"))?;
            ratios.push((ratio, self.at(&conversations, ratio, &plain).await));
        }
        let mut profiles = Vec::new();
        for profile in Profile::ALL {
            let rules = made(&[], profile)?;
            profiles.push((profile, whole(&self.at(&conversations, self.config.compress.ratio, &rules).await)));
        }
        let better = |sums: &Sums| sums.is_shown_harmless() && sums.saved() > whole(&auto).saved();
        let best = profiles.iter().filter(|(_, sums)| better(sums));
        let best = best.max_by_key(|(_, sums)| sums.saved()).map(|(profile, _)| *profile);
        let offers = offers(&auto, &ratios);
        let rules: Vec<Rule> = offers.iter().map(|offer| offer.rule.clone()).collect();
        let together = match best {
            Some(profile) => made(&rules, profile)?,
            None => Rules::new(&rules, &[], |_| None).map_err(|(_, invalid)| Failure::setup(invalid))?,
        };
        let together = whole(&self.at(&conversations, self.config.compress.ratio, &together).await);
        Ok(toml(self.requests.len(), conversations.len(), &whole(&auto), &profiles, best, &offers, &together))
    }

    /// What becomes of the texts of the conversations, by group.
    async fn at(&self, conversations: &[&Bytes], ratio: Ratio, rules: &Rules) -> BTreeMap<Group, Sums> {
        let policy = Policy { ratio, ..self.config.compress.policy() };
        let mut groups = BTreeMap::new();
        for body in conversations {
            let rehearsal = rehearse(self.engine, None, (&policy, rules), (*body).clone()).await;
            add(&mut groups, body, &rehearsal);
            self.bar.inc(1);
        }
        groups
    }
}

/// The rules, and those of a profile behind them.
fn made(rules: &[Rule], profile: Profile) -> Result<Rules, Failure> {
    Rules::new(rules, &rules_of(profile), |_| None).map_err(|(_, invalid)| Failure::setup(invalid))
}

fn whole(groups: &BTreeMap<Group, Sums>) -> Sums {
    let mut all = Sums::default();
    groups.values().for_each(|sums| all.add(sums));
    all
}

fn add(groups: &mut BTreeMap<Group, Sums>, body: &[u8], rehearsal: &Rehearsal) {
    let Ok(located) = wire::locate_any(body) else { return };
    let tools: HashMap<_, _> = located
        .slots
        .iter()
        .map(|slot| {
            let tool = slot.call.as_ref().map(|call| call.name.clone()).unwrap_or_default();
            ((slot.message, slot.part, &*slot.text), (slot.role == Role::Tool).then_some(tool))
        })
        .collect();
    let (said, there) = (Said::of(body), available(&rehearsal.forwarded));
    // What was used later is missed once, wherever it stood.
    let (mut used, mut missed): (HashSet<&str>, HashSet<&str>) = Default::default();
    for slot in &rehearsal.record.slots {
        let Some(group) = tools.get(&(slot.message, slot.part, &*slot.original)) else { continue };
        let (before, after) = slot.tokens();
        let later = said.later(slot.message, &atoms(&slot.original));
        let gone = later.iter().filter(|atom| slot.accepted && !there.contains(**atom) && missed.insert(atom)).count();
        let later = later.iter().filter(|atom| used.insert(atom)).count();
        let dropped = slot.condensation.units.iter().filter(|unit| unit.decision == Decision::Dropped).count();
        groups.entry(group.clone()).or_default().add(&Sums {
            texts: 1,
            before: before as u64,
            after: after as u64,
            dropped: if slot.accepted { dropped as u64 } else { 0 },
            units: slot.condensation.units.len() as u64,
            used: later as u64,
            missed: gone as u64,
        });
    }
}

/// A rule, and what it would come to.
struct Offer {
    rule: Rule,
    words: Vec<String>,
}

/// What each group is offered. The settings as they are need no rule.
fn offers(auto: &BTreeMap<Group, Sums>, ratios: &[(Ratio, BTreeMap<Group, Sums>)]) -> Vec<Offer> {
    let all = whole(auto).before;
    let mut offers = Vec::new();
    for (group, plain) in auto {
        // A name that is a pattern to rules stands for others too.
        let is_odd = group.as_ref().is_some_and(|tool| tool.is_empty() || tool.contains('*') || tool.len() > 256);
        if is_odd || percent(plain.before, all) < WORTH_A_RULE {
            continue;
        }
        let who = match group {
            Some(tool) => format!("{} results of `{}`", plain.texts, one_line(tool)),
            None => format!("{} texts of users", plain.texts),
        };
        let tried: Vec<_> = ratios.iter().filter_map(|(ratio, groups)| Some((ratio, groups.get(group)?))).collect();
        let harmless = tried.iter().take_while(|(_, sums)| sums.is_shown_harmless());
        let furthest = harmless.max_by_key(|(_, sums)| sums.saved());
        let (mut rule, mut words) = (rule(group, offers.len()), vec![format!("{who}, {} tokens.", plain.before)]);
        match furthest {
            _ if plain.missed > 0 => {
                rule.exact = true;
                words.push(format!("Exact, since `auto` {}.", plain.told()));
            }
            Some((ratio, sums)) if sums.saved() > plain.saved() + plain.before / 10 => {
                rule.ratio = Some(**ratio);
                words.push(format!("{ratio}:1 {}.", sums.told()));
                words.push(format!("`auto` {}.", plain.told()));
                let next = tried.iter().find(|(_, sums)| sums.missed > 0);
                words.extend(next.map(|(ratio, sums)| format!("{ratio}:1 {}.", sums.told())));
            }
            _ => continue,
        }
        offers.push(Offer { rule, words });
    }
    offers
}

fn rule(group: &Group, at: usize) -> Rule {
    let mut rule = Rule { name: Some(format!("proposed-{}", at + 1)), ..Rule::default() };
    match group {
        Some(tool) => rule.tool = Some(Many::One(tool.clone())),
        None => rule.role = Some(Many::One("user".to_owned())),
    }
    rule
}

fn one_line(name: &str) -> String {
    name.chars().map(|char| if char.is_control() || char == '`' { '?' } else { char }).collect()
}

fn toml(
    requests: usize,
    conversations: usize,
    auto: &Sums,
    profiles: &[(Profile, Sums)],
    best: Option<Profile>,
    offers: &[Offer],
    together: &Sums,
) -> String {
    let mut out = format!(
        "# From {requests} requests of {conversations} conversations. Paste it into config.toml, try it, and let the holdout of\n\
         # `headroom report` say whether it pays. What was used later is told by numbers, names, paths and identifiers.\n\
         #\n# All of it {}.\n# `auto`    {}.\n",
        together.told(),
        auto.told()
    );
    for (profile, sums) in profiles {
        let _ = writeln!(out, "# {:<9} {}.", profile.as_str(), sums.told());
    }
    match best {
        Some(profile) => out.push_str(&format!("profile = \"{profile}\"\n")),
        None => out.push_str("# No profile is known to save more without leaving out what is used later.\n"),
    }
    if offers.is_empty() {
        let why = "of no tool were enough things used later, all of which stay at a ratio that saves more";
        let _ = writeln!(out, "\n# No rule: {why}.");
    }
    for Offer { rule, words } in offers {
        out.push('\n');
        for line in words {
            let _ = writeln!(out, "# {line}");
        }
        out.push_str("[[rules]]\n");
        let text = |text: &str| serde_json::Value::from(text).to_string();
        let mut line = |key: &str, value: Option<String>| {
            if let Some(value) = value {
                let _ = writeln!(out, "{key} = {value}");
            }
        };
        line("name", rule.name.as_deref().map(text));
        line("role", one(&rule.role).map(text));
        line("tool", one(&rule.tool).map(text));
        line("ratio", rule.ratio.map(|ratio| ratio.to_string()));
        line("exact", rule.exact.then(|| "true".to_owned()));
    }
    out
}

fn one(many: &Option<Many>) -> Option<&str> {
    match many {
        Some(Many::One(text)) => Some(text),
        _ => None,
    }
}

/// The requests that no later one goes on from: each conversation once, with all of it.
fn ends(requests: &[Bytes]) -> Vec<&Bytes> {
    let chains: Vec<Vec<[u8; 32]>> = requests.iter().map(|body| chain(body)).collect();
    let begun: HashSet<&[u8; 32]> =
        chains.iter().flat_map(|chain| chain.iter().take(chain.len().saturating_sub(1))).collect();
    let mut seen = HashSet::new();
    let is_end = |chain: &Vec<[u8; 32]>| chain.last().is_none_or(|last| !begun.contains(last));
    let ends = requests.iter().zip(&chains).filter(|(_, chain)| is_end(chain));
    ends.filter(|(_, chain)| chain.last().is_none_or(|last| seen.insert(*last))).map(|(body, _)| body).collect()
}

/// The hash of every beginning of a body's messages.
fn chain(body: &[u8]) -> Vec<[u8; 32]> {
    #[derive(Deserialize)]
    struct List<'a> {
        #[serde(borrow)]
        messages: Option<Vec<&'a RawValue>>,
        #[serde(borrow)]
        input: Option<Vec<&'a RawValue>>,
    }
    let Ok(List { messages, input }) = serde_json::from_slice(body) else { return Vec::new() };
    let mut hash = blake3::Hasher::new();
    let each = |message: &RawValue| {
        hash.update(&(message.get().len() as u64).to_le_bytes()).update(message.get().as_bytes());
        *hash.finalize().as_bytes()
    };
    messages.or(input).unwrap_or_default().into_iter().map(each).collect()
}

/// The ratios that are tried, in order.
const RATIOS: [&str; 3] = ["2", "3", "5"];

/// Things that must have been used later for it to say something that none was left out.
const TELLING: u64 = 10;

/// The share of all tokens, in per cent, from which on a group is worth a rule of its own.
const WORTH_A_RULE: f64 = 2.0;
