//! What carries nothing: hesitations and sound marks of transcripts, greetings, notices that stand under every mail.

/// Whether a word between white space is a hesitation or a transcriber's mark.
#[must_use]
pub(super) fn is_filler(raw: &str) -> bool {
    let mark = raw.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
    if let Some(mark) = mark {
        return MARKS.contains(&mark);
    }
    // With its punctuation it may end a sentence; then it stays.
    raw.len() <= 6 && HESITATIONS.contains(&raw.to_lowercase().as_str())
}

/// Whether a unit is a notice that says nothing about the matter.
#[must_use]
pub(super) fn is_notice(unit: &str) -> bool {
    let lower = unit.trim().to_lowercase();
    lower.len() <= LONGEST_NOTICE && NOTICES.iter().any(|notice| lower.contains(notice))
}

/// Whether what someone says in a conversation only shows that they listen: `Yeah , okay .` A plain yes or no may be an
/// answer.
#[must_use]
pub(super) fn is_assent(said: &str) -> bool {
    let mut words =
        said.split_whitespace().map(|word| word.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase());
    said.len() <= LONGEST_ASSENT
        && words.all(|word| word.is_empty() || ASSENT.contains(&word.as_str()) || is_filler(&word))
}

/// Whether a line greets or takes leave.
#[must_use]
pub(super) fn is_greeting(unit: &str) -> bool {
    let lower = unit.trim_start_matches(['>', ' ']).trim().to_lowercase();
    let words = lower.split_whitespace().count();
    words <= 4 && GREETINGS.iter().any(|greeting| lower.strip_prefix(greeting).is_some_and(ends_word))
}

fn ends_word(rest: &str) -> bool {
    rest.chars().next().is_none_or(|c| !c.is_alphanumeric())
}

const MARKS: &[&str] = &["comment", "disfmarker", "gap", "nonvocalsound", "pause", "vocalsound"];

const HESITATIONS: &[&str] = &["eh", "er", "erm", "hmm", "mm", "uh", "uhm", "um", "uh-huh", "mm-hmm"];

const LONGEST_ASSENT: usize = 60;

const ASSENT: &[&str] = &[
    "ah",
    "alright",
    "and",
    "brilliant",
    "but",
    "cool",
    "exactly",
    "fine",
    "good",
    "great",
    "hey",
    "i",
    "mean",
    "mm-mm",
    "nice",
    "oh",
    "ok",
    "okay",
    "on",
    "really",
    "right",
    "see",
    "so",
    "sure",
    "sweet",
    "that's",
    "the",
    "uh-huh",
    "well",
    "wow",
    "yeah",
    "yep",
    "you",
    "know",
    "huh",
];

const GREETINGS: &[&str] = &[
    "best",
    "best regards",
    "cheers",
    "dear",
    "good afternoon",
    "good morning",
    "hello",
    "hi",
    "kind regards",
    "many thanks",
    "regards",
    "sincerely",
    "thanks",
    "thank you",
    "yours sincerely",
    "yours truly",
];

/// The longest unit, in bytes, that is taken for a notice.
const LONGEST_NOTICE: usize = 400;

const NOTICES: &[&str] = &[
    "accept all cookies",
    "all rights reserved",
    "click here to unsubscribe",
    "consider the environment before printing",
    "if you are not the intended recipient",
    "intended only for the use of the individual",
    "manage your subscription",
    "sent from my iphone",
    "sent from my android",
    "subscribe to our newsletter",
    "this e-mail and any attachments",
    "this email and any attachments",
    "unsubscribe from this list",
    "view this email in your browser",
    "we use cookies",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hesitations_are_filler_and_placeholders_are_not() {
        assert!(is_filler("{disfmarker}") && is_filler("Um") && is_filler("uh"));
        assert!(!is_filler("{name}") && !is_filler("umbrella") && !is_filler("ER."));
    }

    #[test]
    fn notices_and_greetings_are_told_from_statements() {
        assert!(is_notice("This email and any attachments are confidential."));
        assert!(!is_notice("The notice period is three months."));
        assert!(is_greeting("Hi Tom,") && is_greeting("> Best regards,\n"));
        assert!(!is_greeting("Hire Tom.") && !is_greeting("Best results were found in Oslo in 2014."));
    }
}
