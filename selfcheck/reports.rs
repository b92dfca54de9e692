// SPDX-License-Identifier: GPL-2.0-or-later
//! What rmap_report makes of the stream: valid, nothing lost, and there whatever happens.

use crate::script::Script;
use crate::support::{Ended, REPORT, TempDir, alone, run, skipped};
use serde_json::Value;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// Is it installed? With CI set it must be.
pub fn validator(what: &str, program: &str, args: &[&str]) -> bool {
    let mut command = Command::new(program);
    command.args(args).stdin(Stdio::null());
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let there = command.status().is_ok_and(|s| s.success());
    if !there {
        let why = format!("not installed ({program})");
        assert!(std::env::var_os("CI").is_none(), "{what}: {why}");
        skipped(what, &why);
    }
    there
}

#[track_caller]
fn succeeds(program: &str, args: &[&str], file: &Path) {
    let out = Command::new(program).args(args).arg(file).output().unwrap();
    let said = String::from_utf8_lossy(&out.stderr);
    let text = std::fs::read_to_string(file).unwrap();
    assert!(out.status.success(), "{program}: {said}\n{text}");
}

#[track_caller]
fn valid_junit(file: &Path) {
    if validator("JUnit against its schema", "xmllint", &["--version"]) {
        let schema = format!("{ROOT}/selfcheck/junit.xsd");
        succeeds(
            "xmllint",
            &["--noout", "--nonet", "--schema", &schema],
            file,
        );
    }
}

#[track_caller]
fn valid_json(file: &Path) {
    let python = "/usr/bin/python3";
    let import = "import jsonschema; jsonschema.Draft202012Validator";
    if validator("JSON against its schema", python, &["-c", import]) {
        let script = "import json, sys, jsonschema\n\
            schema = json.load(open(sys.argv[1]))\n\
            v = jsonschema.Draft202012Validator\n\
            v.check_schema(schema)\n\
            v(schema).validate(json.load(open(sys.argv[2])))";
        let schema = format!("{ROOT}/lab/report.schema.json");
        succeeds(python, &["-c", script, &schema], file);
    }
}

/// Places for all reports, and the options that ask for them.
struct Reports {
    dir: TempDir,
}

impl Reports {
    fn new() -> Reports {
        use std::sync::atomic::{AtomicU32, Ordering};
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        Reports {
            dir: TempDir::new(&format!("written_{number}")),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.0.join(name)
    }

    fn options(&self) -> Vec<String> {
        ["junit", "json", "tap"]
            .iter()
            .flat_map(|o| [format!("--{o}"), self.path(o).to_str().unwrap().into()])
            .collect()
    }

    /// Both are valid, and say the same. The JSON.
    #[track_caller]
    fn read(&self) -> Value {
        valid_junit(&self.path("junit"));
        valid_json(&self.path("json"));
        self.agree()
    }

    #[track_caller]
    fn agree(&self) -> Value {
        let json = std::fs::read_to_string(self.path("json")).unwrap();
        let json: Value = serde_json::from_str(&json).unwrap();
        let xml = std::fs::read_to_string(self.path("junit")).unwrap();
        let count = |word: &str| json["counts"][word].as_u64().unwrap();
        let tags = |tag: &str| xml.matches(tag).count() as u64;
        assert_eq!(tags("<testcase "), count("total"), "{xml}");
        assert_eq!(tags("<skipped "), count("skip"), "{xml}");
        assert_eq!(tags("<failure "), count("fail") + count("timeout"), "{xml}");
        assert_eq!(tags("<error "), count("error"), "{xml}");
        json
    }

    fn results(&self) -> Vec<(String, String, String)> {
        let json = self.agree();
        let programs = json["programs"].as_array().unwrap();
        let tests = programs.iter().flat_map(|p| p["tests"].as_array().unwrap());
        let text = |v: &Value| v.as_str().unwrap_or_default().to_owned();
        tests
            .map(|t| (text(&t["name"]), text(&t["result"]), text(&t["reason"])))
            .collect()
    }
}

/// Gives rmap_report a log.
fn report(args: &[String], log: &str) -> Ended {
    run(|| {
        let dir = TempDir::new("log");
        let path = dir.0.join("log");
        std::fs::write(&path, log).unwrap();
        let mut command = Command::new("sh");
        // The directory is gone when this returns.
        let file = std::fs::read(&path).unwrap();
        let text = String::from_utf8(file).unwrap();
        command.args([
            "-c",
            "log=$1; shift; printf %s \"$log\" | \"$@\"",
            "sh",
            &text,
            REPORT,
        ]);
        command.args(args);
        command
    })
}

const LIST: &[&str] = &[
    "pass",
    "skip",
    "need",
    "fail",
    "error",
    "panic",
    "hang",
    "fake_result",
    "diag",
    "segfault",
];

#[test]
fn all_reports_of_a_run() {
    let _alone = alone();
    Script::new("reports", &["faulty", "crash"]).each_shell(|script| {
        script.fake("crash", "ok 1 one\n# start two\n", "kill -KILL $$");
        for format in ["flat", "kselftest", "lava"] {
            let reports = Reports::new();
            let mut args = reports.options();
            args.extend(
                ["--format", format, "--timeout-scale=0.1", "-t", "crash.*"].map(String::from),
            );
            args.extend(
                LIST.iter()
                    .flat_map(|t| ["-t".to_owned(), format!("faulty.{t}")]),
            );
            let ended = run(|| script.command(&args));
            assert_eq!(ended.status, 1, "{ended:?}");
            let json = reports.read();
            let results = reports.results();
            let of = |name: &str| {
                let one = results.iter().find(|r| r.0 == name).unwrap();
                (one.1.as_str(), one.2.as_str())
            };
            assert_eq!(results.len(), LIST.len() + 3);
            assert_eq!(of("faulty.pass"), ("pass", ""));
            assert_eq!(of("faulty.skip"), ("skip", "needs the moon"));
            assert_eq!(of("faulty.error").0, "error");
            assert_eq!(of("faulty.panic").0, "fail");
            assert_eq!(of("faulty.hang").0, "timeout");
            assert!(of("faulty.fail").1.contains("expected 1"), "{results:?}");
            assert_eq!(of("crash.one").0, "pass");
            let lost = "no result: crash ended with exit status 137 after 1 of 3 results";
            assert_eq!(of("crash.two"), ("error", lost));
            assert_eq!(of("crash.three"), ("error", lost));
            assert_eq!(json["complete"], true);
            assert_eq!(json["programs"][1]["exit_status"], 137);
            let uname = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap();
            assert_eq!(json["system"]["kernel"], uname.trim());
            // The copy of the stream reads the same, here or elsewhere.
            let again = Reports::new();
            let tap = std::fs::read_to_string(reports.path("tap")).unwrap();
            assert_eq!(report(&again.options(), &tap).status, 1);
            assert_eq!(again.results(), results);
            assert_eq!(again.agree()["system"]["config"]["source"], "unknown");
            // And so does what was printed.
            assert_eq!(report(&again.options(), &ended.stdout).status, 1);
            assert_eq!(again.results(), results);
        }
    });
}

#[test]
fn exit_statuses() {
    let _alone = alone();
    Script::new("report_status", &["faulty"]).each_shell(|script| {
        let status = |args: &[&str]| run(|| script.command(args)).status;
        assert_eq!(status(&["-t", "*.pass", "-t", "*.skip"]), 0);
        assert_eq!(status(&["-t", "*.skip", "--format", "lava"]), 4);
        assert_eq!(status(&["-t", "*.skip", "-t", "*.fail"]), 1);
    });
    assert_eq!(report(&[], "no TAP\n").status, 1);
}

#[test]
fn without_the_reporter() {
    let _alone = alone();
    Script::new("no_reporter", &["faulty"]).each_shell(|script| {
        std::fs::remove_file(script.bin().join("rmap_report")).unwrap();
        let ended = run(|| script.command(&["-t", "*.pass", "-t", "*.skip"]));
        assert_eq!((ended.status, ended.tap().counts()), (0, (2, 0, 1)));
        for option in ["--junit", "--json", "--tap"] {
            run(|| script.command(&[option, "/nowhere"])).refused(&format!("{option} needs "));
        }
        run(|| script.command(&["--format", "lava"])).refused("--format lava needs ");
        std::os::unix::fs::symlink(REPORT, script.bin().join("rmap_report")).unwrap();
    });
}

#[test]
fn files_that_cannot_be_written() {
    let _alone = alone();
    Script::new("unwritable", &["faulty"]).each_shell(|script| {
        for option in ["--junit", "--json", "--tap"] {
            for path in ["/proc/no/such", "/", "/nonexistent/x"] {
                run(|| script.command(&["-t", "*.pass", option, path])).refused(option);
            }
            run(|| script.command(&[option])).refused("needs a value");
            run(|| script.command(&[option, ""])).refused("needs a file");
        }
    });
}

/// No report takes the place of the log that it is made of, or of another report.
#[test]
fn files_in_each_others_place() {
    let dir = TempDir::new("same_place");
    let path = |name: &str| dir.0.join(name).to_str().unwrap().to_owned();
    let (log, link) = (path("log"), path("link"));
    let text = "# walks: about\nok 1 a\n1..1\n";
    std::fs::write(&log, text).unwrap();
    std::os::unix::fs::symlink(&log, &link).unwrap();
    std::fs::hard_link(&log, path("hard")).unwrap();
    let shell = |script: &str, option: &str, file: &str, more: &[&str]| {
        run(|| {
            let mut command = Command::new("sh");
            command
                .args(["-c", script, REPORT, option, file])
                .args(more);
            command.env("LOG", &log).current_dir(&dir.0);
            command
        })
    };
    let argument = "exec \"$0\" \"$@\" \"$LOG\"";
    for option in ["--junit", "--json", "--tap"] {
        for file in [log.as_str(), &link, &path("hard"), "log", "./log"] {
            for more in [&[][..], &["--check"]] {
                shell(argument, option, file, more).refused(option);
            }
            shell("exec \"$0\" \"$@\" <\"$LOG\"", option, file, &[]).refused(option);
            assert_eq!(std::fs::read_to_string(&log).unwrap(), text);
        }
        let next = if option == "--json" {
            "--tap"
        } else {
            "--json"
        };
        for (one, other) in [("new", "./new"), ("log", "link")] {
            let none = "exec \"$0\" \"$@\" </dev/null";
            shell(none, option, one, &[next, other]).refused(option);
            assert!(!Path::new(&path("new")).exists());
        }
    }
    assert_eq!(std::fs::read_to_string(&log).unwrap(), text);
    // Nothing is lost in a device.
    let more = ["--json", "/dev/null", "--tap", "/dev/null"];
    let ended = shell(argument, "--junit", "/dev/null", &more);
    assert_eq!(ended.status, 0, "{ended:?}");
}

/// To see whether a pipe can be written would send its reader away.
#[test]
fn a_pipe_is_not_tried() {
    let dir = TempDir::new("tried");
    for option in ["--tap", "--json", "--junit"] {
        let ended = run(|| {
            let script = "rm -f pipe; mkfifo pipe || exit 9; cat pipe >got & \
                timeout 20 \"$0\" --check \"$1\" pipe || exit 8; sleep 0.5; \
                printf '# walks: about\\nok 1 a\\n1..1\\n' | timeout 20 \"$0\" \"$1\" pipe || exit 7; wait";
            let mut command = Command::new("sh");
            command
                .args(["-c", script, REPORT, option])
                .current_dir(&dir.0);
            command
        });
        assert_eq!(ended.status, 0, "{option}: {ended:?}");
        let got = std::fs::read_to_string(dir.0.join("got")).unwrap();
        assert!(got.contains("walks"), "{option}: {got}");
    }
    // Nor is anything left of what was only tried.
    let tap = dir.0.join("tap");
    let args = ["--check", "--tap", tap.to_str().unwrap()].map(String::from);
    assert_eq!(report(&args, "").status, 0);
    assert!(!tap.exists());
    std::fs::write(&tap, "old").unwrap();
    assert_eq!(report(&args, "").status, 0);
    assert_eq!(std::fs::read_to_string(&tap).unwrap(), "old");
}

/// One that cannot be written after all fails the run.
#[test]
fn a_full_disk() {
    let _alone = alone();
    if !Path::new("/dev/full").exists() {
        return skipped("reports to a full disk", "no /dev/full");
    }
    let script = Script::new("full", &["faulty"]);
    for option in ["--junit", "--json", "--tap"] {
        let ended = run(|| script.command(&["-t", "*.pass", option, "/dev/full"]));
        assert_eq!(ended.status, 1, "{ended:?}");
        assert!(ended.stderr.contains(option), "{ended:?}");
    }
}

/// The machine dies in the middle of a test: what was written by then says so, and so does the log.
#[test]
fn a_machine_that_dies() {
    let _alone = alone();
    let script = Script::new("dies", &["x", "y"]);
    let reports = Reports::new();
    // The whole session at once: nobody is left to say anything.
    script.fake(
        "x",
        "ok 1 one\n# start two\n",
        "sleep 1; kill -KILL -$(ps -o pgid= $$ | tr -d ' ')",
    );
    script.fake("y", "", "");
    run(|| {
        let mut command = Command::new("setsid");
        command
            .arg("-w")
            .arg("sh")
            .arg(script.path())
            .args(reports.options());
        command
    });
    let results = reports.results();
    assert_eq!(results.len(), 6, "{results:?}");
    assert!(
        results
            .iter()
            .all(|r| r.1 == "error" && r.2 == "no result: the run was not over")
    );
    assert_eq!(reports.read()["complete"], false);
    let tap = std::fs::read_to_string(reports.path("tap")).unwrap();
    assert!(tap.ends_with("# start two\n"), "{tap}");
    let again = Reports::new();
    assert_eq!(report(&again.options(), &tap).status, 1);
    let results = again.results();
    let lost = |r: &(String, String, String)| r.2.starts_with("no result");
    assert_eq!(results.iter().filter(|r| lost(r)).count(), 5);
    assert!(results[1].2.contains("it was running"), "{results:?}");
}

/// A serial console's log: messages of the kernel between and within the lines.
#[test]
fn a_log_of_a_serial_console() {
    let _alone = alone();
    let script = Script::new("console", &["faulty"]);
    for format in ["flat", "kselftest", "lava"] {
        let args = [
            "--format", format, "-t", "*.pass", "-t", "*.skip", "-t", "*.fail", "-t", "*.diag",
        ];
        let ended = run(|| script.command(&args));
        let clean = Reports::new();
        report(&clean.options(), &ended.stdout);
        for at in 1..12 {
            let mut log = String::new();
            for (i, line) in ended.stdout.lines().enumerate() {
                let torn = ["ok ", "failed: ", "start "]
                    .iter()
                    .any(|w| line.contains(w));
                let at = if torn { at.min(line.len()) } else { line.len() };
                log += &line[..at];
                if torn || i % 3 == 0 {
                    log += "[   12.345678] zram0: detected capacity change\r\n[   12.345679] x\r\n";
                }
                log += &line[at..];
                log += "\r\n";
            }
            let dirty = Reports::new();
            report(&dirty.options(), &log);
            assert_eq!(dirty.results(), clean.results(), "{log}");
        }
    }
}

/// Characters that XML forbids, and no reason where the JSON's schema wants one.
#[test]
fn a_log_with_anything_in_it() {
    let log = "# walks: about\n# failed: \u{fffe}, \u{ffff}, \u{1b}[31mred\u{1b}[m, \u{1}\tx\n\
        not ok 1 a\nok 2 b # SKIP\n# failed: \nnot ok 3 c\nok 4 d\n1..4\n";
    let reports = Reports::new();
    assert_eq!(report(&reports.options(), log).status, 1);
    reports.read();
    let results = reports.results();
    let reasons: Vec<&str> = results.iter().map(|r| r.2.as_str()).collect();
    let none = "no reason given";
    let odd = "\u{fffd}, \u{fffd}, \u{fffd}[31mred\u{fffd}[m, \u{fffd} x";
    assert_eq!(reasons, [odd, none, none, ""]);
    let xml = std::fs::read_to_string(reports.path("junit")).unwrap();
    assert!(xml.contains(&format!("message=\"{odd}\"")), "{xml}");
}

/// LAVA's helpers are called where they are; without them the signals are printed. No test is lost or renamed.
#[test]
fn signals_for_lava() {
    let _alone = alone();
    let script = Script::new("lava", &["faulty"]);
    let args = [
        "--format", "lava", "-t", "*.pass", "-t", "*.skip", "-t", "*.fail",
    ];
    let signals = |ended: &Ended| -> Vec<String> {
        let all = ended
            .stdout
            .lines()
            .filter(|l| l.starts_with("<LAVA_SIGNAL_"));
        all.map(|l| l.split(" MEASUREMENT").next().unwrap().to_owned())
            .collect()
    };
    let ended = run(|| script.command(&args));
    let printed = [
        "<LAVA_SIGNAL_TESTSET START faulty>",
        "<LAVA_SIGNAL_STARTTC faulty.pass>",
        "<LAVA_SIGNAL_ENDTC faulty.pass>",
        "<LAVA_SIGNAL_TESTCASE TEST_CASE_ID=faulty.pass RESULT=pass",
        "<LAVA_SIGNAL_STARTTC faulty.skip>",
        "<LAVA_SIGNAL_ENDTC faulty.skip>",
        "<LAVA_SIGNAL_TESTCASE TEST_CASE_ID=faulty.skip RESULT=skip",
        "<LAVA_SIGNAL_STARTTC faulty.fail>",
        "<LAVA_SIGNAL_ENDTC faulty.fail>",
        "<LAVA_SIGNAL_TESTCASE TEST_CASE_ID=faulty.fail RESULT=fail",
        "<LAVA_SIGNAL_TESTSET STOP>",
    ];
    assert_eq!(signals(&ended), printed);
    assert_eq!(ended.status, 1);

    let helpers = TempDir::new("lava_helpers");
    let called = helpers.0.join("called");
    for name in ["lava-test-case", "lava-test-set"] {
        let path = helpers.0.join(name);
        let mut file = std::fs::File::create(&path).unwrap();
        writeln!(
            file,
            "#!/bin/sh\necho \"$*\" >>{}\necho $PPID >/dev/null",
            called.display()
        )
        .unwrap();
        crate::script::executable(&path);
    }
    let path = format!("{}:{}", helpers.0.display(), std::env::var("PATH").unwrap());
    let ended = run(|| {
        let mut command = script.command(&args);
        command.env("PATH", &path);
        command
    });
    assert!(
        signals(&ended).iter().all(|s| s.contains("TC faulty.")),
        "{ended:?}"
    );
    let called = std::fs::read_to_string(&called).unwrap();
    let called: Vec<&str> = called
        .lines()
        .map(|l| l.split(" --measurement").next().unwrap())
        .collect();
    assert_eq!(
        called,
        [
            "start faulty",
            "faulty.pass --result pass",
            "faulty.skip --result skip",
            "faulty.fail --result fail",
            "stop"
        ]
    );
}
