//! What condensing saves, in tokens, now and over time: sums alone, bounded whatever clients name. No text, no key.

use std::collections::{BTreeMap, VecDeque};

use serde::Serialize;

/// One request that was looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Request<'a> {
    /// The surface that it was posted to; empty where nobody posted it.
    pub surface: &'a str,
    /// The model that it asked for.
    pub model: Option<&'a str>,
    /// Whether at least one text was forwarded condensed.
    pub condensed: bool,
    /// The texts considered.
    pub texts: Vec<Text<'a>>,
}

/// One text of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Text<'a> {
    /// The tool whose result it is; in parentheses what else it is.
    pub tool: &'a str,
    /// The form that most of it has.
    pub kind: &'static str,
    /// Target tokens as it came.
    pub before: usize,
    /// Target tokens of what stands for it.
    pub after: usize,
    /// Whether it was only measured, and the original forwarded.
    pub measured: bool,
}

/// Sums over requests, or over texts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Sums {
    /// Requests; texts where sums are by tool or kind.
    pub count: u64,
    /// Those of which something was forwarded condensed.
    pub condensed: u64,
    /// Target tokens as they came.
    pub before: u64,
    /// Target tokens that were not forwarded.
    pub saved: u64,
    /// Target tokens that audits would not have forwarded.
    pub would: u64,
    /// Billionths of a dollar that were paid, where prices and answers tell.
    pub paid_nano: i64,
    /// Billionths of a dollar that the tokens left out would have cost besides, less what reading them again has cost.
    pub saved_nano: i64,
}

/// What a request cost, in billionths of a dollar, and what it would have cost besides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bill {
    /// Prompt and answer.
    pub paid_nano: i64,
    /// The tokens left out, less what reading originals again has cost.
    pub saved_nano: i64,
}

impl Sums {
    fn add(&mut self, other: &Self) {
        self.count += other.count;
        self.condensed += other.condensed;
        self.before += other.before;
        self.saved += other.saved;
        self.would += other.would;
        self.paid_nano += other.paid_nano;
        self.saved_nano += other.saved_nano;
    }

    fn of_text(text: &Text<'_>) -> Self {
        let gain = text.before.saturating_sub(text.after) as u64;
        let (saved, would) = if text.measured { (0, gain) } else { (gain, 0) };
        Self { count: 1, condensed: u64::from(saved > 0), before: text.before as u64, saved, would, ..Self::default() }
    }

    fn of_request(request: &Request<'_>) -> Self {
        let mut sums = Self::default();
        request.texts.iter().for_each(|text| sums.add(&Self::of_text(text)));
        Self { count: 1, condensed: u64::from(request.condensed), ..sums }
    }
}

/// The sums since a moment, over time, and by what requests say of themselves.
#[derive(Debug, Default, Serialize)]
pub struct Savings {
    total: Sums,
    minutes: Series<60, 60>,
    hours: Series<3600, 48>,
    days: Series<86_400, 60>,
    surfaces: Groups,
    models: Groups,
    tools: Groups,
    kinds: Groups,
}

impl Savings {
    /// Adds a request that came `at` so many seconds since 1970.
    pub fn add(&mut self, at: u64, request: &Request<'_>) {
        self.add_sums(at, request, &Sums::of_request(request));
        for text in &request.texts {
            let sums = Sums::of_text(text);
            self.tools.add(text.tool, &sums);
            self.kinds.add(text.kind, &sums);
        }
    }

    /// Adds what such a request cost, which its answer tells at its end.
    pub fn bill(&mut self, at: u64, request: &Request<'_>, Bill { paid_nano, saved_nano }: Bill) {
        self.add_sums(at, request, &Sums { paid_nano, saved_nano, ..Sums::default() });
    }

    fn add_sums(&mut self, at: u64, request: &Request<'_>, sums: &Sums) {
        self.total.add(sums);
        self.minutes.add(at, sums);
        self.hours.add(at, sums);
        self.days.add(at, sums);
        let surface = if request.surface.is_empty() { "handed over" } else { request.surface };
        self.surfaces.add(surface, sums);
        self.models.add(request.model.unwrap_or("not named"), sums);
    }

    /// The sums over everything.
    #[must_use]
    pub fn total(&self) -> Sums {
        self.total
    }
}

/// The latest `MOST` spans of `WIDTH` seconds in which there was something.
#[derive(Debug, Default)]
struct Series<const WIDTH: u64, const MOST: usize>(VecDeque<(u64, Sums)>);

impl<const WIDTH: u64, const MOST: usize> Series<WIDTH, MOST> {
    fn add(&mut self, at: u64, sums: &Sums) {
        let start = at - at % WIDTH;
        match self.0.back_mut() {
            // A clock that was set back adds to the present span, so that spans stay in order.
            Some((last, of)) if *last >= start => of.add(sums),
            _ => self.0.push_back((start, *sums)),
        }
        while self.0.front().is_some_and(|(first, _)| first + WIDTH * MOST as u64 <= start) || self.0.len() > MOST {
            self.0.pop_front();
        }
    }
}

impl<const WIDTH: u64, const MOST: usize> Serialize for Series<WIDTH, MOST> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Span<'a> {
            at: u64,
            #[serde(flatten)]
            sums: &'a Sums,
        }
        serializer.collect_seq(self.0.iter().map(|(at, sums)| Span { at: *at, sums }))
    }
}

/// Sums by a name that a client chose.
#[derive(Debug, Default)]
struct Groups(BTreeMap<String, Sums>);

impl Groups {
    fn add(&mut self, name: &str, sums: &Sums) {
        // Most are too short for their characters to be counted.
        let most = if name.len() > LONGEST { name.char_indices().nth(LONGEST) } else { None };
        let name = most.and_then(|(end, _)| name.get(..end)).unwrap_or(name);
        if let Some(of) = self.0.get_mut(name) {
            return of.add(sums);
        }
        let name = if self.0.len() < MOST_NAMES { name } else { OTHERS };
        self.0.entry(name.to_owned()).or_default().add(sums);
    }
}

impl Serialize for Groups {
    /// The largest first.
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Named<'a> {
            name: &'a str,
            #[serde(flatten)]
            sums: &'a Sums,
        }
        let mut groups: Vec<_> = self.0.iter().map(|(name, sums)| Named { name, sums }).collect();
        groups.sort_by_key(|group| std::cmp::Reverse(group.sums.before));
        serializer.collect_seq(groups)
    }
}

/// Names of a group at most: whoever makes up more of them is counted together.
const MOST_NAMES: usize = 40;

/// What further names are counted under; no tool or model is called so.
const OTHERS: &str = "(others)";

/// Characters of a name at most.
const LONGEST: usize = 80;

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn request<'a>(model: &'a str, texts: &[Text<'a>]) -> Request<'a> {
        let condensed = texts.iter().any(|text| !text.measured && text.after < text.before);
        Request { surface: "responses", model: Some(model), condensed, texts: texts.to_vec() }
    }

    fn text(tool: &str, before: usize, after: usize) -> Text<'_> {
        Text { tool, kind: "log", before, after, measured: false }
    }

    fn shown(savings: &Savings) -> Value {
        serde_json::to_value(savings).unwrap()
    }

    #[test]
    fn every_token_is_counted_once_in_each_view() {
        let mut savings = Savings::default();
        savings.add(100, &request("a", &[text("grep", 100, 40), text("(user)", 50, 50)]));
        savings.add(170, &request("b", &[Text { measured: true, ..text("grep", 10, 4) }]));
        let shown = shown(&savings);
        assert_eq!(
            shown["total"],
            json!({"count": 2, "condensed": 1, "before": 160, "saved": 60, "would": 6, "paid_nano": 0, "saved_nano": 0})
        );
        for view in ["minutes", "hours", "days", "surfaces", "models", "tools", "kinds"] {
            let sum = |of: &str| shown[view].as_array().unwrap().iter().map(|sums| sums[of].as_u64().unwrap()).sum();
            let sums: [u64; 3] = [sum("before"), sum("saved"), sum("would")];
            assert_eq!(sums, [160, 60, 6], "{view}");
        }
        let starts: Vec<_> = shown["minutes"].as_array().unwrap().iter().map(|span| &span["at"]).collect();
        assert_eq!(starts, [60, 120]);
    }

    #[test]
    fn what_was_paid_and_saved_is_added_when_the_answer_tells() {
        let mut savings = Savings::default();
        let request = request("a", &[text("grep", 100, 40)]);
        savings.add(100, &request);
        savings.bill(130, &request, Bill { paid_nano: 700, saved_nano: 300 });
        let shown = shown(&savings);
        for sums in [&shown["total"], &shown["models"][0], &shown["surfaces"][0]] {
            assert_eq!(
                (&sums["count"], &sums["paid_nano"], &sums["saved_nano"]),
                (&json!(1), &json!(700), &json!(300))
            );
        }
    }

    #[test]
    fn whatever_clients_name_the_sums_stay_small() {
        let mut savings = Savings::default();
        for index in 0..10_000 {
            let (model, tool) = (format!("{index}{}", "x".repeat(10_000)), format!("tool-{index}"));
            savings.add(index * 30, &request(&model, &[text(&tool, 9, 8)]));
        }
        let shown = shown(&savings);
        for view in ["models", "tools"] {
            let names = shown[view].as_array().unwrap();
            assert_eq!(names.len(), MOST_NAMES + 1);
            assert_eq!(names[0]["name"], OTHERS);
            assert!(names.iter().all(|named| named["name"].as_str().unwrap().len() <= LONGEST));
        }
        let spans = |view: &str| shown[view].as_array().unwrap().len();
        assert_eq!((spans("minutes"), spans("hours"), spans("days")), (60, 48, 4));
    }

    #[test]
    fn spans_go_when_they_are_too_old_and_a_clock_that_is_set_back_loses_nothing() {
        let mut savings = Savings::default();
        savings.add(1_000_000, &request("a", &[text("(user)", 5, 1)]));
        savings.add(999_000, &request("a", &[text("(user)", 5, 1)]));
        assert_eq!(shown(&savings)["minutes"].as_array().unwrap().len(), 1);
        savings.add(1_000_000 + 60 * 60, &request("a", &[text("(user)", 7, 1)]));
        let shown = shown(&savings);
        assert_eq!(shown["minutes"].as_array().unwrap().len(), 1);
        assert_eq!((&shown["minutes"][0]["before"], &shown["total"]["before"]), (&json!(7), &json!(17)));
    }
}
