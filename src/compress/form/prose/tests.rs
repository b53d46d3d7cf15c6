use super::*;
use crate::compress::{Form, bond::Bond};

fn reading(text: &str) -> Reading<'_> {
    read_below(text, &Block { span: 0..text.len(), form: Form::Prose }, &mut Heads::default(), 0)
}

fn items(text: &str) -> Vec<String> {
    reading(text).items.iter().map(|item| item.text().trim().to_owned()).collect()
}

/// All that stands where the item with `words` does.
fn with(text: &str, words: &str) -> String {
    let reading = reading(text);
    let at = reading.items.iter().position(|item| item.text().contains(words)).unwrap();
    let bonds = crate::compress::bond::Bonds::new(reading.items.len(), &reading.bonds);
    let mut all = bonds.closure(at, |_| true, |_| true).unwrap();
    all.sort_unstable();
    all.iter().map(|item| reading.items[*item].text()).collect()
}

#[test]
fn items_concatenate_to_the_block() {
    for text in ["", "\n \n", "# A\n\nOne. Two.\n\n- x\n  y\n\n> q\n> r\n\nAnna: no.\n<a>\nb</a>\n", "a\nb\nc"] {
        assert_eq!(items(text).len(), reading(text).items.len());
        let all: String = reading(text).items.iter().map(Item::text).collect();
        assert_eq!(all, text);
    }
}

#[test]
fn a_statement_has_its_whole_heading_path() {
    let text = "Rules of the house\n\n# Cover\n\nAll is well.\n\n## Not covered\n\nWater is out. Fire is out too.\n\n# Fees\n\nNone so far.\n";
    let stands = with(text, "Fire is");
    assert!(stands.contains("# Cover") && stands.contains("## Not covered"), "{stands}");
    assert!(!with(text, "None so far").contains("Cover"), "{}", with(text, "None so far"));
}

#[test]
fn items_of_a_list_have_the_line_above_it_and_what_follows_the_list_does_not() {
    let text = "Membership\n\nYou get no discount if:\n\n- you joined in May\n- you are late\n\nYou get one if:\n\n- you row\n\nThe club is old.\n";
    assert!(with(text, "are late").contains("no discount"));
    assert!(with(text, "you row").contains("get one if") && !with(text, "you row").contains("no discount"));
    assert!(!with(text, "club is old").contains("get one"), "{}", with(text, "club is old"));
}

#[test]
fn a_claim_has_its_speaker() {
    let text = "Yara: Shall the firm be hired again?\nOdette: No. They left fourteen bolts loose.\nPim: Then let us look for another firm in the valley.\n";
    let stands = with(text, "fourteen");
    assert!(stands.contains("Odette: No."), "{stands}");
    assert!(with(text, "Odette: No").contains("hired again"));
    assert!(with(text, "hired again").contains("No."));
}

#[test]
fn a_sentence_in_a_comment_of_code_stands_with_all_its_lines() {
    let text = "/*\n * rope.h\n *\n * Edit this file to add new ropes.\n * A set of knots is told too.  Some mills using\n * the ropes may wish to read this file to get the knots\n * and the hooks.\n */\n\nAll is well.\n";
    for words in ["the ropes may wish", "Some mills using", "and the hooks"] {
        let stands = with(text, words);
        assert!(stands.contains("Some mills using\n * the ropes may wish") && stands.contains("hooks."), "{stands}");
        assert!(!stands.contains("Edit this file"), "{stands}");
    }
}

#[test]
fn a_field_has_the_first_of_its_paragraph() {
    let text = "Files: src/wheel.c\nCopyright: 2019 the makers of the wheel\nLicense: Expat\n\nFiles:\n src/rope.c\n src/hook.c\nCopyright: 2020 the makers of the rope\nLicense: Apache-2.0\n\nThe end of it all.\n";
    assert!(with(text, "License: Apache").contains("src/rope.c"), "{:?}", items(text));
    assert!(with(text, "License: Expat").contains("Files: src/wheel.c"), "{:?}", items(text));
}

#[test]
fn a_fact_has_the_id_of_its_chunk() {
    let text = "[1] The first track was laid by farmers who wanted their cheese in town by noon. A cracked pulley is taken off.\n\n[2] A brass plate in the hall names the donors of the clock and of the tower. The cable keeps three wraps.\n";
    assert!(with(text, "three wraps").starts_with("[2] "), "{}", with(text, "three wraps"));
    assert!(!with(text, "three wraps").contains("[1]"));
}

#[test]
fn quoted_words_have_their_author_at_each_depth() {
    let text = "From: Bo\nTo: Ann\n\nNo.\n\nOn Wed, Ann wrote:\n> The lids leak.\n>\n> On Tue, Cy wrote:\n>> The straps came late this year.\n";
    let stands = with(text, "straps");
    assert!(stands.contains("Cy wrote") && stands.contains("Ann wrote"), "{stands}");
    assert!(!with(text, "lids").contains("Cy wrote"));
}

#[test]
fn a_commit_has_its_head() {
    let text = "commit 4ee5cbd332e8\nAuthor: Ann <a@x>\nDate:   Mon May 4\n\n    fix it\n\ncommit 5ee5cbd332e8\nAuthor: Bo <b@x>\nDate:   Mon May 5\n\n    break it\n";
    assert!(with(text, "break it").contains("Bo <b@x>") && !with(text, "break it").contains("Ann"));
}

#[test]
fn a_pronoun_brings_its_noun_and_an_exception_its_rule() {
    let text = "The lamp is green. It was lit in May. Members may borrow the boat. This does not apply to guests. The shed is old.\n";
    assert_eq!(with(text, "lit in May"), "The lamp is green. It was lit in May. ");
    assert!(with(text, "may borrow").contains("not apply"));
    assert_eq!(with(text, "shed").trim(), "The shed is old.");
}

#[test]
fn a_motion_has_its_vote_and_a_remark_what_it_remarks_on() {
    let text =
        "The hall is cold. Mr Ebner moves to start in July. The motion is lost by 2 votes to 3. The shed is old.\n";
    assert!(with(text, "start in July").contains("is lost"), "{:?}", items(text));
    let text = "The hall is cold. I would use medetomidine. [SK: please don't, it is grade 4. Butorphanol only.] The shed is old.\n";
    assert!(
        with(text, "medetomidine").contains("please don't") && with(text, "don't").contains("only.]"),
        "{:?}",
        items(text)
    );
    assert!(!with(text, "shed").contains("SK"));
}

#[test]
fn a_chain_of_pronouns_is_bounded() {
    let text = format!("Anna was a painter. {}", "It went on for years. This was odd. ".repeat(40));
    let reading = reading(&text);
    let bonds = crate::compress::bond::Bonds::new(reading.items.len(), &reading.bonds);
    assert!(
        (0..reading.items.len()).all(|at| bonds.closure(at, |_| true, |_| true).is_some_and(|all| all.len() <= 12))
    );
}

#[test]
fn conditions_joined_by_and_stand_together() {
    let text = "The fee is waived if:\n(a) the boat is new; and\n(b) the owner is a member.\n\nOther text.\n";
    assert!(with(text, "boat is new").contains("owner is a member"));
}

#[test]
fn a_repeated_paragraph_is_said_before_only_under_the_same_owner() {
    let words = "The heater may be used until ten in the evening, and the window to the south stays shut at night.";
    let said = |text: &str| reading(text).items.iter().filter(|item| item.said.is_some()).count();
    assert_eq!(said(&format!("Notes\n\n{words}\n\nOther words stand here.\n\n{words}\n")), 1);
    assert_eq!(said(&format!("Room A\n\n{words}\n\nRoom B\n\n{words}\n")), 0);
    assert_eq!(said(&format!("Notes\n\n{words}\n\nOther words stand here.\n\n{}\n", words.replace("ten", "nine"))), 0);
    assert_eq!(said(&format!("Ann: {words}\n\nBo: {words}\n")), 0);
}

#[test]
fn a_defined_name_brings_its_definition() {
    let text = "Ardent Lines Ltd of Leith (hereinafter \"the Carrier\") moves the goods. The weather was fine. The Carrier pays for damage.\n";
    assert!(with(text, "pays for damage").contains("Ardent Lines"));
    assert!(!reading(text).bonds.contains(&Bond::Needs { item: 1, of: 0 }));
}

#[test]
fn a_long_list_of_short_lines_is_many_items() {
    assert!(items(&"sheep\n".repeat(60)).len() == 60);
}

#[test]
fn a_turn_that_answers_brings_what_it_answers() {
    let text = "HOUSE\n\nMr. DACRE (Hill South): I oppose the Bill. My friend the Member for Karo says that the ferry could take the lorries. It cannot. It has been out of use since the flood.\n\nMrs. FENN: On a point of order. I never said so.\n\nMr. DACRE: Then I withdraw the remark. I do not withdraw what I said about the money.\n\nMr. OLUWOLE: The old figure is an error.\n\nMrs. FENN: Good.\n";
    assert!(with(text, "Then I withdraw").contains("never said so"));
}

#[test]
fn a_pronoun_inside_the_first_clause_brings_what_it_names() {
    for (before, now) in [
        ("The rent is due in May.", "If it is late, a fee is added."),
        ("The parcel stays for two weeks.", "After these days nobody answers for a loss."),
        ("Das Amt zahlt etwas zurück.", "Ein Anspruch darauf besteht nicht."),
        ("O preço fica até julho.", "Depois dessa data pode subir."),
        ("The board heard two offers, from Alm and from Brod.", "The second was too dear."),
        ("The club did not pay the fee.", "The ferry did, under protest."),
    ] {
        let text = format!("The shed is old. {before} {now} The oars are new.\n");
        assert!(with(&text, now).contains(before), "{now}");
        assert!(!with(&text, now).contains("shed"), "{now}");
    }
}

#[test]
fn a_list_in_a_list_has_its_lead_in_and_what_follows_it_does_not() {
    let text = "Rules\n\n1. Boats\n   - Nobody goes out when\n     - the flag is red\n   - Guests pay five.\n\n2. Winter\n   - The slip is shut.\n";
    assert!(
        with(text, "flag is red").contains("Nobody goes out when") && with(text, "flag is red").contains("1. Boats")
    );
    assert!(!with(text, "Guests pay").contains("Nobody"), "{}", with(text, "Guests pay"));
    assert!(with(text, "slip is shut").contains("2. Winter") && !with(text, "slip is shut").contains("Boats"));
}

#[test]
fn a_part_of_a_form_is_no_speaker() {
    let text = "SECTION 2: Hazards\n\nHarmful if it is swallowed by a person.\n\nSECTION 4: First aid\n\nGive one glass of water and no more.\n\nSECTION 5: Fire\n\nUse sand.\n";
    assert_eq!(with(text, "one glass").trim(), "SECTION 4: First aid\n\nGive one glass of water and no more.");
}

#[test]
fn what_is_spoken_of_by_its_count_brings_what_counts_it() {
    let text = "A ship with fever stays outside. If nobody falls ill within eight days, it may enter the port. The doctor is paid by the town. Should a man die, the eight days begin anew.\n";
    assert!(with(text, "begin anew").contains("within eight days"), "{}", with(text, "begin anew"));
    assert!(!with(text, "is paid").contains("eight days"));

    let text = "4. Notices\n(1) A notice is sent by post.\n(2) A notice is void if\n    (a) it is oral;\n    (b) it names no date; or\n    (c) the tenant is ill.\n(3) The three grounds may not be waived.\n(4) The two parties may agree on more.\n";
    let stands = with(text, "may not be waived");
    assert!(["is void if", "is oral", "no date", "is ill"].iter().all(|words| stands.contains(words)), "{stands}");
    assert!(!with(text, "may agree").contains("is oral"), "{}", with(text, "may agree"));

    let text = "Der Vertrag endet aus zwei Gründen. Der Mieter zahlt nicht. Die Miete ist am Ersten fällig. Die zwei Gründe stehen im Gesetz.\n";
    assert!(with(text, "stehen im Gesetz").contains("aus zwei"), "{}", with(text, "stehen im Gesetz"));
}

#[test]
fn what_is_said_of_an_option_brings_the_option() {
    let text = "options:\n  -r RPS, --rate RPS    requests per second. Without it each one sends as fast as it can.\n  --ramp SECONDS        raise the rate evenly. Ignored unless a rate\n                        is given.\n  --abort-on PCT\n                        stop when more than this share failed. Timeouts count\n                        as failures. (default: never)\n\n                        A zero switches it off.\n  --seed N              seed of the order.\n";
    for (words, term, not) in [
        ("Timeouts count", "--abort-on", "--ramp"),
        ("switches it off", "--abort-on", "--seed"),
        ("unless a rate", "--ramp", "--rate RPS"),
        ("seed of the order", "--seed", "--abort-on"),
    ] {
        let stands = with(text, words);
        assert!(stands.contains(term) && !stands.contains(not), "{words}: {stands}");
    }
}
