//! How minutes tell what was moved and what became of it: a motion without its vote reads as a decision.

use super::{List, Phrases, address::says};

/// Whether a statement tells that somebody moves, proposes or asks for something.
pub(crate) fn moves(statement: &str) -> bool {
    words(statement).any(|word| MOVES.has(&word))
}

/// Whether a statement tells, at its beginning, what became of what was moved.
pub(crate) fn decides(statement: &str) -> bool {
    let subject = |word: &str| SUBJECTS.has(word);
    let mut outcome = words(statement).take(MOST_BEFORE_OUTCOME).skip_while(|word| subject(word));
    outcome.next().is_some_and(|word| OUTCOMES.has(&word))
}

/// Whether a statement tells what was meant before something changed it: the next one tells the change. (`Originally` and
/// `at first` say so too, but of most texts only how they go on: three of 80 `blind` answers went at 5:1.)
pub(crate) fn was_meant(statement: &str) -> bool {
    says(&statement.to_lowercase(), &MEANT)
}

static MEANT: Phrases = Phrases::new(&[
    "had been inclined",
    "had intended",
    "had planned",
    "had meant",
    "had wanted",
    "had hoped",
    "had proposed",
    "was going to",
    "were going to",
    "was meant to",
    "were meant to",
    "was supposed to",
    "were supposed to",
]);

fn words(statement: &str) -> impl Iterator<Item = String> {
    let parts = statement.split(|c: char| !(c.is_alphanumeric() || c == '\''));
    parts.filter(|word| !word.is_empty()).map(str::to_lowercase)
}

/// Words of a statement within which an outcome begins.
const MOST_BEFORE_OUTCOME: usize = 8;

static MOVES: List = List::new(
    "moves moved motion proposes proposed proposal proposals suggests suggested suggestion requests requested request applies
    applied application amendment beantragt beantragte antrag vorschlag schlägt propose proposa proposition motion propone
    propuso propuesta moción",
);

/// What stands in front of an outcome.
static SUBJECTS: List = List::new(
    "the this that it motion proposal request suggestion application amendment idea is was were has been not by vote unanimously
    der die das antrag vorschlag wird wurde ist nicht la le motion proposition est été a propuesta moción fue no",
);

static OUTCOMES: List = List::new(
    "carried lost rejected defeated approved adopted agreed withdrawn postponed denied refused accepted passed granted
    dismissed declined seconded tabled abgelehnt angenommen vertagt zurückgezogen beschlossen rejetée rejeté adoptée adopté
    retirée rechazada rechazado aprobada aprobado aplazada",
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_meant_is_told_by_how() {
        assert!(was_meant("The board had been inclined to refuse.") && was_meant("We were going to wait."));
        assert!(!was_meant("The board refused.") && !was_meant("The mill had been sold."));
    }

    #[test]
    fn an_outcome_is_told_where_a_statement_begins() {
        assert!(moves("Mr Ebner moves to start in July.") && moves("Der Antrag von Frau Sailer lautet: neun Uhr."));
        for statement in
            ["Carried, 4 to 1.", "The motion is lost by 2 votes to 3.", "It was not approved.", "Abgelehnt."]
        {
            assert!(decides(statement), "{statement}");
        }
        for statement in ["Ms Sailer reports on 48 samples.", "The bridge was closed.", "They agreed to meet."] {
            assert!(!decides(statement), "{statement}");
        }
    }
}
