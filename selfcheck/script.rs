// SPDX-License-Identifier: GPL-2.0-or-later
//! run_tests.sh, under every shell that is here, with `faulty` and with programs that are worse.

use crate::support::{
    Ended, FAULTY, REPORT, Tap, TempDir, alone, root, run, signal, skipped, start,
};
use std::ffi::OsStr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/run_tests.sh");

/// A copy of the script that has other programs in its list, and a directory of those.
pub struct Script {
    dir: TempDir,
    shell: Vec<&'static str>,
}

impl Script {
    pub fn new(name: &str, programs: &[&str]) -> Script {
        let dir = TempDir::new(name);
        let text = std::fs::read_to_string(SCRIPT).unwrap();
        let (head, rest) = text
            .split_once("\nTESTS='\n")
            .expect("the list of programs");
        let (_, tail) = rest.split_once("\n'\n").unwrap();
        let list: String = programs
            .iter()
            .map(|p| format!("{p}   # a comment\n"))
            .collect();
        let script = Script {
            dir,
            shell: vec!["sh"],
        };
        std::fs::write(script.path(), format!("{head}\nTESTS='\n{list}'\n{tail}")).unwrap();
        executable(&script.path());
        std::fs::create_dir(script.bin()).unwrap();
        std::os::unix::fs::symlink(REPORT, script.bin().join("rmap_report")).unwrap();
        if programs.contains(&"faulty") {
            std::os::unix::fs::symlink(FAULTY, script.bin().join("faulty")).unwrap();
        }
        script
    }

    pub fn path(&self) -> PathBuf {
        self.dir.0.join("run_tests.sh")
    }

    pub fn bin(&self) -> PathBuf {
        self.dir.0.join("bin")
    }

    /// A program with the tests one, two and three, that prints `results` after its plan and then does `end`.
    pub fn fake(&self, name: &str, results: &str, end: &str) {
        let path = self.bin().join(name);
        let text = format!(
            "#!/bin/sh\nfor a; do [ \"$a\" = -l ] && {{ printf 'one\\ntwo\\nthree\\n'; exit 0; }}; done\n\
             printf '%s' 'TAP version 13\n1..3\n{results}'\n{end}\n"
        );
        std::fs::write(&path, text).unwrap();
        executable(&path);
    }

    pub fn command(&self, args: &[impl AsRef<OsStr>]) -> Command {
        let mut command = Command::new(self.shell[0]);
        command.args(&self.shell[1..]).arg(self.path()).args(args);
        command.env_remove("BINDIR").env_remove("KSFT_TAP_LEVEL");
        command
    }

    fn run(&self, args: &[&str]) -> Ended {
        run(|| self.command(args))
    }

    /// The same with every shell that is installed.
    pub fn each_shell(mut self, check: impl Fn(&Script)) {
        for shell in [
            vec!["sh"],
            vec!["dash"],
            vec!["busybox", "sh"],
            vec!["bash", "--posix"],
        ] {
            let found = Command::new(shell[0])
                .args(&shell[1..])
                .args(["-c", "exit 0"])
                .status();
            if !found.is_ok_and(|s| s.success()) {
                skipped("run_tests.sh", &format!("{} is not installed", shell[0]));
                continue;
            }
            self.shell = shell;
            check(&self);
        }
    }
}

pub fn executable(path: &Path) {
    std::fs::set_permissions(path, PermissionsExt::from_mode(0o755)).unwrap();
}

/// The lines that do not begin with '#'.
fn outer(ended: &Ended) -> Vec<&str> {
    ended
        .stdout
        .lines()
        .filter(|l| !l.starts_with('#'))
        .collect()
}

/// The stream of the program, from behind "# ".
fn inner(ended: &Ended) -> Tap {
    let lines = ended.stdout.lines().filter_map(|l| l.strip_prefix("# "));
    let text: String = lines
        .skip_while(|l| *l != "TAP version 13")
        .map(|l| format!("{l}\n"))
        .collect();
    Tap::parse(&text)
}

/// A program that is not in the list would never run, and nobody would notice.
#[test]
fn every_program_is_in_the_list() {
    let script = std::fs::read_to_string(SCRIPT).unwrap();
    let (_, list) = script.split_once("\nTESTS='\n").unwrap();
    let (list, _) = list.split_once("\n'\n").unwrap();
    let mut listed: Vec<&str> = list.lines().filter_map(|l| l.split(' ').next()).collect();
    let manifest = include_str!("../Cargo.toml");
    let bins = manifest
        .split("[[bin]]")
        .skip(1)
        .filter_map(|s| s.split('"').nth(1));
    let mut built: Vec<&str> = bins
        .filter(|b| !["faulty", "rmap_report", "rmap_selftests"].contains(b))
        .collect();
    listed.sort_unstable();
    built.sort_unstable();
    assert_eq!(listed, built);
}

#[test]
fn kselftest_form() {
    let _alone = alone();
    Script::new("kselftest", &["faulty"]).each_shell(|script| {
        let ended = script.run(&["-t", "faulty.pass", "-t", "*.skip"]);
        let head = "TAP version 13\n1..1\n# tests of faulty: pass skip\n# selftests: rmap: faulty\n# TAP version 13\n# 1..2\n# # faulty: ";
        assert!(ended.stdout.starts_with(head), "{ended:?}");
        assert_eq!(outer(&ended), ["TAP version 13", "1..1", "ok 1 selftests: rmap: faulty"]);
        assert_eq!(inner(&ended).counts(), (2, 0, 1));
        assert_eq!((ended.status, ended.stderr.as_str()), (0, ""));

        let ended = script.run(&["-t", "*.skip"]);
        assert_eq!(outer(&ended)[2], "ok 1 selftests: rmap: faulty # SKIP");
        assert_eq!(ended.status, 4);

        let ended = script.run(&["-t", "*.skip", "-t", "*.fail"]);
        assert_eq!(outer(&ended)[2], "not ok 1 selftests: rmap: faulty # exit=1");
        assert_eq!(ended.status, 1);
    });
}

#[test]
fn flat_form() {
    let _alone = alone();
    Script::new("flat", &["faulty", "other"]).each_shell(|script| {
        script.fake(
            "other",
            "ok 1 one\n# why\nnot ok 2 two # TIMEOUT\nok 3 three # SKIP no\n",
            "exit 1",
        );
        let args = [
            "--format",
            "flat",
            "-t",
            "faulty.pass",
            "-t",
            "other.*",
            "-t",
            "faulty.need",
        ];
        let ended = script.run(&args);
        let tap = ended.tap();
        assert_eq!((tap.plan, tap.counts()), (5, (5, 1, 2)), "{tap:?}");
        let names: Vec<&str> = tap.results.iter().map(|r| r.name.as_str()).collect();
        assert_eq!(
            names,
            [
                "faulty.pass",
                "faulty.need",
                "other.one",
                "other.two",
                "other.three"
            ]
        );
        assert_eq!(tap.results[1].directive, "SKIP needs a file");
        assert_eq!(
            (
                tap.results[3].directive.as_str(),
                tap.results[3].says("why")
            ),
            ("TIMEOUT", true)
        );
        assert_eq!(
            tap.tail,
            [
                "exit status of other: 1",
                "Totals: pass:2 fail:1 xfail:0 xpass:0 skip:2 error:0"
            ]
        );
        assert_eq!(ended.status, 1);
    });
}

/// What catches most comes first, and every test has one result of its own name in each form.
#[test]
fn two_rounds() {
    let _alone = alone();
    // Its tests pass: those that it is asked for.
    let program = "#!/bin/sh\n[ \"$1\" = -l ] && { echo one; echo two; exit 0; }\n\
        echo \"TAP version 13\n1..$#\"\nn=0\nfor a; do n=$((n + 1)); echo \"ok $n $a\"; done\n";
    Script::new("two_rounds", &["a", "b"]).each_shell(|script| {
        for name in ["a", "b"] {
            std::fs::write(script.bin().join(name), program).unwrap();
            executable(&script.bin().join(name));
        }
        let list = script.path().with_file_name("quick.list");
        let names = |args: &[&str]| -> Vec<String> {
            let tap = script.run(&[&["--format=flat"], args].concat()).tap();
            tap.results.into_iter().map(|r| r.name).collect()
        };
        let plain = ["a.one", "a.two", "b.one", "b.two"];
        assert_eq!(names(&[]), plain);
        std::fs::write(&list, "# those\nb.two  # first\nnot.there\n").unwrap();
        assert_eq!(names(&[]), ["b.two", "a.one", "a.two", "b.one"]);
        assert_eq!(names(&["-x", "a.two"]), ["b.two", "a.one", "b.one"]);
        assert_eq!(names(&["-x", "b.two"]), plain[..3]);
        for args in [&["--one-round"][..], &["-t", "*"]] {
            assert_eq!(names(args), plain);
        }
        assert_eq!(
            script.run(&["-l"]).stdout.lines().collect::<Vec<_>>(),
            plain
        );
        assert_eq!(
            outer(&script.run(&[]))[1..],
            [
                "1..3",
                "ok 1 selftests: rmap/quick: b",
                "ok 2 selftests: rmap: a",
                "ok 3 selftests: rmap: b"
            ]
        );
        std::fs::write(&list, "# nothing\n").unwrap();
        let ended = script.run(&[]);
        assert!(
            ended.stderr.contains("quick.list: names no test"),
            "{ended:?}"
        );
        assert_eq!((ended.status, ended.stdout.as_str()), (1, ""));
        std::fs::remove_file(&list).unwrap();
    });
}

#[test]
fn programs_that_end_badly() {
    let _alone = alone();
    let flat = |script: &Script| {
        let ended = script.run(&["--format=flat"]);
        assert_eq!(ended.status, 1, "{ended:?}");
        ended.tap()
    };
    let two = "ok 1 one\nok 2 two\n";
    let all = "ok 1 one\nok 2 two\nok 3 three\n";
    Script::new("bad_end", &["x"]).each_shell(|script| {
        // Killed in the middle of a line.
        script.fake("x", "ok 1 one\n# start tw", "kill -KILL $$");
        let tap = flat(script);
        assert_eq!(tap.counts(), (3, 2, 0), "{tap:?}");
        assert!(
            tap.results[1].says("ended with exit status 137 after 1 of 3 results"),
            "{tap:?}"
        );
        let ended = script.run(&[]);
        assert_eq!(outer(&ended)[2], "not ok 1 selftests: rmap: x # exit=137");
        assert_eq!(ended.status, 1);
        // A result is missing, and the exit status denies it.
        script.fake("x", two, "exit 0");
        assert_eq!(flat(script).counts(), (3, 1, 0));
        let ended = script.run(&[]);
        assert_eq!(outer(&ended)[2], "not ok 1 selftests: rmap: x # exit=0");
        assert_eq!(ended.status, 1);
        // Every result is good, but the exit status is not: the last one takes the blame.
        script.fake("x", all, "exit 1");
        let tap = flat(script);
        assert!(
            !tap.results[2].ok && tap.results[2].says("exit status 1"),
            "{tap:?}"
        );
        // More results than tests.
        script.fake("x", &format!("{all}ok 4 four\n"), "exit 0");
        let tap = flat(script);
        assert!(
            !tap.results[2].ok && tap.results[2].says("too many: ok 4 four"),
            "{tap:?}"
        );
        assert_eq!(tap.counts(), (3, 1, 0), "{tap:?}");
        assert_eq!(script.run(&[]).status, 1);
        // The blame falls on a skip.
        script.fake("x", "ok 1 one\nok 2 two\nok 3 three # SKIP no\n", "exit 9");
        let tap = flat(script);
        assert_eq!(tap.counts(), (3, 1, 0), "{tap:?}");
        assert_eq!(
            tap.tail.last().unwrap(),
            "Totals: pass:2 fail:1 xfail:0 xpass:0 skip:0 error:0"
        );
        // Nothing at all.
        script.fake("x", "", "echo oops >&2; exit 1");
        let tap = flat(script);
        assert_eq!(tap.counts(), (3, 3, 0));
        assert!(tap.results[0].says("oops"), "{tap:?}");
    });
}

#[test]
fn list_and_select() {
    let _alone = alone();
    Script::new("list", &["faulty", "x"]).each_shell(|script| {
        script.fake("x", "", "");
        let list = |args: &[&str]| script.run(args).stdout;
        assert!(list(&["-l"]).starts_with("faulty.pass\nfaulty.skip\n"));
        assert!(list(&["-l"]).ends_with("x.one\nx.two\nx.three\n"));
        assert_eq!(
            list(&["-l", "-t", "*.t*", "-x", "x.?wo", "-x", "faulty.*"]),
            "x.three\n"
        );
        script.run(&["-t", "faulty"]).refused("no test matches");
    });
}

#[test]
fn lists_of_tests() {
    let _alone = alone();
    Script::new("lists", &["faulty", "x"]).each_shell(|script| {
        script.fake("x", "", "");
        let file = script.dir.0.join("a list");
        let with = |option: &str, text: &str, more: &[&str]| {
            std::fs::write(&file, text).unwrap();
            script.run(&[&["-l", option, file.to_str().unwrap()], more].concat())
        };
        // Comments, blanks, an end without a newline.
        let text = "# mine\n\nx.t*  # two of them\n\t faulty.pass";
        let all = "faulty.pass\nx.two\nx.three\n";
        assert_eq!(with("-T", text, &[]).stdout, all);
        assert_eq!(
            with("-T", text, &["-t", "x.one", "-x", "?.two"]).stdout,
            "faulty.pass\nx.one\nx.three\n"
        );
        assert_eq!(with("-X", text, &["-t", "x.*"]).stdout, "x.one\n");
        // What is left out need not be there.
        assert_eq!(with("-X", "y.none\nx.t*", &["-t", "x.*"]).stdout, "x.one\n");
        with("-T", "x.one\nx.on", &[]).refused("no test matches x.on");
        with("-T", "x.one\ny.*", &[]).refused("no test matches y.*");
        with("-T", "x.one x.two", &[]).refused("two patterns on a line: x.one x.two");
        with("-X", "# none\n", &[]).refused("names no test");
        script.run(&["-T"]).refused("-T needs a value");
        for option in ["-T", "-X"] {
            for path in ["/nonexistent", "/"] {
                let refusal = format!("{option} {path}: cannot be read");
                script.run(&[option, path]).refused(&refusal);
            }
        }
    });
}

#[test]
fn options_reach_the_programs() {
    let _alone = alone();
    Script::new("options", &["faulty"]).each_shell(|script| {
        let logs = script.dir.0.join("a directory");
        let args = [
            "-t",
            "*.seed",
            "-t",
            "*.destructive",
            "-d",
            "--seed",
            "0x77",
            "-o",
        ];
        let ended = script.run(&[&args[..], &[logs.to_str().unwrap()]].concat());
        let tap = inner(&ended);
        assert!(tap.results[0].says("seed seen 0x77"), "{ended:?}");
        assert_eq!(tap.counts(), (2, 0, 0));
        assert!(logs.join("faulty.seed.log").exists());
        let ended = script.run(&["-t", "*.hang", "--timeout-scale=0.1", "-v"]);
        assert!(
            inner(&ended)
                .only()
                .says("killed after 0.1 s without a sign of life")
        );
    });
}

#[test]
fn bad_input() {
    let _alone = alone();
    Script::new("bad_input", &["faulty"]).each_shell(|script| {
        script.run(&["--bogus"]).refused("unknown option --bogus");
        script.run(&["name"]).refused("unknown option name");
        script.run(&["-t"]).refused("-t needs a value");
        script.run(&["--format", "xml"]).refused("--format xml");
        script.run(&["--seed", "x"]).refused("--seed x");
        script
            .run(&["--timeout-scale=0"])
            .refused("--timeout-scale 0");
        script
            .run(&["-t", "faulty.pass", "-o", "/proc/self"])
            .refused("-o /proc/self");
        let bindir = |dir: &Path| {
            run(|| {
                let mut command = script.command(&["-l"]);
                command.env("BINDIR", dir);
                command
            })
        };
        bindir(Path::new("/nonexistent")).refused("/nonexistent: cannot be read");
        let empty = TempDir::new("empty");
        bindir(&empty.0).refused("faulty: missing");
        std::fs::write(empty.0.join("faulty"), "").unwrap();
        bindir(&empty.0).refused("faulty: not executable");
        assert_eq!(script.run(&["-h"]).status, 0);
    });
}

#[test]
fn a_program_that_cannot_list() {
    let _alone = alone();
    Script::new("no_list", &["x"]).each_shell(|script| {
        std::fs::write(
            script.bin().join("x"),
            "#!/bin/sh\necho broken >&2; exit 1\n",
        )
        .unwrap();
        executable(&script.bin().join("x"));
        script.run(&[]).refused("x -l: broken");
    });
}

#[test]
fn neither_programs_nor_cargo() {
    let _alone = alone();
    let script = Script::new("no_programs", &["faulty"]);
    std::fs::remove_dir_all(script.bin()).unwrap();
    script.run(&[]).refused("no programs");
}

#[test]
fn interrupted() {
    let _alone = alone();
    Script::new("interrupted", &["faulty", "x"]).each_shell(|script| {
        script.fake("x", "", "");
        for form in ["flat", "kselftest"] {
            let before = crate::support::snapshot();
            let mut running =
                start(script.command(&["--format", form, "-t", "faulty.wait*", "-t", "x.*"]));
            if !running.try_until("waiting for a signal") {
                return skipped("an interrupted script", &running.end().stderr);
            }
            signal(running.pid(), "TERM");
            let ended = running.end();
            assert_eq!(ended.status, 128 + 15, "{ended:?}");
            let last = ended.stdout.lines().last().unwrap();
            assert!(last.starts_with("Bail out! interrupted"), "{ended:?}");
            assert!(
                !ended.stdout.contains("x.one"),
                "the run goes on: {ended:?}"
            );
            crate::support::assert_same(&before, &crate::support::snapshot());
        }
    });
}

#[test]
fn one_run_at_a_time() {
    let _alone = alone();
    Script::new("lock", &["faulty"]).each_shell(|script| {
        let state = TempDir::new("state");
        let command = |args: &[&str]| {
            let mut command = script.command(args);
            command.env("RMAP_STATE_DIR", &state.0);
            command
        };
        let mut running = start(command(&["-t", "faulty.wait*"]));
        if !running.try_until("waiting for a signal") {
            return skipped("two scripts", &running.end().stderr);
        }
        start(command(&["-t", "faulty.pass"]))
            .end()
            .refused(&format!("another run (pid {})", running.pid()));
        // A killed script leaves its lock, and its program, which runs on.
        let lock = std::fs::read_dir(&state.0)
            .unwrap()
            .flatten()
            .map(|e| e.path());
        let lock = lock
            .into_iter()
            .find(|p| p.is_dir() && p.join("pid").exists())
            .unwrap();
        let program: u32 = std::fs::read_to_string(lock.join("pid"))
            .unwrap()
            .trim()
            .parse()
            .unwrap();
        signal(running.pid(), "KILL");
        signal(program, "TERM");
        running.end();
        let ended = run(|| command(&["-t", "faulty.pass"]));
        assert_eq!(ended.status, 0, "a lock of the dead: {ended:?}");
        assert!(!lock.exists());
    });
}

#[test]
fn without_a_directory_that_can_be_written() {
    use std::os::unix::process::CommandExt;
    let _alone = alone();
    if !root() {
        return skipped(
            "a read-only current directory as an ordinary user",
            "needs root",
        );
    }
    let script = Script::new("readonly", &["x"]);
    script.fake("x", "ok 1 one\nok 2 two\nok 3 three\n", "exit 0");
    executable(&script.dir.0);
    executable(&script.bin());
    let ended = run(|| {
        let mut command = script.command(&["--format", "flat"]);
        command.current_dir("/proc").uid(65534).gid(65534);
        command
    });
    assert_eq!(
        (ended.status, ended.tap().counts()),
        (0, (3, 0, 0)),
        "{ended:?}"
    );
}
