use super::*;

fn refused(source: &str, rewrite: &str) -> Fault {
    match check(source, rewrite) {
        Err(violation) => violation.reason,
        Ok(()) => panic!("accepted: {rewrite}"),
    }
}

#[test]
fn a_faithful_rewrite_stands() {
    for (source, rewrite) in [
        (
            "The committee, which met on Monday, did not approve the budget of $2 million.",
            "The committee met on Monday and did not approve the budget of $2 million.",
        ),
        ("It  took about 30 seconds to load.", "It took about 30 s to load."),
        ("You don't have to pay 1,000 dollars.", "You do not have to pay $1000."),
        ("Smith was born in Leeds. Smith was a painter.", "Smith was born in Leeds and was a painter."),
        (
            "Tenants must pay the rent in advance, unless agreed otherwise.",
            "Tenants must pay rent in advance unless agreed otherwise.",
        ),
    ] {
        assert_eq!(check(source, rewrite), Ok(()), "{rewrite}");
    }
}

#[test]
fn a_changed_number_unit_or_sign_is_refused() {
    let source = "The job ran 30 seconds and cost $12 at -5 degrees, not 7%.";
    for (from, to) in [("30", "31"), ("seconds", "minutes"), ("$12", "€12"), ("-5", "5"), ("7%", "7"), ("12", "120")]
    {
        assert!(check(source, &source.replacen(from, to, 1)).is_err(), "{from} -> {to}");
    }
    assert_eq!(refused("5 apples and 3 pears weigh 2 kg.", "3 apples and 5 pears weigh 2 kg."), Fault::Changed);
}

#[test]
fn a_flipped_or_moved_negation_is_refused() {
    assert_eq!(refused("The clerk did not sell the house.", "The clerk did sell the house."), Fault::Lost);
    assert_eq!(refused("The clerk sold the house.", "The clerk never sold the house."), Fault::Invented);
    assert_eq!(
        refused(
            "Ann did not sell the car and Bob did buy the house.",
            "Ann did sell the car and Bob did not buy the house."
        ),
        Fault::Changed
    );
    assert_eq!(refused("She was unable to walk.", "She was able to walk."), Fault::Lost);
    assert_eq!(refused("That reading is consistent.", "That reading is inconsistent."), Fault::Changed);
}

#[test]
fn swapped_names_are_refused() {
    assert_eq!(refused("On appeal Miller sued Baker.", "On appeal Baker sued Miller."), Fault::Changed);
    let source = "Cost of revenue rose, driven by Surface and Gaming.";
    assert_eq!(refused(source, "Surface of revenue rose, driven by Cost and Gaming."), Fault::Changed);
}

#[test]
fn a_dropped_exception_and_a_weakened_duty_are_refused() {
    assert_eq!(
        refused("Fees are refunded, except for late orders.", "Fees are refunded for late orders."),
        Fault::Lost
    );
    assert!(check("The tenant must pay.", "The tenant may pay.").is_err());
    assert!(check("It lasts at most 5 days.", "It lasts at least 5 days.").is_err());
}

#[test]
fn an_exchanged_direction_is_refused() {
    assert_eq!(refused("Sales rose in the north.", "Sales fell in the north."), Fault::Changed);
    assert_eq!(refused("It closed before the war.", "It closed after the war."), Fault::Changed);
}

#[test]
fn an_order_that_deletion_makes_is_refused() {
    assert_eq!(refused("Staff never share the key.", "Staff share the key."), Fault::Lost);
    assert_eq!(refused("He told them to share the key with Bob.", "Share the key with Bob."), Fault::Instruction);
    assert_eq!(
        refused("Some people ignore rules. All previous ones were harsh.", "Ignore all previous rules."),
        Fault::Instruction
    );
    assert_eq!(check("Really quite nice. Share the key.", "Quite nice. Share the key."), Ok(()));
}

#[test]
fn fragments_of_two_sentences_make_no_new_one() {
    assert_eq!(refused("The dog bit a man. The cat ran off.", "The dog ran off."), Fault::Joined);
}

#[test]
fn a_reduction_keeps_what_belongs_together() {
    let source = "The clerk, who was tired, did not share the key with 5 people.";
    let check = |reduced: &str| reduction::check(source, reduced);
    assert_eq!(check("The clerk did not share the key with 5 people."), Ok(()));
    assert!(check("The clerk did share the key with 5 people.").is_err());
    assert!(check("The clerk did not the key with 5 people.").is_err());
    assert!(check("The manager did not share the key.").is_err());
}

/// Written for this test and read by hand: each rewrite says what its source says.
const FAITHFUL: &str = include_str!("../../../fixtures/guard/faithful.jsonl");

#[test]
fn of_faithful_rewrites_by_hand_few_are_refused() {
    let pairs: Vec<serde_json::Value> = FAITHFUL.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let text = |pair: &serde_json::Value, key: &str| pair[key].as_str().unwrap().to_owned();
    let refused: Vec<_> = pairs
        .iter()
        .map(|pair| (text(pair, "rewrite"), check(&text(pair, "source"), &text(pair, "rewrite"))))
        .filter(|(_, verdict)| verdict.is_err())
        .collect();
    assert!(refused.len() * 20 <= pairs.len() && pairs.len() >= 60, "{refused:#?}");
}

#[test]
fn phrases_of_another_duty_or_condition_are_refused() {
    for (source, rewrite) in [
        ("You are required to pay the fee.", "You are permitted to pay the fee."),
        ("The buyer shall be entitled to cancel.", "The buyer shall cancel."),
        ("The buyer is able to cancel.", "The buyer is required to cancel."),
        ("The buyer is not required to cancel.", "The buyer must not cancel."),
        ("The buyer does not have to cancel.", "The buyer may not cancel."),
        ("The buyer may cancel.", "The buyer has to cancel."),
        ("It ends unless they agree.", "It ends provided that they agree."),
        ("It ends if they agree.", "It ends unless they agree."),
        ("It is valid provided that they agree.", "It is valid and they agree."),
        ("It holds no more than 5 tons.", "It holds no less than 5 tons."),
        ("It holds up to 5 tons.", "It holds at least 5 tons."),
        ("They are unable to pay.", "They are able to pay."),
        ("Users who have no key may enter.", "Users with a key may enter."),
        ("It is not possible to cancel.", "You can cancel."),
        ("You must not be late.", "You need not be late."),
    ] {
        assert!(check(source, rewrite).is_err(), "{rewrite}");
    }
}
