//! The sentences of a long value that say most of what is asked, under a budget.

use super::{CountTokens, Relevance, marks};

/// The best sentences of `text` within about so many tokens, in their order, gaps marked.
///
/// The first sentence counts as likely to say what the text is about; without a query the beginning stays.
#[must_use]
pub(super) fn excerpt(text: &str, budget: usize, ask: &Relevance, tokens: &dyn CountTokens) -> String {
    let sentences = sentences(text);
    let mut ranks = ask.rank(&sentences);
    let most = ranks.iter().copied().fold(f32::MIN_POSITIVE, f32::max);
    let count = ranks.len();
    for (number, rank) in ranks.iter_mut().enumerate() {
        *rank = *rank / most + 0.3 * (count - number) as f32 / count as f32;
    }
    let mut order: Vec<usize> = (0..count).collect();
    order.sort_by(|a, b| ranks[*b].total_cmp(&ranks[*a]).then(a.cmp(b)));
    let mut left = budget.saturating_sub(2);
    let mut kept: Vec<Option<String>> = vec![None; count];
    for (place, number) in order.into_iter().enumerate() {
        let price = tokens.count(sentences[number]) + 1;
        if price <= left {
            left -= price;
            kept[number] = Some(sentences[number].trim_end().to_owned());
        } else if place == 0 {
            kept[number] = Some(beginning(sentences[number], left, tokens));
            left = 0;
        }
    }
    let mut out = String::new();
    let mut gap = false;
    for sentence in kept {
        match sentence {
            Some(sentence) => {
                if gap {
                    out.push_str(marks::GAP);
                    out.push(' ');
                }
                out.push_str(&sentence);
                out.push(' ');
                gap = false;
            }
            None => gap = true,
        }
    }
    if gap {
        out.push_str(marks::GAP);
    }
    out.trim_end().to_owned()
}

/// The first words within so many tokens.
fn beginning(sentence: &str, budget: usize, tokens: &dyn CountTokens) -> String {
    let mut end = sentence.floor_char_boundary(budget.saturating_mul(8));
    loop {
        let part = sentence.get(..end).unwrap_or_default().trim_end();
        let cut = if end < sentence.len() { part.rfind(char::is_whitespace).unwrap_or(part.len()) } else { part.len() };
        let part = part.get(..cut).unwrap_or_default();
        if part.is_empty() || tokens.count(part) <= budget {
            return if part.len() < sentence.trim_end().len() {
                format!("{part}{}", marks::ELLIPSIS)
            } else {
                part.to_owned()
            };
        }
        end = sentence.floor_char_boundary(part.len() * 3 / 4);
    }
}

/// Parts that end at a sentence's end or an (escaped) line break; they concatenate to the text.
fn sentences(text: &str) -> Vec<&str> {
    let (mut parts, mut start) = (Vec::new(), 0);
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        let next = chars.peek().copied();
        let ends = match (c, next) {
            ('.' | '!' | '?', Some((_, after))) => after.is_whitespace(),
            ('。' | '！' | '？' | '\n', _) => true,
            ('\\', Some((_, 'n'))) => true,
            _ => false,
        };
        if ends {
            let end = if c == '\\' { at + 2 } else { at + c.len_utf8() };
            let end = if text.get(end..).is_some_and(|rest| rest.starts_with(' ')) { end + 1 } else { end };
            if end > start {
                parts.extend(text.get(start..end));
                start = end;
            }
        }
    }
    parts.extend(text.get(start..).filter(|rest| !rest.is_empty()));
    parts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compress::{Encoding, Query};

    #[test]
    fn the_sentence_that_answers_stays() {
        let text =
            "The firm is old. It was founded by two brothers. The price of a ticket is 12 euros. Nobody knows why.";
        let ask =
            Relevance::new(&Query { preceding: "What is the price of a ticket?".into(), ..Query::default() }, None);
        let short = excerpt(text, 16, &ask, &Encoding::O200k);
        assert!(short.contains("The price of a ticket is 12 euros."), "{short}");
        assert!(short.contains(marks::GAP));
    }

    #[test]
    fn sentences_concatenate() {
        for text in ["", "a. b", "No end", "东京。大阪", "a\\nb\\n", "x.  y! z?"] {
            assert_eq!(sentences(text).concat(), text);
        }
    }
}
