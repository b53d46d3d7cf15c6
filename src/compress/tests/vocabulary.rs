//! What texts of each form are made of, for generators: any sequence of these pieces is nearly of that form, and often
//! just not.

/// A form, and its pieces.
pub(super) type Vocabulary = (&'static str, &'static [&'static str]);

/// The text that a choice of pieces makes. It stands between the brackets where the first and the last piece are such: by
/// chance no list would ever be closed.
pub(super) fn text(pieces: &[&str], picks: &[u8]) -> String {
    let (before, pieces, after) = match pieces {
        [before @ "[", pieces @ .., after @ "{}]"] => (*before, pieces, *after),
        _ => ("", pieces, ""),
    };
    let picked = picks.iter().filter_map(|pick| pieces.get(usize::from(*pick) % pieces.len().max(1))).copied();
    [before].into_iter().chain(picked).chain([after]).collect()
}

#[rustfmt::skip]
pub(super) const FORMS: &[Vocabulary] = &[
    ("prose", &[
        "The valve is not open. ", "It ", "must ", "unless ", "you ", "never ", "He paid 5 kg to Mr. J. Smith. ", "(a) ", "[1] ",
        "see Fig. 3", ". ", "? ", "! ", ", ", ": ", "; ", "\n", "\n\n", "- ", "1. ", "# ", "**", "\"", "“", "”", " (2)", "[^7]", "pears, plums and figs. ",
        "However, this was so. ", "The former was sold. ", "東京は晴れ。", "\u{200b}", "\u{301}", "e.g. ", "— ", "Ann: ", "\t", "  ", "\r\n", "\u{a0}",
    ]),
    ("message", &[
        "Summarise the text below.", "Which pump failed?", "# Rules\n", "Question: ", "Answer:", "Context:\n", "<doc>", "</doc>", "<rules>", "</rules>",
        "Input: ", "Output: ", "\n", "\n\n", "---\n", "```\n", "The harbour was built in 1830 and has been mended twice since then, as the council wrote. ",
        "Here is the contract:\n\n", "Thanks!", "Do not translate names. ", "[1] ", "> ", "Please ", "Dear Ann,\n", "Regards\n", "{{x}}", "- ", "1. ",
    ]),
    ("json", &[
        "{", "}", "[", "]", ",", ":", "\"id\"", "\"a\"", "\"b.c\"", "\"long text with words in it, and more\"", "\"\\u00e9\\n\"", "1", "-0.5e3", "true", "null",
        " ", "\n", "{\"id\":1,\"v\":\"x\"},", "{\"id\":2,\"v\":null},", "\"k\":", "[]", "{}", "\"", "\\", "[{\"a\":1},{\"a\":2}]", "{\"a\":{\"b\":{\"c\":1}}}", "… [truncated]",
    ]),
    ("json rows", &[
        "[", "{\"id\":1,\"v\":\"x\"},", "{\"id\":2,\"v\":null},", "{\"id\":3},", "{\"k7\":1},", "{\"k8\":{\"a\":[1,2]}},", "[],", "[[1,2],[3]],", "null,", "7,", "\"word\",",
        "{\"log\":\"a long text with words in it: it failed at 10:01, and more than once\\n\"},", "{\"doc\":\"{\\\"a\\\":\\\"said \\\\\\\"so\\\\\\\"\\\"}\"},",
        "{\"id\":1,\"rows\":[{\"a\":1,\"b\":2},{\"a\":3,\"b\":4}]},", "\n  ", "{\"id\":1,\"id\":2},", "{\"level\":\"error\",\"msg\":\"failed\"},", "{}]",
    ]),
    ("json lines", &[
        "{\"id\":1,\"v\":\"x\"}\n", "{\"id\":2,\"v\":\"y\"}\n", "{\"id\":3}\n", "{\"level\":\"error\",\"msg\":\"failed\"}\n", "[1,2]\n", "\n", "text\n", "{\"a\":{\"b\":1}}\n", "{", "}\n", "\"",
    ]),
    ("table", &[
        "| a ", "| b ", "|", "\n", "|---|---|\n", "| Total | 44.1 |\n", "| x | 5 |\n", "----+----\n", " a | b\n", "a\tb\tc\n", "Current assets: | |\n", "2019", " | ", "  ", "\\|",
    ]),
    ("csv", &[
        "a,b,c\n", "1,2,3\n", "4,\"x,y\",6\n", "\"", ",", ";", "\n", "7,failed,9\n", "name;x;y\n", "a;1;2\n", ",,\n", "\"a\nb\",1,2\n", "1e9,0,\n",
    ]),
    ("log", &[
        "2024-05-01 10:00:00 INFO worker-1 done job 7\n", "2024-05-01 10:00:01 INFO worker-2 done job 8\n", "2024-05-01 10:00:02 ERROR db: refused\n",
        "Traceback (most recent call last):\n", "  File \"a.py\", line 3, in f\n", "    g()\n", "ValueError: x\n", "\tat a.B.c(B.java:3)\n", "Caused by: x.Y\n",
        "\n", "plain line\n", "  --> src/a.rs:3:5\n", "   |\n", " 3 | let x;\n", "   |     ^\n", "error: no\n", "\rloading 5%", "test a ... ok\n", "FAILED\n", "[",
        "==== test session starts ====\n", "==== 1 failed in 2s ====\n", "\u{1b}[31m",
    ]),
    ("columns", &[
        "NAME   READY   STATUS\n", "pod-1  1/1     Running\n", "pod-2  0/1     CrashLoop\n", "       1/1     x\n", "total 48\n", "-rw-r--r-- 1 root root 5 May 1 10:00 a\n", "\n",
        "   ", "x", "----   -----\n", "a b  c d  e\n", "\t",
    ]),
    ("listing", &[
        "src/a/one.rs\n", "src/a/two.rs\n", "src/b.rs\n", "├── a\n", "│   └── b\n", "src/a.rs:3:let x = 1;\n", "src/a.rs:9:fn f() {\n", "src/b.rs-4-}\n", "--\n", "\n", "/usr/lib (3 matches)\n", "Binary file x matches\n", "   ", ":",
    ]),
    ("code", &[
        "fn f() {\n", "}\n", "    let x = 1;\n", "if x:\n", "    return y\n", "// note\n", "/* a\n", "*/\n", "\"\"\"\n", "'", "\"", "{", "(", "\n", "#include <a>\n", "class A:\n", "```rust\n", "```\n",
        "    1\tlet x;\n", "    2\tlet y;\n", "key: value\n", "- item\n", "  nested:\n", "[section]\n", "a = 1\n", "<div>\n", "\t",
    ]),
    ("opaque", &[
        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg", "\n", " ", "data:image/png;base64,", "==", "plain words ", "/",
        "-----BEGIN CERTIFICATE-----\n", "-----END CERTIFICATE-----\n", "MIIBszCCAVmgAwIBAgIUO0L0JXv5mJ8m3Q2Zk1nq0QmXxk0wCgYIKoZIzj0EAwIw\n", "0123456789abcdef0123456789abcdef",
    ]),
    ("diff", &[
        "diff --git a/x b/x\n", "--- a/x\n", "+++ b/x\n", "@@ -1,3 +1,4 @@\n", "-old\n", "+new\n", " same\n", "\\ No newline at end of file\n", "\n", "index 1..2\n", "text\n", "@@",
    ]),
    ("html", &[
        "<!doctype html><html>", "</html>", "<p>", "</p>", "<div>", "</div>", "<a href=\"/x\">", "</a>", "<table>", "<tr>", "<td rowspan=2>", "<td colspan=3>", "<th>", "</table>", "<ul>", "<li>", "</ul>",
        "<pre>", "</pre>", "<script>", "</script>", "<!--", "-->", "<", ">", "\"", "'", "&amp;", "&#x20;", "&", "words and more words ", "\n", "<h1>", "</h1>", "<blockquote>", "<input name=a>", "<img alt=x src=y>",
    ]),
    ("thread", &[
        "From: a@example.com\n", "Subject: Re: pump\n", "Date: Mon, 1 May 2020\n", "On Mon, 1 May 2020, Ann wrote:\n", "> the valve is open\n", ">> no\n", "\n", "Yes.\n", "commit 0123456789abcdef0123456789abcdef01234567\n",
        "Author: A <a@b.c>\n", "    fix it\n", "[Document 1] (Title: x)\n", "-- \n", "Ann\n", "Speaker 1: so\n", "[10:01] Bob: hi\n",
    ]),
];
