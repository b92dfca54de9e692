// SPDX-License-Identifier: GPL-2.0-or-later
//! run_tests.sh when what it has started is killed, or told to end at the same moment as itself.

use crate::script::{Script, executable};
use crate::support::{FAULTY, TempDir, alone, ended_with_env, run, skipped, start};
use std::os::unix::process::CommandExt;

const PASS: &str = "ok 1 one\nok 2 two\nok 3 three\n";

/// The results go on, flat, and it is said that the reports are not whole.
#[test]
fn a_reporter_that_dies() {
    let _alone = alone();
    let script = Script::new("reporter", &["x", "y"]);
    let reporter = script.bin().join("rmap_report");
    std::fs::remove_file(&reporter).unwrap();
    // It reads one line, and goes.
    std::fs::write(&reporter, "#!/bin/sh\nread -r line\nkill -9 $$\n").unwrap();
    executable(&reporter);
    script.each_shell(|script| {
        let state = TempDir::new("reporter-state");
        for name in ["x", "y"] {
            script.fake(name, PASS, "sleep 0.3; exit 0");
        }
        let ended = run(|| {
            let mut command = script.command(&["--format", "kselftest"]);
            command.env("RMAP_STATE_DIR", &state.0);
            command
        });
        assert_eq!(ended.status, 1, "{ended:?}");
        assert!(
            ended.stderr.contains("the reporter has died"),
            "not told: {ended:?}"
        );
        assert!(ended.stdout.contains("y.three"), "no results: {ended:?}");
        assert!(ended.stdout.contains("# Totals: pass:6 "), "{ended:?}");
        let left = std::fs::read_dir(&state.0).unwrap().count();
        assert_eq!(left, 0, "a lock is left: {ended:?}");
    });
}

/// timeout(1) signals the whole group: the program, who waits for it, who reads it, and the script.
#[test]
fn a_signal_to_all() {
    let _alone = alone();
    Script::new("group", &["faulty"]).each_shell(|script| {
        let mut command = script.command(&["--format", "flat", "-t", "faulty.wait*"]);
        command.process_group(0);
        let mut running = start(command);
        if !running.try_until("waiting for a signal") {
            return skipped("a signal to all", &running.end().stderr);
        }
        let since = std::time::Instant::now();
        let group = format!("-{}", running.pid());
        let told = std::process::Command::new("kill")
            .args(["-TERM", "--", &group])
            .status();
        assert!(told.unwrap().success());
        let ended = running.end();
        assert_eq!(ended.status, 128 + 15, "{ended:?}");
        assert!(since.elapsed().as_secs() < 8, "it guessed: {ended:?}");
        let last = ended.stdout.lines().last().unwrap();
        assert!(last.starts_with("Bail out! interrupted"), "{ended:?}");
    });
}

/// Who names a directory for the lock wants that one, and no other.
#[test]
fn a_state_directory_that_is_not_there() {
    let _alone = alone();
    Script::new("nowhere", &["x"]).each_shell(|script| {
        script.fake("x", PASS, "exit 0");
        run(|| {
            let mut command = script.command(&["--format", "flat"]);
            command.env("RMAP_STATE_DIR", "/proc/nowhere");
            command
        })
        .refused("RMAP_STATE_DIR=/proc/nowhere");
    });
    let nowhere = [("RMAP_STATE_DIR", "/proc/nowhere")];
    ended_with_env(FAULTY, &["pass"], &nowhere).refused("RMAP_STATE_DIR: /proc/nowhere/");
}

#[test]
fn a_cpu_that_is_not_there() {
    let _alone = alone();
    for word in ["8191", "-1", "0x1", "one"] {
        let cpu = [("RMAP_CPU", word)];
        ended_with_env(FAULTY, &["pass"], &cpu).refused(&format!("RMAP_CPU={word}: "));
    }
}
