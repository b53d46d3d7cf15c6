use super::*;

fn of(text: &str, kind: AtomKind) -> Vec<&str> {
    let found = Scan::new(text).found.into_iter().filter(|found| found.counts() && found.kind == kind);
    found.map(|found| text.get(found.span).unwrap()).collect()
}

#[test]
fn numbers_come_with_their_units() {
    let text = "It took 30 seconds, 1.5 million dollars, 12 per cent and two weeks; $5.20, 40% and 100 GB.";
    assert_eq!(of(text, AtomKind::Number), ["30 seconds", "two weeks", "100 GB"]);
    assert_eq!(of(text, AtomKind::Currency), ["1.5 million dollars", "$5.20"]);
    assert_eq!(of(text, AtomKind::Percentage), ["12 per cent", "40%"]);
}

#[test]
fn equal_amounts_have_equal_keys() {
    let key = |text: &str| Scan::new(text).found.first().map(|f| f.key.clone()).unwrap();
    assert_eq!(key("a thousand families"), key("1,000 families"));
    assert_eq!(key("30 secs."), key("30 seconds"));
    assert_eq!(key("$2 million"), key("2,000,000 dollars"));
    assert_eq!(key("twenty-five days"), key("25 days"));
    assert_eq!(key("5 percent"), key("5%"));
    assert_ne!(key("30 s."), key("30 ms"));
}

#[test]
fn names_are_capitals_that_the_sentence_start_does_not_explain() {
    let text = "People met Angela Merkel in Paris. Researchers said so. Kazakhstan agreed. I did too.";
    assert_eq!(of(text, AtomKind::Name), ["Angela", "Merkel", "Paris", "Kazakhstan"]);
}

#[test]
fn words_that_turn_or_bind_a_statement_are_found() {
    let text = "You must not share it unless asked; it can't rise by more than 3 by May 2020.";
    assert_eq!(of(text, AtomKind::Negation), ["not", "can't"]);
    assert_eq!(of(text, AtomKind::Modal), ["must", "unless", "can't"]);
    assert_eq!(of(text, AtomKind::Comparative), ["rise", "more"]);
    assert_eq!(of(text, AtomKind::Date), ["May"]);
}

#[test]
fn quotations_and_list_items_are_atoms() {
    let text = "He said \"never again\".\n- one thing\n- another thing\n";
    assert_eq!(of(text, AtomKind::Quotation), ["never again"]);
    assert_eq!(of(text, AtomKind::Item), ["-", "-"]);
}
