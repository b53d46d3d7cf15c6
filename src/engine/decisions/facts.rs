//! What is known of one text or decision, and the store of all that is known.

use std::sync::Arc;

use crate::{
    compress::{Choice, Condensation, Level, PIPELINE_VERSION, Reason},
    engine::key::{Key, ModelId, Name},
};

use super::{
    Sizes,
    shares::{Shares, Weigh},
};

/// One thing to know about what has a name.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) struct Entry {
    pub(super) name: Name,
    pub(super) fact: Fact,
}

/// What an entry says. The file tells these apart by their order here.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) enum Fact {
    /// The text goes on raw.
    Raw(Forced),
    /// The text was first condensed at this level.
    Level(Level),
    /// This is what was chosen of the text.
    Chosen(Arc<Chosen>),
    /// The decision was judged; the units that were put back.
    Judged(Vec<u32>),
    /// It is backed off to this level.
    Backed(Level),
}

impl Fact {
    /// Whether what is told later of the same name takes this one's place.
    pub(super) fn gives_way_to(&self, later: &Self) -> bool {
        match (self, later) {
            (Self::Chosen(old), Self::Chosen(new)) => !old.stands_against(new),
            (Self::Backed(_), Self::Backed(_)) => true,
            _ => false,
        }
    }
}

/// Why a text had to go on as it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(in crate::engine) struct Forced {
    pub(in crate::engine) reason: Reason,
    /// Its length in target tokens; 0 where that is not known.
    pub(in crate::engine) tokens: usize,
}

/// What was chosen of a text, and under what.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(in crate::engine) struct Chosen {
    version: u32,
    pub(in crate::engine) level: Level,
    pub(in crate::engine) model: ModelId,
    /// Whether there was time for words alone.
    pub(in crate::engine) hurried: bool,
    /// Tells whether a replay gave what was forwarded: a hash that nobody can compute who has not both the text and the
    /// credential that it was sent with.
    digest: [u8; 8],
    choice: Vec<u8>,
}

impl Chosen {
    /// What a condensation chose; `None` where that can't be told.
    pub(in crate::engine) fn of(key: Key, level: Level, model: ModelId, condensation: &Condensation) -> Option<Self> {
        let choice = condensation.choice.as_ref()?.bytes().to_vec();
        Some(Self {
            version: PIPELINE_VERSION,
            level,
            model,
            hurried: condensation.hurried,
            digest: digest(key, condensation),
            choice,
        })
    }

    /// Whether the choice is this pipeline's at this level, and this model's. While the `model` isn't known yet, it is
    /// taken to be the one that chose; what was chosen without asking any, for want of time, holds under each.
    pub(in crate::engine) fn holds(&self, level: Level, model: Option<ModelId>) -> bool {
        (self.version, self.level) == (PIPELINE_VERSION, level)
            && (self.hurried || model.is_none_or(|model| model == self.model))
    }

    /// Whether it was chosen by this version of the pipeline.
    pub(in crate::engine) fn is_current(&self) -> bool {
        self.version == PIPELINE_VERSION
    }

    /// Whether a later choice is none of another version, model or level: then the first one stands.
    fn stands_against(&self, later: &Self) -> bool {
        (self.version, self.level, self.model) == (later.version, later.level, later.model)
    }

    /// The choice, to be replayed.
    pub(in crate::engine) fn choice(&self) -> Option<Choice> {
        Choice::from_bytes(&self.choice)
    }

    /// What stands in its place once it turned out to be no choice of its text: as one of a version that never was, it gives
    /// way to whatever is chosen next.
    pub(super) fn refuted(&self) -> Self {
        Self { version: NEVER, choice: Vec::new(), ..self.clone() }
    }

    /// Whether a condensation is the one that was chosen.
    pub(in crate::engine) fn is(&self, key: Key, condensation: &Condensation) -> bool {
        digest(key, condensation) == self.digest
    }
}

/// The first version is 1.
const NEVER: u32 = 0;

fn digest(key: Key, condensation: &Condensation) -> [u8; 8] {
    key.seal(condensation.text().unwrap_or_default().as_bytes())
}

/// What is known of what has one name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Facts {
    pub(super) raw: Option<Forced>,
    pub(super) level: Option<Level>,
    pub(super) chosen: Option<Arc<Chosen>>,
    /// The units that were put back; none where the decision passed.
    pub(super) judged: Option<Vec<u32>>,
    pub(super) backed: Option<Level>,
}

impl Facts {
    /// Takes a fact in; false where that is no news. The first of a kind stands, but what is backed off, and what other
    /// versions, models and levels chose, gives way.
    fn insert(&mut self, fact: Fact) -> bool {
        fn first<T>(known: &mut Option<T>, new: T) -> bool {
            let news = known.is_none();
            known.get_or_insert(new);
            news
        }
        match fact {
            Fact::Raw(forced) => first(&mut self.raw, forced),
            Fact::Level(level) => first(&mut self.level, level),
            Fact::Judged(units) => first(&mut self.judged, units),
            Fact::Backed(level) => self.backed.replace(level) != Some(level),
            Fact::Chosen(new) => {
                let news = !self.chosen.as_ref().is_some_and(|old| old.stands_against(&new));
                if news {
                    self.chosen = Some(new);
                }
                news
            }
        }
    }

    /// Takes over what another replica chose, whatever stood here: nothing of that was forwarded.
    fn adopt(&mut self, chosen: Arc<Chosen>) {
        if self.level.is_some() || chosen.level != Level::Full {
            self.level = Some(chosen.level);
        }
        self.chosen = Some(chosen);
    }

    fn entries(&self, name: Name) -> impl Iterator<Item = Entry> + use<> {
        let Self { raw, level, chosen, judged, backed } = self.clone();
        let facts = [
            raw.map(Fact::Raw),
            level.map(Fact::Level),
            chosen.map(Fact::Chosen),
            judged.map(Fact::Judged),
            backed.map(Fact::Backed),
        ];
        facts.into_iter().flatten().map(move |fact| Entry { name, fact })
    }

    fn sizes(&self) -> Sizes {
        Sizes {
            chosen: self.chosen.is_some().into(),
            raw: self.raw.is_some().into(),
            judged: self.judged.is_some().into(),
            levels: self.level.is_some().into(),
        }
    }
}

impl Weigh for Facts {
    /// One, and one more for each [`HEAVY`] bytes of numbers.
    fn weight(&self) -> usize {
        let choice = self.chosen.as_ref().map_or(0, |chosen| chosen.choice.len());
        1 + (choice + self.judged.as_ref().map_or(0, |units| size_of_val(units.as_slice()))) / HEAVY
    }
}

/// Most choices are shorter than this many bytes.
const HEAVY: usize = 256;

/// All that is known.
#[derive(Debug)]
pub(super) struct Store {
    facts: Shares<Facts>,
    sizes: Sizes,
}

impl Store {
    /// A store of so many texts; one that needs many numbers counts for several.
    pub(super) fn new(most: usize) -> Self {
        Self { facts: Shares::new(most), sizes: Sizes::default() }
    }

    /// What is known of a name, which is in use then: the others go first.
    pub(super) fn get(&mut self, name: Name) -> Option<&Facts> {
        self.facts.get(name)
    }

    /// Takes an entry in; false where that is no news.
    pub(super) fn insert(&mut self, entry: Entry) -> bool {
        self.change(entry.name, |known| known.insert(entry.fact))
    }

    /// Takes in what the file has had all along: what was chosen here since, by this version of the pipeline or in place of
    /// what was refuted, stands.
    pub(super) fn fill(&mut self, entry: Entry) {
        let newer = |chosen: &Arc<Chosen>| chosen.is_current() || chosen.version == NEVER;
        let mut known = || self.facts.get(entry.name)?.chosen.as_ref().map(newer);
        if !matches!(entry.fact, Fact::Chosen(_)) || known() != Some(true) {
            self.insert(entry);
        }
    }

    /// Takes over what another replica chose.
    pub(super) fn adopt(&mut self, name: Name, chosen: Arc<Chosen>) {
        self.change(name, |known| known.adopt(chosen));
    }

    fn change<T>(&mut self, name: Name, change: impl FnOnce(&mut Facts) -> T) -> T {
        let mut known = self.facts.take(name).unwrap_or_default();
        let before = known.sizes();
        let changed = change(&mut known);
        self.sizes = self.sizes.plus(known.sizes()).minus(before);
        for gone in self.facts.put(name, known) {
            self.sizes = self.sizes.minus(gone.sizes());
        }
        changed
    }

    /// Everything; of each tenant, what was in use last comes last.
    pub(super) fn entries(&self) -> Vec<Entry> {
        self.facts.iter().flat_map(|(name, facts)| facts.entries(name)).collect()
    }

    pub(super) fn sizes(&self) -> Sizes {
        self.sizes
    }

    /// How many texts it holds.
    pub(super) fn most(&self) -> usize {
        self.facts.most()
    }
}

impl Sizes {
    fn plus(self, other: Self) -> Self {
        self.with(other, u64::saturating_add)
    }

    fn minus(self, other: Self) -> Self {
        self.with(other, u64::saturating_sub)
    }

    fn with(self, other: Self, of: impl Fn(u64, u64) -> u64) -> Self {
        Self {
            chosen: of(self.chosen, other.chosen),
            raw: of(self.raw, other.raw),
            judged: of(self.judged, other.judged),
            levels: of(self.levels, other.levels),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        compress::{Encoding, Policy, Query, compress},
        engine::{Job, Tenant},
    };

    /// Another tenant's key, a condensation, and what was chosen for it.
    fn chosen(model: ModelId) -> (Key, Condensation, Chosen) {
        let job = Job {
            text: "[{\"id\": 1, \"name\": \"one\"}, {\"id\": 2, \"name\": \"two\"}]\n".repeat(9).into(),
            query: Query::default(),
            policy: Policy { min_tokens: 16, ..Policy::default() },
            encoding: Encoding::O200k,
            tenant: Tenant::default(),
        };
        let key = Key::of(&job);
        let found = compress(&job.text, &job.query, &job.policy, &job.encoding, None).unwrap();
        let chosen = Chosen::of(key, Level::Full, model, &found).unwrap();
        assert!(chosen.is(key, &found));
        (Key::of(&Job { tenant: Tenant([1; 16]), ..job }), found, chosen)
    }

    #[test]
    fn a_choice_is_known_by_its_bytes_and_by_whose_they_are() {
        let (other, found, chosen) = chosen(ModelId::default());
        assert!(!chosen.is(other, &found));
    }

    #[test]
    fn a_choice_holds_for_its_model_and_level() {
        let model = ModelId::of("one");
        let (_, _, chosen) = chosen(model);
        assert!(chosen.holds(Level::Full, Some(model)) && chosen.holds(Level::Full, None));
        assert!(!chosen.holds(Level::Gentle, Some(model)) && !chosen.holds(Level::Full, Some(ModelId::of("two"))));
        assert!(Chosen { hurried: true, ..chosen.clone() }.holds(Level::Full, Some(ModelId::of("two"))));
        assert!(!Chosen { version: PIPELINE_VERSION + 1, ..chosen }.holds(Level::Full, None));
    }

    #[test]
    fn the_first_fact_stands_and_only_what_is_new_is_news() {
        let name = Name::shared([1; 16]);
        let mut store = Store::new(9);
        let mut news = |fact| store.insert(Entry { name, fact });
        let raw = |tokens| Fact::Raw(Forced { reason: Reason::Deadline, tokens });
        assert_eq!(
            [raw(1), raw(2), Fact::Level(Level::Gentle), Fact::Level(Level::Full)].map(&mut news),
            [true, false, true, false]
        );
        assert_eq!(
            [Level::Gentle, Level::Gentle, Level::Full].map(|level| news(Fact::Backed(level))),
            [true, false, true]
        );
        let (one, two) = (chosen(ModelId::of("one")).2, chosen(ModelId::of("two")).2);
        assert_eq!([&one, &one, &two].map(|chosen| news(Fact::Chosen(Arc::new(chosen.clone())))), [true, false, true]);
        let facts = store.get(name).unwrap();
        assert_eq!((facts.raw.unwrap().tokens, facts.level, facts.backed), (1, Some(Level::Gentle), Some(Level::Full)));
        assert_eq!(store.sizes(), Sizes { chosen: 1, raw: 1, judged: 0, levels: 1 });
        assert_eq!(store.entries().len(), 4);
    }
}
