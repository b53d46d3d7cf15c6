//! What a statement says besides: constituents without which it is still true.
//!
//! Grammar alone does not tell. `Shops close on Sundays` has an adjunct that grammar can do without and truth can't. What
//! holds is natural logic (van Benthem, *Essays in Logical Semantics*, 1986; MacCartney and Manning, "Natural logic for
//! textual inference", 2007): leaving a restriction out is an inference where the context is upward entailing. So there are
//! three kinds. A *side remark* (in brackets, or set off by commas) is said for itself and may go anywhere. A
//! *circumstance* (when, where, how) and a restriction of something that is new (`a house that …`) may go where a past
//! event is stated, under no negation, modal, condition or quantifier. Of *clauses joined by `and`* the later ones may go,
//! in the same contexts. Nothing goes that holds a word which turns, limits or conditions.

use std::ops::Range;

use super::tree::Tree;
use crate::compress::{
    syntax::{Relation, Tag, Word},
    text::{
        lexicon,
        lexicon::clause::{DEFINITE, LINKING, PRONOUNS, RANKING, STEERING, TYING},
    },
};

/// A constituent that may go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Optional {
    /// Its words, and the marks that go with it, by their places in the tree.
    pub(super) words: Range<usize>,
}

/// A statement's constituents that may go, each by itself and all together, inner ones behind the outer ones they are in.
pub(super) fn optional(text: &str, tree: &Tree<'_>) -> Vec<Optional> {
    let statement = Statement::new(text, tree);
    // A title, a label or an entry of a list is no statement.
    let states = |at: usize| tree.head(at) == at && tree.tag(at).is_verb();
    let mut subjects = (0..tree.words.len()).filter(|at| tree.relation(*at) == Relation::Subject);
    if !(0..tree.words.len()).any(states) || subjects.next().is_none() {
        return Vec::new();
    }
    let mut found: Vec<Optional> = (0..tree.words.len()).filter_map(|at| statement.optional(at)).collect();
    found.sort_by(|a, b| a.words.start.cmp(&b.words.start).then(b.words.end.cmp(&a.words.end)));
    found.dedup();
    // Two that overlap in part would leave half a constituent.
    let crosses = |a: &Range<usize>, b: &Range<usize>| a.start < b.start && b.start < a.end && a.end < b.end;
    let all = found.clone();
    found.retain(|one| !all.iter().any(|other| crosses(&other.words, &one.words) || crosses(&one.words, &other.words)));
    found
}

struct Statement<'s> {
    tree: &'s Tree<'s>,
    keys: Vec<String>,
}

impl<'s> Statement<'s> {
    fn new(text: &str, tree: &'s Tree<'s>) -> Self {
        let key = |word: &Word| text.get(word.span.clone()).unwrap_or_default().to_lowercase();
        Self { tree, keys: tree.words.iter().map(key).collect() }
    }

    fn key(&self, at: usize) -> &str {
        self.keys.get(at).map_or("", String::as_str)
    }

    /// The words that go with `at`, if it may go.
    fn optional(&self, at: usize) -> Option<Optional> {
        let tree = self.tree;
        let head = tree.head(at);
        let mut run = tree.run(at).filter(|_| head != at)?;
        while run.len() > 1 && is_mark(self.key(run.start)) {
            run.start += 1;
        }
        while run.len() > 1 && (is_mark(self.key(run.end - 1)) || ends(self.key(run.end - 1))) {
            run.end -= 1;
        }
        if self.steers(&run) || self.is_of_series(&run) {
            return None;
        }
        let before = run.start.checked_sub(1).map_or("", |at| self.key(at));
        let behind = self.key(run.end);
        if before == "(" || behind == ")" {
            // `(2)` counts what follows.
            let counts = run.len() == 1 && self.key(at).chars().count() < 4;
            let both = before == "(" && behind == ")" && !counts;
            return both.then(|| Optional { words: run.start - 1..run.end + 1 });
        }
        let closed = is_mark(behind) || ends(behind);
        let apart = (run.start == 0 || is_mark(before)) && closed;
        let joined = tree.relation(at) == Relation::Conj;
        let goes = match tree.relation(at) {
            Relation::Relcl if apart && sets_off(before) => self.is_relative(run.start) && self.is_known(head),
            Relation::Appos | Relation::Acl if apart && sets_off(before) => {
                let noun = |at: usize| matches!(tree.tag(at), Tag::Noun | Tag::Name);
                noun(head)
                    && (noun(at) || tree.relation(at) == Relation::Acl)
                    && !self.is_listed(at, head, run.end)
                    && (tree.relation(at) == Relation::Appos || self.is_known(head))
            }
            Relation::Prep if apart && sets_off(before) && matches!(self.key(run.start), "including" | "such") => true,
            // `An attempt to return` is no attempt without what was tried.
            Relation::Acl if !matches!(tree.tag(at), Tag::Gerund | Tag::PastParticiple) => false,
            Relation::Relcl | Relation::Acl => at > head && closed && self.restricts_something_new(head),
            Relation::Advcl => apart && self.is_circumstance(at) && self.is_past(head) && self.is_upward(head),
            Relation::Prep if !tree.tag(head).is_verb() => {
                closed && !TYING.has(self.key(at)) && self.restricts_something_new(head)
            }
            Relation::Advmod => apart && run.len() == 1 && LINKING.has(self.key(at)) && tree.tag(head).is_verb(),
            Relation::Conj => self.is_further_clause(at, head),
            _ => false,
        };
        goes.then(|| Optional { words: if joined { self.with_conjunction(run) } else { self.with_marks(run) } })
            .filter(|found| self.leaves_something(&found.words) && self.is_balanced(&found.words))
    }

    /// Whether one of the words turns, limits, conditions or compares.
    fn steers(&self, run: &Range<usize>) -> bool {
        run.clone().any(|at| {
            let key = self.key(at);
            lexicon::negation(key).is_some()
                || self.tree.tag(at) == Tag::Modal && !lexicon::light_modal(key)
                || lexicon::conditional(key)
                || STEERING.has(key)
        })
    }

    /// Whether a figure of several may stand in it: `Tveit needed 3:41, Brenner 3:44 and Kolar, who had broken a pole, 3:58`
    /// is easily read so that the last one goes with the pole.
    fn is_of_series(&self, run: &Range<usize>) -> bool {
        let figure = |at: usize| self.key(at).starts_with(|c: char| c.is_ascii_digit());
        let outside = (0..self.tree.words.len()).filter(|at| !run.contains(at) && figure(*at)).count();
        outside >= FEWEST_OF_SERIES && run.clone().any(figure)
    }

    /// Whether a verb tells of an event: what happens as a rule may happen only then and there.
    fn is_past(&self, verb: usize) -> bool {
        let tree = self.tree;
        let perfect =
            |at: usize| matches!(self.key(at), "has" | "have" | "'ve") && tree.tag(verb) == Tag::PastParticiple;
        tree.tag(verb) == Tag::Past
            || tree.by(verb, Relation::Auxiliary).any(|child| tree.tag(child) == Tag::Past || perfect(child))
    }

    /// Whether no negation, modal, condition or question governs what a verb says: less of it is true as well.
    fn is_upward(&self, verb: usize) -> bool {
        let tree = self.tree;
        tree.up(verb).all(|above| {
            tree.children(above).iter().all(|child| match tree.relation(*child) {
                Relation::Neg => false,
                Relation::Mark => self.is_plain_mark(*child) || self.key(*child) == "that",
                Relation::Subject => tree.run(*child).is_none_or(|run| !self.steers(&run)),
                Relation::Auxiliary => tree.tag(*child) != Tag::Modal,
                _ => !self.steers(&(*child..*child + 1)),
            }) && !self.steers(&(above..above + 1))
        }) && (0..tree.words.len()).all(|at| self.key(at) != "?")
    }

    /// Whether a clause says of something that it is first of its kind: what limits the kind stays.
    fn ranks(&self, verb: usize) -> bool {
        let ranks = |at: usize| lexicon::superlative(self.key(at)) || RANKING.has(self.key(at));
        self.tree.extent(verb).any(ranks)
    }

    /// The verb whose clause a word stands in.
    fn clause(&self, at: usize) -> Option<usize> {
        self.tree.up(at).find(|above| self.tree.tag(*above).is_verb())
    }

    /// `a house`, of which something was done or which something is.
    fn restricts_something_new(&self, noun: usize) -> bool {
        let tree = self.tree;
        tree.tag(noun) == Tag::Noun
            && matches!(tree.relation(noun), Relation::Object | Relation::Attr)
            && tree.by(noun, Relation::Det).any(|child| matches!(self.key(child), "a" | "an"))
            && self.clause(noun).is_some_and(|verb| {
                let new = if tree.relation(noun) == Relation::Attr { self.is_of_one(verb) } else { self.is_past(verb) };
                new && !self.ranks(noun) && self.is_upward(verb)
            })
    }

    /// Whether a verb's subject is someone or something, not a word that is defined: `a contributor is a holder who …`.
    fn is_of_one(&self, verb: usize) -> bool {
        let tree = self.tree;
        tree.by(verb, Relation::Subject).all(|subject| {
            let quoted = tree.extent(subject).any(|at| matches!(self.key(at), "\"" | "“" | "”" | "``" | "''"));
            let definite = tree.children(subject).iter().any(|child| DEFINITE.has(self.key(*child)));
            !quoted && (tree.tag(subject) == Tag::Name || definite || PRONOUNS.has(self.key(subject)))
        })
    }

    /// Whether a noun names what is known, so that a clause set off behind it does not tell which is meant; or what was
    /// done tells of it. `A portion, whose source is excluded, need not be conveyed` is not said of any portion, nor is
    /// what must be done with `the portion, whose source …`.
    fn is_known(&self, noun: usize) -> bool {
        let tree = self.tree;
        let definite = || tree.children(noun).iter().any(|child| DEFINITE.has(self.key(*child)));
        let stated = |verb: usize| self.is_upward(verb) && (self.is_past(verb) || definite());
        tree.tag(noun) == Tag::Name || self.clause(noun).is_some_and(stated)
    }

    /// A clause that says when, why or in spite of what, or what came of it.
    fn is_circumstance(&self, verb: usize) -> bool {
        let mut marks =
            self.tree.children(verb).iter().copied().filter(|child| {
                *child < verb && matches!(self.tree.relation(*child), Relation::Mark | Relation::Advmod)
            });
        match marks.next() {
            None => matches!(self.tree.tag(verb), Tag::Gerund | Tag::PastParticiple),
            Some(mark) => self.is_plain_mark(mark),
        }
    }

    fn is_plain_mark(&self, at: usize) -> bool {
        matches!(self.key(at), "although" | "though" | "because" | "since" | "while" | "whereas" | "as")
    }

    /// A later clause, or a later predicate of the same subject.
    fn is_further_clause(&self, at: usize, first: usize) -> bool {
        let tree = self.tree;
        let own = tree.by(at, Relation::Subject).next().is_some();
        let joined = tree.by(first, Relation::Cc).filter(|cc| *cc < at).last().is_some_and(|cc| self.key(cc) == "and");
        at > first
            && tree.tag(first).is_verb()
            && tree.tag(at).is_verb()
            && joined
            && (own || self.is_past(first) && self.is_upward(first))
            && (own || self.is_past(at))
            && self.is_upward(at)
            && tree.by(first, Relation::Conj).all(|other| other <= at)
    }

    fn is_relative(&self, at: usize) -> bool {
        matches!(
            self.key(at),
            "which" | "who" | "whom" | "whose" | "where" | "in" | "of" | "from" | "for" | "with" | "at" | "on"
        )
    }

    /// Whether what looks like an apposition is an entry of a list.
    fn is_listed(&self, at: usize, head: usize, end: usize) -> bool {
        let tree = self.tree;
        let joined = |at: usize| {
            let mut others = [Relation::Conj, Relation::Cc, Relation::Appos].into_iter().flat_map(|of| tree.by(at, of));
            others.any(|other| other != at && tree.relation(at) != Relation::Acl)
        };
        let beside = tree.by(head, Relation::Appos).any(|other| other != at);
        beside
            || tree.by(head, Relation::Conj).chain(tree.by(head, Relation::Cc)).next().is_some()
            || joined(at)
            || matches!(tree.relation(head), Relation::Conj | Relation::Appos)
            || matches!(self.key(end + 1), "and" | "or")
    }

    /// With the comma or the dash on one side, or on both where it is set off in the middle.
    fn with_marks(&self, mut run: Range<usize>) -> Range<usize> {
        let before = run.start.checked_sub(1).map(|at| self.key(at)).filter(|key| sets_off(key));
        let behind = Some(self.key(run.end)).filter(|key| sets_off(key));
        match (before, behind) {
            (Some(one), Some(other)) if one == other => run = run.start - 1..run.end + 1,
            (Some(_), _) if behind.is_some() || closes(self.key(run.end)) => run.start -= 1,
            (None, Some(_)) if run.start == 0 => run.end += 1,
            _ => {}
        }
        run
    }

    fn with_conjunction(&self, mut run: Range<usize>) -> Range<usize> {
        while run.start > 0 && matches!(self.key(run.start - 1), "and" | "," | ";") {
            run.start -= 1;
        }
        run
    }

    /// Whether a verb with its subject, or what else the statement is about, is left.
    fn leaves_something(&self, gone: &Range<usize>) -> bool {
        let words = self.tree.words.len();
        (0..words).any(|at| !gone.contains(&at) && self.tree.head(at) == at)
            && (0..words).filter(|at| !gone.contains(at) && !is_mark(self.key(*at))).count() > 2
    }

    /// Whether as many quotation marks and brackets open as close in it.
    fn is_balanced(&self, gone: &Range<usize>) -> bool {
        let count = |marks: &[&str]| gone.clone().filter(|at| marks.contains(&self.key(*at))).count();
        count(&["\""]).is_multiple_of(2) && count(&["“", "‘", "(", "["]) == count(&["”", "’", ")", "]"])
    }
}

/// Figures beside which another one is of their series.
const FEWEST_OF_SERIES: usize = 2;

/// Whether a mark sets a constituent off.
fn sets_off(key: &str) -> bool {
    matches!(key, "," | "—" | "–" | "--")
}

fn is_mark(key: &str) -> bool {
    sets_off(key) || matches!(key, "(" | ")" | ";" | ":")
}

/// Whether a statement ends there.
fn ends(key: &str) -> bool {
    matches!(key, "" | "." | "!" | "?")
}

fn closes(key: &str) -> bool {
    ends(key) || matches!(key, ";" | ":")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compress::syntax::Syntax;

    /// A statement's syntax from `word/head/relation/tag`, heads counted from 1 and 0 for a root, in words that a space
    /// parts unless a mark does.
    fn parsed(notation: &str) -> (String, Syntax) {
        let (mut text, mut words) = (String::new(), Vec::new());
        for (at, part) in notation.split_whitespace().enumerate() {
            let fields: Vec<&str> = part.split('/').collect();
            let [word, head, relation, tag] = fields[..] else { panic!("{part}") };
            if at > 0 && !matches!(word, "," | "." | ")" | ";") && !text.ends_with('(') {
                text.push(' ');
            }
            let start = text.len();
            text.push_str(word);
            let head = head.parse::<usize>().unwrap().checked_sub(1).unwrap_or(at);
            let (relation, tag) = (Relation::named(relation), Tag::named(tag));
            words.push(Word { span: start..text.len(), head, relation, tag, certain: 1.0 });
        }
        (text, Syntax { words })
    }

    /// What may go, as text.
    fn gone(notation: &str) -> Vec<String> {
        let (text, syntax) = parsed(notation);
        let tree = Tree::new(&syntax).unwrap();
        let said = |one: &Optional| {
            let words = &tree.words[one.words.clone()];
            text.get(words[0].span.start..words.last().unwrap().span.end).unwrap().to_owned()
        };
        optional(&text, &tree).iter().map(said).collect()
    }

    #[test]
    fn a_side_remark_goes_with_both_its_commas_whatever_the_statement_says() {
        let clause = "Ann/8/nsubj/NNP ,/1/punct/, who/4/nsubj/WP runs/1/relcl/VBZ it/4/dobj/PRP ,/1/punct/,";
        assert_eq!(
            gone(&format!("{clause} must/8/aux/MD sign/0/ROOT/VB it/8/dobj/PRP ./8/punct/.")),
            [", who runs it ,".replace(" ,", ",")]
        );
    }

    #[test]
    fn a_figure_of_a_series_stays() {
        let clause = |figure: &str| {
            format!(
                "Ann/2/nsubj/NNP needed/0/ROOT/VBD 341/2/dobj/CD s/3/dep/NN ,/2/punct/, Bo/7/nsubj/NNP took/2/conj/VBD {figure}/7/dobj/CD \
                 and/2/cc/CC Cy/11/nsubj/NNP left/2/conj/VBD ,/10/punct/, who/14/nsubj/WP broke/10/relcl/VBD 358/14/dobj/CD ./2/punct/."
            )
        };
        assert!(!gone(&clause("344")).iter().any(|gone| gone.contains("358")));
    }

    #[test]
    fn a_clause_that_tells_which_stays() {
        let told = "Visitors/6/nsubj/NNS who/3/nsubj/WP smoke/1/relcl/VBP must/6/aux/MD not/6/neg/RB enter/0/ROOT/VB ./6/punct/.";
        assert_eq!(gone(told), Vec::<String>::new());
    }

    #[test]
    fn a_clause_set_off_behind_something_unknown_may_tell_which() {
        let portion = |first: &str, noun: &str| {
            format!(
                "{first}/2/det/DT portion/7/nsubjpass/{noun} ,/2/punct/, which/5/nsubjpass/WDT excluded/2/relcl/VBN \
                 ,/2/punct/, conveyed/0/ROOT/VBZ ./7/punct/."
            )
        };
        assert_eq!(gone(&portion("A", "NN")), Vec::<String>::new());
        assert_eq!(gone(&portion("This", "NN")), [", which excluded,"]);
    }

    #[test]
    fn a_definition_stays_whole() {
        let holder = "is/0/ROOT/VBZ a/5/det/DT holder/3/attr/NN who/7/nsubj/WP agrees/5/relcl/VBZ ./3/punct/.";
        assert_eq!(gone(&format!("A/2/det/DT contributor/3/nsubj/NN {holder}")), Vec::<String>::new());
        assert_eq!(gone(&format!("The/2/det/DT contributor/3/nsubj/NN {holder}")), ["who agrees"]);
    }

    #[test]
    fn what_was_attempted_stays_with_the_attempt() {
        let attempt =
            "It/2/nsubj/PRP saw/0/ROOT/VBD an/4/det/DT attempt/2/dobj/NN to/6/aux/TO return/4/acl/VB ./2/punct/.";
        assert_eq!(gone(attempt), Vec::<String>::new());
    }

    #[test]
    fn something_new_may_lose_what_is_said_of_it_where_it_was_done() {
        let house = "a/4/det/DT house/2/dobj/NN that/6/nsubj/WDT stood/4/relcl/VBD ./2/punct/.";
        let past = format!("She/2/nsubj/PRP built/0/ROOT/VBD {house}");
        assert_eq!(gone(&past), ["that stood"]);
        let must = "She/3/nsubj/PRP must/3/aux/MD build/0/ROOT/VB a/5/det/DT house/3/dobj/NN that/7/nsubj/WDT stands/5/relcl/VBZ ./3/punct/.";
        assert_eq!(gone(must), Vec::<String>::new(), "what must be done is done only in full");
        let never = past.replace("She/2/nsubj/PRP", "Nobody/2/nsubj/NN");
        assert_eq!(gone(&never), Vec::<String>::new(), "nobody did so says less of fewer houses");
    }

    #[test]
    fn a_remark_that_turns_limits_or_conditions_stays() {
        for steering in ["not", "only", "except", "unless"] {
            let text = format!(
                "Ann/6/nsubj/NNP ,/1/punct/, {steering}/4/advmod/RB here/1/appos/NN ,/1/punct/, left/0/ROOT/VBD ./6/punct/."
            );
            assert_eq!(gone(&text), Vec::<String>::new(), "{steering}");
        }
    }

    #[test]
    fn later_clauses_joined_by_and_may_go_and_the_first_stays() {
        let both = "Rooms/2/nsubj/NNS opened/0/ROOT/VBD and/2/cc/CC suites/5/nsubj/NNS closed/2/conj/VBD ./2/punct/.";
        assert_eq!(gone(both), ["and suites closed"]);
        assert_eq!(gone(&both.replace("and/", "but/")), Vec::<String>::new(), "what limits the first stays with it");
    }

    #[test]
    fn a_title_and_an_entry_of_a_list_are_no_statements() {
        assert_eq!(
            gone("Rio/2/compound/NNP Bravo/0/ROOT/NNP (/2/punct/( film/2/appos/NN )/2/punct/)"),
            Vec::<String>::new()
        );
        let list = "They/2/nsubj/PRP sell/0/ROOT/VBP tea/2/dobj/NN ,/3/punct/, milk/3/appos/NN ,/3/punct/, and/3/cc/CC rice/3/conj/NN ./2/punct/.";
        assert_eq!(gone(list), Vec::<String>::new());
    }

    #[test]
    fn heads_that_lead_round_in_circles_give_no_tree() {
        let (_, mut syntax) = parsed("Nobody/2/nsubj/NN answered/0/ROOT/VBD ./2/punct/.");
        syntax.words[1].head = 0;
        assert!(Tree::new(&syntax).is_none());
        syntax.words[1].head = 9;
        assert!(Tree::new(&syntax).is_none());
    }
}
