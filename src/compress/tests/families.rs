//! Hostile texts, by family: each makes a text of about so many bytes that some step could take for more work than it is.

/// A name, and the text of so many bytes.
pub(super) type Family = (&'static str, fn(usize) -> String);

/// `part(0) part(1) …` up to `size` bytes; whole parts only.
fn parts(size: usize, part: impl Fn(usize) -> String) -> String {
    let mut text = String::with_capacity(size + 256);
    for number in 0.. {
        let part = part(number);
        if text.len() + part.len() > size {
            break;
        }
        text.push_str(&part);
    }
    text
}

fn again(size: usize, part: &str) -> String {
    part.repeat((size / part.len()).max(1))
}

/// A prefix of `text` that is no longer than `size`, and then `end`.
fn within(before: &str, size: usize, end: &str, part: impl Fn(usize) -> String) -> String {
    format!("{before}{}{end}", parts(size.saturating_sub(before.len() + end.len()), part))
}

/// `open` nested so deep that it fills `size`, closed or not.
fn nested(size: usize, open: &str, inner: &str, close: &str) -> String {
    let depth = size / (open.len() + close.len()).max(1);
    format!("{}{inner}{}", open.repeat(depth), close.repeat(depth))
}

/// A number that looks drawn, the same each time.
fn drawn(number: usize) -> usize {
    (number as u64 ^ 0x9e37_79b9).wrapping_mul(0xbf58_476d_1ce4_e5b9).rotate_left(23) as usize % 1_000_003
}

const LOREM: [&str; 24] = [
    "valve", "engine", "report", "council", "river", "window", "budget", "harbour", "garden", "signal", "market",
    "letter", "station", "mirror", "forest", "bridge", "captain", "kitchen", "library", "message", "number", "office",
    "pepper", "school",
];

fn word(number: usize) -> &'static str {
    LOREM[drawn(number) % LOREM.len()]
}

/// A sentence of six words, all drawn.
fn sentence(number: usize) -> String {
    let at = |place: usize| word(number * 7 + place);
    format!("The {} of the {} took {} from {}. ", at(0), at(1), drawn(number), at(2))
}

#[rustfmt::skip]
pub(super) const FAMILIES: &[Family] = &[
    // One character, or one word, or one line, over and over.
    ("newlines", |n| again(n, "\n")),
    ("crlf", |n| again(n, "\r\n")),
    ("newlines before words", |n| again(n, "\n") + "When did pump 7 start?"),
    ("crlf before words", |n| again(n, "\r\n") + "When did pump 7 start?"),
    ("carriage returns", |n| again(n, "\r")),
    ("spaces", |n| again(n, " ") + "a"),
    ("tabs", |n| again(n, "\t") + "a"),
    ("wide spaces", |n| again(n, "\u{3000}") + "a"),
    ("spaces and letters", |n| again(n, "a ")),
    ("nul", |n| again(n, "\0")),
    ("letters", |n| again(n, "x")),
    ("capitals", |n| again(n, "X")),
    ("drawn letters", |n| parts(n, |i| char::from(b'a' + (drawn(i) % 26) as u8).to_string())),
    ("letters and digits", |n| parts(n, |i| format!("{:x}", drawn(i)))),
    ("digits", |n| again(n, "7")),
    ("dots", |n| again(n, ".")),
    ("dashes", |n| again(n, "-")),
    ("equal signs", |n| again(n, "=")),
    ("stars", |n| again(n, "*")),
    ("hashes", |n| again(n, "#")),
    ("commas", |n| again(n, ",")),
    ("colons", |n| again(n, ":")),
    ("semicolons", |n| again(n, ";")),
    ("slashes", |n| again(n, "/")),
    ("backslashes", |n| again(n, "\\")),
    ("pipes", |n| again(n, "|")),
    ("quote marks", |n| again(n, "\"")),
    ("apostrophes", |n| again(n, "'")),
    ("backticks", |n| again(n, "`")),
    ("brackets", |n| again(n, "[")),
    ("closing brackets", |n| again(n, "]")),
    ("braces", |n| again(n, "{")),
    ("round brackets", |n| again(n, "(")),
    ("less-than", |n| again(n, "<")),
    ("ampersands", |n| again(n, "&")),
    ("questions", |n| again(n, "?")),
    ("one line", |n| parts(n, |i| format!("{} ", word(i)))),
    ("one sentence", |n| parts(n, |i| format!("{}, ", word(i)))),
    ("equal lines", |n| again(n, "the same line again and again\n")),
    ("one-letter lines", |n| again(n, "a\n")),
    ("bracket lines", |n| again(n, "[\n")),
    ("brace lines", |n| again(n, "{\n")),
    ("brace-quote lines", |n| again(n, "{\"\n")),
    ("closing lines", |n| again(n, "}\n")),
    ("paragraphs", |n| again(n, "a b\n\n")),
    // Scripts and what is not seen.
    ("emoji", |n| again(n, "\u{1f468}\u{200d}\u{1f469}\u{200d}")),
    ("emoji apart", |n| again(n, "\u{1f468} ")),
    ("flags", |n| again(n, "\u{1f1e9}")),
    ("combining marks", |n| again(n, "e\u{301}\u{302}\u{303}\u{304}")),
    ("one letter's marks", |n| format!("e{}", again(n, "\u{301}"))),
    ("zero width", |n| again(n, "a\u{200b}")),
    ("bidi", |n| again(n, "\u{202e}a\u{202c}")),
    ("replacement", |n| again(n, "\u{fffd}")),
    ("cjk", |n| again(n, "東京は今日も晴れです。")),
    ("cjk unbroken", |n| parts(n, |i| char::from_u32(0x4e00 + (drawn(i) % 5000) as u32).map(String::from).unwrap_or_default())),
    ("thai", |n| again(n, "วันนี้อากาศดี")),
    ("arabic", |n| again(n, "مرحبا بالعالم كيف حالك. ")),
    ("hebrew marks", |n| again(n, "שָׁלוֹם ")),
    ("lookalikes", |n| again(n, "pаypаl аре ")),
    // Prose.
    ("sentences", |n| parts(n, sentence)),
    ("short sentences", |n| again(n, "He went. It was so. ")),
    ("pronouns", |n| again(n, "It was so. They came. However, this is it. ")),
    ("orders", |n| again(n, "Open the valve if the pump is off, unless the lamp is red. Do not touch 5 bolts before 10 minutes have passed. ")),
    ("drawn orders", |n| parts(n, |i| format!("Open valve {i} if pump {} is off, unless lamp {} is red. It must not run. ", drawn(i), i % 13))),
    ("orders in one sentence", |n| parts(n, |i| format!("you must open {}, and ", word(i)))),
    ("lists in sentences", |n| parts(n, |i| format!("They sold {}, {}, {} and {}. ", word(i), word(i + 1), word(i + 2), word(i + 3)))),
    ("one list", |n| parts(n, |i| format!("{}, ", word(i))) + "and plums."),
    ("lists of one ending", |n| again(n, "They sold pears, plums and figs. ")),
    ("ands", |n| again(n, "and ")),
    ("or nots", |n| again(n, "whether or not ")),
    ("nots", |n| again(n, "not ")),
    ("shoulds", |n| again(n, "Should you ")),
    ("ifs", |n| again(n, "if it is, ")),
    ("names", |n| parts(n, |i| format!("Mr. J. P. Smith{i} met Dr. A. B. Jones{} in U.S. v. E.U. ", drawn(i)))),
    ("abbreviations", |n| again(n, "e.g. i.e. cf. ")),
    ("numbers", |n| parts(n, |i| format!("{}.{} ", drawn(i), i % 100))),
    ("units", |n| parts(n, |i| format!("{i} kg, $ {i}, {i} %, {i} May 2020; "))),
    ("citations", |n| parts(n, |i| format!("{}[{i}] ", sentence(i)))),
    ("citation marks", |n| parts(n, |i| format!("[{i}]"))),
    ("speakers", |n| parts(n, |i| format!("Speaker {}: {}\n", i % 7, sentence(i)))),
    ("all speakers", |n| parts(n, |i| format!("Name{i}: said a thing\n"))),
    ("questions and answers", |n| parts(n, |i| format!("Q: what is {}?\nA: {}\n", word(i), drawn(i)))),
    ("quoted speech", |n| parts(n, |i| format!("\"I am {}\", he said. ", word(i)))),
    ("open quotes", |n| parts(n, |i| format!("\u{201c}I am {} ", word(i)))),
    ("round brackets in prose", |n| again(n, "it (is (so ")),
    ("headings", |n| again(n, "# head\n")),
    ("deeper headings", |n| parts(n, |i| format!("{} head {i}\n{}\n", "#".repeat(i % 6 + 1), sentence(i)))),
    ("numbered sections", |n| parts(n, |i| format!("{}.{}.{} Section\n\n{}\n\n", i / 100, i / 10 % 10, i % 10, sentence(i)))),
    ("bullets", |n| again(n, "- a short item\n")),
    ("drawn bullets", |n| parts(n, |i| format!("- {}\n", sentence(i)))),
    ("numbered items", |n| parts(n, |i| format!("{i}. {}\n", sentence(i)))),
    ("nested bullets", |n| parts(n, |i| format!("{}- item {i}\n", " ".repeat(i % 300)))),
    ("ever deeper bullets", |n| parts(n, |i| format!("{}- item {i}\n", " ".repeat(i)))),
    ("colons at the end", |n| again(n, "It needs this:\n")),
    ("task and texts", |n| format!("Summarise the texts below.\n\n{}\n\nWhich one names a valve?", parts(n, |i| format!("Text {i}:\n{}\n\n", sentence(i))))),
    ("tags", |n| again(n, "<a><b></a></b>")),
    ("unclosed tags", |n| parts(n, |i| format!("<doc id={i}>{}", sentence(i)))),
    ("tags with partners", |n| parts(n, |i| format!("<doc id={i}>\n{}\n</doc>\n", sentence(i)))),
    ("deep tags", |n| nested(n, "<a>", "x", "</a>")),
    ("tag names", |n| parts(n, |i| format!("<t{i}>\n"))),
    ("examples", |n| parts(n, |i| format!("Input: {}\nOutput: {}\n\n", sentence(i), word(i)))),
    ("urls", |n| parts(n, |i| format!("https://example.com/a/{}?q={i}&r=%20 ", word(i)))),
    ("one url", |n| format!("https://example.com/{}", again(n, "a/"))),
    ("mail addresses", |n| again(n, "a.b@c.d.e ")),
    ("paths", |n| parts(n, |i| format!("/usr/lib/{}/{i}\n", word(i)))),
    ("base64", |n| again(n, "iVBORw0KGgoAAAANSUhEUgAA")),
    ("base64 lines", |n| again(n, "iVBORw0KGgoAAAANSUhEUgAAiVBORw0KGgoAAAANSUhEUgAAiVBORw0KGgo0\n")),
    ("hex", |n| parts(n, |i| format!("{:08x} {:02x} {:02x}\n", i * 16, i % 256, i % 7))),
    // Threads.
    ("quotes", |n| again(n, "> ") + "a"),
    ("quoted lines", |n| parts(n, |i| format!("> {}\n", sentence(i)))),
    ("nested quotes", |n| parts(n, |i| format!("{} line of text {i}\n", ">".repeat(i % 200)))),
    ("ever deeper quotes", |n| parts(n, |i| format!("{} line {i}\n", ">".repeat(i)))),
    ("mail heads", |n| parts(n, |i| format!("From: a{i}@example.com\nTo: b@example.com\nSubject: Re: {}\nDate: Mon, 1 May 2020\n\n{}\n\n", word(i), sentence(i)))),
    ("on wrote", |n| parts(n, |i| format!("On Mon, 1 May 2020, A{i} wrote:\n> {}\n", sentence(i)))),
    ("the same mail", |n| again(n, "On Mon, 1 May 2020, Ann wrote:\n> the valve is open\n> and the pump is off\n\nYes.\n")),
    ("commits", |n| parts(n, |i| format!("commit {:040x}\nAuthor: A <a@b.c>\nDate:   Mon\n\n    {}\n\n", drawn(i), sentence(i)))),
    ("chunks", |n| parts(n, |i| format!("[Document {i}] (Title: {})\n{}\n\n", word(i), sentence(i)))),
    // Code and its output.
    ("fences", |n| again(n, "```x\n")),
    ("open fences", |n| parts(n, |i| format!("{}\n", "`".repeat(3 + i % 500)))),
    ("shrinking fences", |n| { let most = (2 * n).isqrt(); parts(n, |i| format!("{}x\n", "~".repeat(most.saturating_sub(i).max(3)))) }),
    ("code", |n| parts(n, |i| format!("fn f{i}() {{\n    let x = {i};\n    g(x);\n}}\n\n"))),
    ("deep code", |n| parts(n, |i| format!("{}if x{i}:\n", " ".repeat(i)))),
    ("deep braces", |n| parts(n, |i| format!("if (x{i}) {{\n"))),
    ("open strings", |n| parts(n, |i| format!("x{i} = \"\"\"a\n"))),
    ("open comments in a line", |n| within("int x;\nint y;\nint z;\nf();\ng();\nint f() {", n, "}\n", |i| format!("a{i} /* b; c ` d; "))),
    ("open comments", |n| parts(n, |i| format!("int x{i}; /* a\n"))),
    ("numbered lines", |n| parts(n, |i| format!("{i:>6}\tlet x = {i};\n"))),
    ("diff", |n| "diff --git a/x b/x\n--- a/x\n+++ b/x\n".to_owned() + &again(n, "@@ -1 +1 @@\n-a\n+b\n")),
    ("many diffs", |n| parts(n, |i| format!("diff --git a/{i} b/{i}\n--- a/{i}\n+++ b/{i}\n@@ -1 +1 @@\n-a\n+b\n"))),
    ("yaml", |n| parts(n, |i| format!("k{i}: v{i}\n"))),
    ("deep yaml", |n| parts(n, |i| format!("{}k{i}:\n", "  ".repeat(i % 400)))),
    ("ini", |n| parts(n, |i| format!("[s{i}]\na = {i}\n"))),
    ("log", |n| parts(n, |i| format!("2024-05-01 10:{:02}:{:02} INFO worker-{} done job {i}\n", i / 60 % 60, i % 60, i % 7))),
    ("counted log", |n| parts(n, |i| format!("2024-05-01 10:{:02}:{:02} INFO done job {i}\n", i / 60 % 60, i % 60))),
    ("falling log", |n| parts(n, |i| format!("2024-05-01 10:{:02}:{:02} INFO {} jobs left\n", i / 60 % 60, i % 60, 100_000usize.saturating_sub(i)))),
    ("notes without end", |n| parts(n, |_| " [^a (b. [^c (d. ".to_owned())),
    ("closing brackets in prose", |n| again(n, "It is so]. ")),
    ("call arguments", |n| parts(n, |i| format!("{}\n", sentence(i)))),
    ("drawn log", |n| parts(n, |i| format!("2024-05-01 10:{:02}:{:02} INFO {} {} {}\n", i / 60 % 60, i % 60, word(i), word(i * 3), drawn(i)))),
    ("log templates", |n| parts(n, |i| format!("2024-05-01 10:00:00 INFO {}{} {}{} is {}{}\n", word(i), word(i * 5), word(i * 7), word(i + 3), word(i * 11), word(i + 1)))),
    ("wide log lines", |n| parts(n, |i| format!("2024-05-01 10:00:00 INFO {}\n", again(2000, "a=1 ") + &i.to_string()))),
    ("log cycles", |n| parts(n, |i| format!("2024-05-01 10:00:00 INFO step {}\n", ["a", "b", "c", "d", "e"][i % 5]))),
    ("progress", |n| parts(n, |i| format!("\rloading {i}%"))),
    ("trace", |n| format!("Traceback (most recent call last):\n{}ValueError: x\n", again(n, "  File \"a.py\", line 3, in f\n    g()\n"))),
    ("traces", |n| again(n, "2024-05-01 10:00:00 ERROR x\nTraceback (most recent call last):\n  File \"a.py\", line 3, in f\n    g()\nValueError: x\n")),
    ("drawn traces", |n| parts(n, |i| format!("java.lang.IllegalStateException: {i}\n\tat a.b.C{}.f(C.java:{i})\n\tat a.b.D.g(D.java:3)\nCaused by: x.Y: {}\n\t... 3 more\n", i % 9, word(i)))),
    ("causes", |n| parts(n, |i| format!("Caused by: a.B{i}: x\n"))),
    ("compiler messages", |n| parts(n, |i| format!("a.c:{i}:3: error: {} is not {}\n  {i} |  int x;\n    |      ^\n", word(i), word(i + 1)))),
    ("test results", |n| parts(n, |i| format!("tests/t.py::test_{i} PASSED [ {}%]\n", i % 100))),
    ("test sessions", |n| again(n, "==== test session starts ====\n")),
    ("grep", |n| parts(n, |i| format!("src/f{}.rs:{i}: let x = {i};\n", i % 50))),
    ("grep of one file each", |n| parts(n, |i| format!("src/f{i}.rs:1: let x = {i};\n"))),
    ("tree", |n| parts(n, |i| format!("{}├── n{i}\n", "│   ".repeat(i % 60)))),
    ("ls", |n| parts(n, |i| format!("-rw-r--r-- 1 root root {} May 1 10:00 {}{i}\n", drawn(i), word(i)))),
    ("columns", |n| format!("NAME   READY   STATUS\n{}", parts(n, |i| format!("pod-{i:<8} 1/1   {}\n", word(i))))),
    ("ragged columns", |n| parts(n, |i| format!("{}{}a   {}b\n", " ".repeat(i % 31), word(i), " ".repeat(drawn(i) % 40)))),
    ("wide columns", |n| parts(n, |i| format!("{}\n", (0..400).map(|c| format!("{:<8}", (i + c) % 100)).collect::<String>()))),
    // Data.
    ("csv", |n| within("a,b,c\n", n, "", |i| format!("{i},{},x\n", i * 7))),
    ("wide csv", |n| { let most = n.isqrt(); let row = |i: usize| (0..most / 4).map(|c| format!("{}", (c * i) % 97)).collect::<Vec<_>>().join(",") + "\n"; format!("{}\n{}", (0..most / 4).map(|c| format!("c{c}")).collect::<Vec<_>>().join(","), parts(n, row)) }),
    ("csv with open quotes", |n| within("a,b,c\n", n, "", |i| format!("{i},\"x,y\n"))),
    ("one-row csv", |n| parts(n / 2, |i| format!("c{i},")) + "z\n" + &parts(n / 2, |i| format!("{i},")) + "1\n"),
    ("table", |n| within("| a | b |\n|---|---|\n", n, "", |i| format!("| x{} | {i} |\n", i % 5))),
    ("wide table", |n| { let most = n.isqrt(); parts(n, |i| format!("|{}\n", (0..most / 4).map(|c| format!(" {} |", (c * i) % 97)).collect::<String>())) }),
    ("one-row table", |n| parts(n, |i| format!("| c{i} ")) + "|\n|---|\n"),
    ("ruled table", |n| again(n, "----+----\n a | b\n")),
    ("tabs table", |n| again(n, "a\tb\tc\td\n")),
    ("json rows", |n| within("[", n, "0]", |i| format!("{{\"id\":{i},\"v\":\"x{i}\"}},"))),
    ("json alike", |n| within("[", n, "{\"a\":1}]", |i| format!("{{\"a\":{},\"b\":\"{}\"}},", i % 3, word(i)))),
    ("json constant columns", |n| within("[", n, "{\"a\":1,\"b\":\"x\",\"c\":0,\"d\":0}]", |i| format!("{{\"a\":1,\"b\":\"x\",\"c\":0,\"d\":{i}}},"))),
    ("json map", |n| within("{", n, "\"z\":0}", |i| format!("\"id{i}\":{{\"v{i}\":{i}}},"))),
    ("json map alike", |n| within("{", n, "\"z\":{\"v\":0,\"w\":1}}", |i| format!("\"id{i}\":{{\"v\":{i},\"w\":\"{}\"}},", word(i)))),
    ("json distinct keys", |n| within("[", n, "{\"z\":0}]", |i| format!("{{\"k{i}\":{i}}},"))),
    ("json half distinct keys", |n| within("[", n, "{\"a\":0}]", |i| format!("{{\"a\":1,\"b\":2,\"k{i}\":{i}}},"))),
    ("json wide", |n| { let most = n.isqrt(); let row = |i: usize| format!("{{{}\"z\":0}},", (0..most / 8).map(|c| format!("\"k{c}\":{},", (c * i) % 97)).collect::<String>()); within("[", n, "{}]", row) }),
    ("json scalars", |n| within("[", n, "0]", |i| format!("{i},"))),
    ("json strings", |n| within("[", n, "\"\"]", |i| format!("\"{}\",", sentence(i)))),
    ("json deep", |n| nested(n, "{\"a\":", "1", "}")),
    ("json deep arrays", |n| nested(n, "[", "1", "]")),
    ("json to depth 100", |n| within("[", n, "0]", |i| format!("{}{i}{},", "{\"a\":".repeat(100), "}".repeat(100)))),
    ("json tables in tables", |n| within("[", n, "{}]", |i| format!("{{\"a\":[{{\"b\":[{{\"c\":{i},\"d\":1}},{{\"c\":2,\"d\":3}}]}},{{\"b\":[]}}]}},"))),
    ("json cut", |n| within("[", n, "{\"id\":", |i| format!("{{\"id\":{i},\"v\":\"x{i}\"}},"))),
    ("json open", |n| again(n, "{\"a\":")),
    ("json of escapes", |n| within("[\"", n, "\"]", |_| "\\u00e9\\n".to_owned())),
    ("json of one string", |n| within("{\"text\":\"", n, "\"}", sentence)),
    ("json pretty", |n| within("[\n", n, "  {}\n]", |i| format!("  {{\n    \"id\": {i},\n    \"name\": \"{}\"\n  }},\n", word(i)))),
    ("json lines", |n| parts(n, |i| format!("{{\"id\":{i},\"v\":\"x{i}\"}}\n"))),
    ("json lines distinct", |n| parts(n, |i| format!("{{\"k{i}\":{i}}}\n"))),
    ("json in prose", |n| parts(n, |i| format!("{}\n{{\"id\":{i},\"v\":[1,2,3]}}\n", sentence(i)))),
    ("broken json in prose", |n| parts(n, |i| format!("see {{\"id\":{i},\n"))),
    ("geo", |n| within("{\"type\":\"x\",\"coordinates\":[", n, "[0,0]]}", |i| format!("[{}.{i},{}.{i}],", i % 90, i % 180))),
    // Pages.
    ("html unmatched", |n| within("<html>", n, "</html>", |_| "<div></a>".to_owned())),
    ("html quotes", |n| within("<html>", n, "</html>", |_| "<a href=\"".to_owned())),
    ("html single quotes", |n| within("<html>", n, "</html>", |_| "<a b='".to_owned())),
    ("html attributes", |n| within("<html><a", n, ">x</a></html>", |i| format!(" a{i}=\"{i}\""))),
    ("html bare attributes", |n| within("<html><input", n, ">x</html>", |i| format!(" a{i}"))),
    ("html deep", |n| format!("<html>{}</html>", nested(n, "<div>", "x", "</div>"))),
    ("html lists", |n| format!("<html>{}</html>", nested(n, "<ul><li>", "x", "</li></ul>"))),
    ("html 400 lists", |n| format!("<html>{}{}</html>", "<ul>".repeat(390), parts(n, |i| format!("<li>item {i}")))),
    ("html quoted", |n| format!("<html>{}{}</html>", "<blockquote>".repeat(1000), parts(n, |i| format!("<p>item {i}")))),
    ("html open", |n| within("<html>", n, "", |i| format!("<p>{}", sentence(i)))),
    ("html closing", |n| within("<html>", n, "</html>", |_| "</div>".to_owned())),
    ("html lone", |n| within("<html>", n, "</html>", |_| "< ".to_owned())),
    ("html comments", |n| within("<html>", n, "</html>", |_| "<!-- a ".to_owned())),
    ("html scripts", |n| within("<html>", n, "</html>", |_| "<script>a</s".to_owned())),
    ("html entities", |n| within("<html>", n, "</html>", |_| "&amp;&#x20;&am".to_owned())),
    ("html ampersands", |n| within("<html>", n, "</html>", |_| "&".to_owned())),
    ("html links", |n| within("<html>", n, "</html>", |i| format!("<a href=\"/{i}\">{}</a> ", word(i)))),
    ("html open links", |n| within("<html>", n, "</html>", |i| format!("<a href=\"/{i}\">{} ", word(i)))),
    ("html nested links", |n| { let half = parts(n / 2, |i| format!("<a href=/{i}>w ")); format!("<html>{half}{}</html>", again(n / 2, "</a>")) }),
    ("html long row spans", |n| format!("<html><table><tr><td rowspan=50>{}{}</table></html>", parts(n / 2, |i| format!("{} ", word(i))), again(n / 2, "<tr><td>x"))),
    ("html table", |n| within("<html><table>", n, "</table></html>", |i| format!("<tr><td>{i}<td>{}", word(i)))),
    ("html spans", |n| within("<html><table>", n, "</table></html>", |i| format!("<tr><td rowspan=9999 colspan=9999>{i}"))),
    ("html row spans", |n| within("<html><table><tr>", n, "</table></html>", |i| if i % 2 == 0 { "<td rowspan=9999>x".to_owned() } else { "<tr>".to_owned() })),
    ("html wide row", |n| within("<html><table><tr>", n, "</table></html>", |i| format!("<td>{i}"))),
    ("html nested tables", |n| format!("<html>{}</html>", nested(n, "<table><tr><td>", "x", "</td></tr></table>"))),
    ("html pre", |n| within("<html><pre>", n, "</html>", |i| format!("{}\n", word(i)))),
    ("html headings", |n| within("<html>", n, "</html>", |i| format!("<h{}>{}</h1><p>{}", i % 6 + 1, word(i), sentence(i)))),
];
