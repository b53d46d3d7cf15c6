//! English words whose forms no stemmer knows: `given` and `gave` are forms of `give`, `children` of `child`.
//!
//! Left out are forms that are as often another word (`left`, `ground`, `felt`, `bound`).

use std::{collections::HashMap, sync::OnceLock};

/// The word of which `lower`, in lower case, is an irregular form; itself otherwise.
pub(crate) fn base(lower: &str) -> &str {
    static FORMS: OnceLock<HashMap<&'static str, &'static str>> = OnceLock::new();
    let read = |line: &'static str| {
        let (base, forms) = line.split_once(':').unwrap_or((line, ""));
        forms.split_whitespace().map(move |form| (form, base.trim()))
    };
    let forms = FORMS.get_or_init(|| IRREGULAR.split(';').flat_map(read).collect());
    forms.get(lower).copied().unwrap_or(lower)
}

const IRREGULAR: &str = "arise: arose arisen; awake: awoke awoken; become: became; bend: bent; bite: bitten; blow: blew blown; begin: began begun; break: broke broken;
    bring: brought; build: built; buy: bought; catch: caught; choose: chose chosen; come: came; dig: dug; draw: drew drawn;
    drink: drank drunk; drive: drove driven; eat: ate eaten; fall: fell fallen; feed: fed; fight: fought; find: found; flee: fled;
    fly: flew flown; forbid: forbade forbidden; forget: forgot forgotten; freeze: froze frozen; get: got gotten;
    give: gave given; go: went gone; grow: grew grown; hang: hung; hear: heard; hide: hid hidden; hold: held; keep: kept;
    know: knew known; lay: laid; lead: led; lend: lent; lose: lost; make: made; mean: meant; meet: met; overcome: overcame;
    pay: paid; prove: proven; ride: rode ridden; ring: rang rung; rise: rose risen; run: ran; say: said; see: saw seen;
    seek: sought; sell: sold; send: sent; shake: shook shaken; shoot: shot; show: shown; sing: sang sung; sink: sank sunk;
    shrink: shrank shrunk; sit: sat; sleep: slept; spill: spilt; spoil: spoilt; speak: spoke spoken; spend: spent; stand: stood; steal: stole stolen; stick: stuck;
    strike: struck; swear: swore sworn; sweep: swept; swell: swollen; swim: swam swum; swing: swung; take: took taken; teach: taught; tear: torn;
    tell: told; think: thought; throw: threw thrown; undergo: underwent undergone; understand: understood;
    undertake: undertook undertaken; wear: wore worn; weave: wove woven; win: won; withdraw: withdrew withdrawn;
    wake: woke woken; write: wrote written; child: children; foot: feet; goose: geese; life: lives; man: men; mouse: mice; person: people;
    tooth: teeth; wife: wives; wolf: wolves; woman: women";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn irregular_forms_are_those_of_their_word() {
        for (form, word) in [("given", "give"), ("wrote", "write"), ("children", "child"), ("women", "woman")] {
            assert_eq!(base(form), word);
        }
        assert_eq!(base("mill"), "mill");
        // No form is listed under two words.
        let forms: Vec<&str> =
            IRREGULAR.split(';').flat_map(|line| line.split_once(':').unwrap().1.split_whitespace()).collect();
        let mut apart = forms.clone();
        apart.sort_unstable();
        apart.dedup();
        assert_eq!(apart.len(), forms.len());
    }
}
