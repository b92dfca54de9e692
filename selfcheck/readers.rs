// SPDX-License-Identifier: GPL-2.0-or-later
//! What is printed, read by the TAP readers that people use: all must count the same.

use crate::script::Script;
use crate::support::{Ended, TempDir, alone, faulty, run, skipped};
use std::path::Path;
use std::process::{Command, Stdio};

/// (results, failed, skipped)
type Counts = (usize, usize, usize);

/// A reader: how to see whether it is installed, how to make it count, how to make it judge.
struct Reader {
    name: &'static str,
    install: &'static str,
    programs: &'static [&'static str],
    there: &'static [&'static str],
    count: fn(&str, &Path) -> Counts,
    judge: &'static [&'static str],
}

const READERS: &[Reader] = &[
    Reader {
        name: "prove",
        install: "Debian: perl",
        programs: &["prove"],
        there: &["--version"],
        count: |_, log| {
            // TAP::Parser is prove's own reader; prove shows no number of skips.
            let script = "open my $f, '<', $ARGV[0]; my $p = TAP::Parser->new({tap => join '', <$f>}); \
                $p->run; die $p->parse_errors if $p->parse_errors; \
                print join ' ', $p->tests_run, scalar $p->failed, scalar $p->skipped";
            numbers(&output("perl", &["-MTAP::Parser", "-e", script], log))
        },
        judge: &["-e", "cat"],
    },
    Reader {
        name: "tap.py",
        install: "Debian: python3-tap; PyPI: tap.py",
        // A Python of one's own may come first in PATH and lack what the distribution installed.
        programs: &["python3", "/usr/bin/python3"],
        there: &["-c", "import tap.main"],
        count: |python, log| {
            let script = "import sys; from tap.parser import Parser\n\
                lines = list(Parser().parse_file(sys.argv[1]))\n\
                tests = [l for l in lines if l.category == 'test']\n\
                assert not [l for l in lines if l.category in ('unknown', 'bail')]\n\
                print(len(tests), sum(not t.ok for t in tests), sum(bool(t.skip) for t in tests))";
            numbers(&output(python, &["-c", script], log))
        },
        judge: &[
            "-c",
            "import sys; from tap.main import main; sys.exit(main(sys.argv))",
        ],
    },
    Reader {
        name: "tap-parser",
        install: "npm: tap-parser",
        programs: &["tap-parser"],
        there: &["--help"],
        count: |program, log| {
            let text = output("sh", &["-c", &format!("exec {program} -j <\"$0\"")], log);
            let events: serde_json::Value = serde_json::from_str(&text).unwrap();
            let complete = events
                .as_array()
                .unwrap()
                .iter()
                .find(|e| e[0] == "complete")
                .unwrap();
            let number = |field: &str| complete[1][field].as_u64().unwrap() as usize;
            (number("count"), number("fail"), number("skip"))
        },
        judge: &[],
    },
];

/// Standard output of `program args... log`.
fn output(program: &str, args: &[&str], log: &Path) -> String {
    let out = Command::new(program).args(args).arg(log).output().unwrap();
    String::from_utf8(out.stdout).unwrap()
}

fn numbers(text: &str) -> Counts {
    // tap.py may say before that it has no YAML.
    let text = text.trim_end().lines().last().unwrap_or("");
    let n: Vec<usize> = text
        .split_ascii_whitespace()
        .map(|w| w.parse().unwrap())
        .collect();
    (n[0], n[1], n[2])
}

impl Reader {
    fn find(&self) -> Option<&'static str> {
        self.programs.iter().copied().find(|program| {
            let mut command = Command::new(program);
            command.args(self.there).stdin(Stdio::null());
            command.stdout(Stdio::null()).stderr(Stdio::null());
            command.status().is_ok_and(|s| s.success())
        })
    }

    /// Its exit status on this log: whether it is content.
    fn content(&self, program: &str, log: &Path) -> bool {
        let mut command = Command::new(program);
        command
            .args(self.judge)
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        if self.judge.is_empty() {
            command.stdin(std::fs::File::open(log).unwrap());
        } else {
            command.arg(log);
        }
        command.status().unwrap().success()
    }
}

/// Every reader counts what we count, and is content exactly when nothing failed.
#[track_caller]
fn all_agree(ended: &Ended) {
    let dir = TempDir::new("readers");
    let log = dir.0.join("log.tap");
    std::fs::write(&log, &ended.stdout).unwrap();
    let ours = ended.tap().counts();
    for reader in READERS {
        let Some(program) = reader.find() else {
            let why = format!("not installed ({})", reader.install);
            assert!(std::env::var_os("CI").is_none(), "{}: {why}", reader.name);
            skipped(&format!("output read by {}", reader.name), &why);
            continue;
        };
        assert_eq!(
            (reader.count)(program, &log),
            ours,
            "{} counts so:\n{}",
            reader.name,
            ended.stdout
        );
        let content = reader.content(program, &log);
        assert_eq!(
            content,
            ours.1 == 0,
            "{} on:\n{}",
            reader.name,
            ended.stdout
        );
    }
}

const GOOD: &[&str] = &[
    "pass",
    "skip",
    "need",
    "diag",
    "fake_result",
    "half_line",
    "destructive",
];
const BAD: &[&str] = &[
    "pass",
    "skip",
    "fail",
    "error",
    "panic",
    "exit_0",
    "hang",
    "fake_result",
    "segfault",
];

#[test]
fn output_of_a_program() {
    let _alone = alone();
    all_agree(&faulty(GOOD));
    let bad: Vec<&str> = ["--timeout-scale", "0.1"]
        .iter()
        .chain(BAD)
        .copied()
        .collect();
    all_agree(&faulty(&bad));
}

#[test]
fn flat_output_of_the_script() {
    let _alone = alone();
    let script = Script::new("flat_readers", &["faulty", "crash"]);
    script.fake("crash", "ok 1 one\n", "kill -KILL $$");
    for list in [GOOD, BAD] {
        let mut args = vec!["--format=flat".to_owned(), "--timeout-scale=0.1".to_owned()];
        args.extend(
            list.iter()
                .flat_map(|t| ["-t".to_owned(), format!("faulty.{t}")]),
        );
        all_agree(&run(|| script.command(&args)));
        args.extend(["-t".to_owned(), "crash.*".to_owned()]);
        all_agree(&run(|| script.command(&args)));
    }
}

/// The outer lines are all that these readers see of the kselftest form.
#[test]
fn kselftest_output_of_the_script() {
    let _alone = alone();
    let script = Script::new("kselftest_readers", &["faulty", "crash"]);
    script.fake("crash", "ok 1 one\n", "kill -KILL $$");
    for (pattern, failed) in [("faulty.pass", 0), ("faulty.fail", 1), ("*.*e*", 2)] {
        let args = ["-t", pattern, "-x", "*wait*", "--timeout-scale", "0.1"];
        let ended = run(|| script.command(&args));
        let outer: String = ended
            .stdout
            .lines()
            .map(|l| l.replace(" selftests: rmap: ", " ") + "\n")
            .collect();
        let counted = crate::support::Tap::parse_loosely(&outer).counts();
        assert_eq!(counted.1, failed, "{}", ended.stdout);
        let dir = TempDir::new("kselftest_log");
        let log = dir.0.join("log.tap");
        std::fs::write(&log, &ended.stdout).unwrap();
        for reader in READERS {
            if let Some(program) = reader.find() {
                assert_eq!((reader.count)(program, &log), counted, "{}", reader.name);
                assert_eq!(
                    reader.content(program, &log),
                    failed == 0,
                    "{}",
                    reader.name
                );
            }
        }
    }
}
