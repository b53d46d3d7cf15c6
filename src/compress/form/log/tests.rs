use super::*;
use crate::compress::{Encoding, Query, content};

fn asked() -> Relevance {
    Relevance::new(&Query { preceding: "What went wrong?".into(), ..Query::default() }, None)
}

fn within(text: &str, budget: usize) -> Rendered {
    content::render(text, Kind::Log, &asked(), Budget::Tokens(budget), &Encoding::O200k)
}

/// 600 lines of routine with an error, a warning, a stack trace and a line of its own kind.
fn log() -> String {
    let mut lines: Vec<String> = (0..600)
        .map(|n| {
            format!(
                "2024-05-01 10:{:02}:{:02} INFO  [pool-{}] Served block {} to client {}",
                n / 60,
                n % 60,
                n % 4,
                n * 17,
                n % 9
            )
        })
        .collect();
    lines.insert(200, "2024-05-01 10:03:20 ERROR [pool-1] Disk quota exceeded on volume vol7 (code 28)".into());
    lines.insert(201, "java.io.IOException: No space left on device".into());
    lines.insert(202, "    at org.example.Store.write(Store.java:112)".into());
    lines.insert(350, "2024-05-01 10:05:50 WARN  [pool-2] Replica 3 lags behind by 41 seconds".into());
    lines.insert(400, "2024-05-01 10:06:40 INFO  [main] Elected leader node-beta for term 12".into());
    lines.join("\n") + "\n"
}

#[test]
fn errors_warnings_traces_and_rare_lines_survive() {
    let log = log();
    let whole = Encoding::O200k.count(&log);
    for ratio in [5, 10, 20, 50] {
        let rendered = within(&log, whole / ratio);
        for telling in [
            "Disk quota exceeded on volume vol7 (code 28)",
            "java.io.IOException: No space left on device",
            "Store.write(Store.java:112)",
            "Replica 3 lags behind by 41 seconds",
            "Elected leader node-beta for term 12",
        ] {
            assert!(rendered.text.contains(telling), "{ratio}: {telling}\n{}", rendered.text);
        }
        assert!(rendered.tokens <= whole / ratio);
    }
}

#[test]
fn equal_messages_are_told_once_with_a_count() {
    let log: String = (0..37).map(|n| format!("2024-05-01 10:00:{n:02} INFO worker: heartbeat ok\n")).collect();
    let rendered = content::render(&log, Kind::Log, &Relevance::default(), Budget::Auto, &Encoding::O200k);
    assert_eq!(rendered.text, "2024-05-01 10:00:00 INFO worker: heartbeat ok ×37\n");
}

#[test]
fn without_a_budget_different_messages_stay() {
    let log = log();
    let rendered = content::render(&log, Kind::Log, &Relevance::default(), Budget::Auto, &Encoding::O200k);
    assert_eq!(rendered.text, log);
}

#[test]
fn units_concatenate_and_words_come_from_their_line() {
    let log = log();
    let rendered = within(&log, 300);
    let spans: String = rendered.units.iter().filter_map(|unit| log.get(unit.span.clone())).collect();
    assert_eq!(spans, log);
    for unit in &rendered.units {
        let line = log.get(unit.span.clone()).unwrap_or_default();
        let text = unit.text.as_deref().unwrap_or_default();
        let text = text.rsplit_once(" ×").map_or(text, |(text, _)| text);
        let mut rest = line;
        for word in text.split_whitespace() {
            let at = rest.find(word).unwrap_or_else(|| panic!("{word} is not in {line}"));
            rest = rest.get(at + word.len()..).unwrap_or_default();
        }
    }
}

#[test]
fn a_hundred_thousand_repeats_are_one_line() {
    let log = "12:00:00 tick\n".repeat(100_000);
    assert_eq!(within(&log, 1000).text, "12:00:00 tick ×100000\n");
}

#[test]
fn lines_that_read_alike_once_they_are_shortened_are_one_with_a_count() {
    let log: String = (0..40)
        .map(|n| format!("2024-05-01 10:00:{n:02} FATAL [node-{n}-a7] data address space interrupt 0\n"))
        .collect();
    let rendered = within(&log, Encoding::O200k.count(&log) / 20);
    let lines: Vec<&str> = rendered.text.lines().filter(|line| line.contains("data address space")).collect();
    let mut distinct = lines.clone();
    distinct.dedup();
    assert_eq!(lines, distinct, "{}", rendered.text);
    assert!(rendered.text.contains('×'), "{}", rendered.text);
}

#[test]
fn errors_stay_whole_where_the_budget_has_no_room_for_them() {
    let kinds = ["disk", "fan", "link", "power", "cache", "parity", "clock", "memory", "bus", "torus"];
    let log: String = (0..400)
        .map(|n| {
            let what = kinds[n % kinds.len()];
            format!(
                "2024-05-01 10:{:02}:{:02} node-{} FATAL {what} unit reports a {what} error of its own\n",
                n / 60,
                n % 60,
                n * 7
            )
        })
        .collect();
    let rendered = within(&log, 180);
    for (n, what) in kinds.iter().enumerate() {
        let line = format!("2024-05-01 10:00:{n:02} node-{} FATAL {what} unit", n * 7);
        assert!(rendered.text.contains(&line), "{line}\n{}", rendered.text);
    }
    assert!(rendered.text.contains(" ×40 until 10:06:"), "{}", rendered.text);
    assert!(rendered.tokens <= 2 * 180 + 40, "{}", rendered.tokens);
}

#[test]
fn a_test_run_is_one_log_and_its_failure_stays() {
    let passed: String =
        (0..200).map(|n| format!("tests/test_a.py::test_ok[{n}] PASSED      [ {:2}%]\n", n / 2)).collect();
    let run = format!(
        "============ test session starts ============\nplatform linux\n\n{passed}tests/test_a.py::test_bad FAILED [100%]\n\n\
         ============ FAILURES ============\n____ test_bad ____\n\n    def test_bad():\n>       assert parse('12x') == 12\n\
         E       ValueError: invalid literal for int()\n\ntests/test_a.py:4: ValueError\n\
         ============ 1 failed, 200 passed in 0.30s ============\n"
    );
    let blocks = content::blocks(&run);
    assert_eq!(blocks.iter().map(|block| block.kind).collect::<Vec<_>>(), [Kind::Log], "{blocks:?}");
    let short = within(&run, Encoding::O200k.count(&run) / 10).text;
    for telling in
        [">       assert parse('12x') == 12", "E       ValueError: invalid literal for int()", "1 failed, 200 passed"]
    {
        assert!(short.contains(telling), "{telling}\n{short}");
    }
}

#[test]
fn an_error_keeps_its_place() {
    let error = |n: usize| {
        format!("error[E0308]: mismatched types\n --> src/lib.rs:{n}:5\n  |\n{n} | let v{n} = read();\n  |\n\n")
    };
    let output: String =
        (1..20).map(|n| format!("   Compiling part{n} v0.1.{n}\n")).chain([error(31), error(47)]).collect();
    let short = within(&output, Encoding::O200k.count(&output) / 5).text;
    assert!(short.contains("src/lib.rs:31:5") && short.contains("src/lib.rs:47:5"), "{short}");
}

#[test]
fn what_a_compiler_quotes_belongs_to_its_message() {
    let output = "warning: unused variable: `w`\n --> src/lib.rs:6:38\n  |\n6 | pub fn c(v: Vec<u32>) -> usize { let w = v; v.len() }\n  |   ^ help\n\n\
                  x.c:3:37: error: too many arguments to function 'f'\n    3 | int g(void){ return f(1,2); }\n      |    ^\n";
    let blocks = content::blocks(output);
    assert_eq!(blocks.iter().map(|block| block.kind).collect::<Vec<_>>(), [Kind::Log], "{blocks:?}");
}
