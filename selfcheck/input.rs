// SPDX-License-Identifier: GPL-2.0-or-later
//! Command lines, good and bad.

use crate::support::{TempDir, alone, faulty};

#[test]
fn list() {
    let _alone = alone();
    let ended = faulty(&["-l"]);
    assert_eq!(ended.status, 0);
    assert!(ended.stdout.starts_with("pass\nskip\n"));
    assert!(ended.stdout.lines().all(|l| !l.contains(' ')));
    assert_eq!(
        faulty(&["--list", "-t", "knob*", "-x", "*_??t"]).stdout,
        "knob_kept\nknob_panic\nknob_missing\n"
    );
}

#[test]
fn help() {
    let _alone = alone();
    let ended = faulty(&["-h"]);
    assert_eq!((ended.status, ended.stderr.as_str()), (0, ""));
    for part in ["-t PATTERN", "--timeout-scale N", "Exit status"] {
        assert!(ended.stdout.contains(part));
    }
}

#[test]
fn bad_input_is_one_line_and_exit_1() {
    let _alone = alone();
    faulty(&["--no-such-option"]).refused("--no-such-option");
    faulty(&["-q"]).refused("-q");
    faulty(&["no.such.test"]).refused("no test is called no.such.test");
    faulty(&["-t", "zzz*"]).refused("no test matches");
    faulty(&["pass", "-x", "*"]).refused("no test matches");
    faulty(&["-t"]).refused("-t");
    for bad in ["", "x", "-1", "0xg", "1 2"] {
        faulty(&["--seed", bad, "pass"]).refused("--seed");
    }
    for bad in ["", "x", "0", "-1", "inf", "nan", "1e99"] {
        faulty(&["--timeout-scale", bad, "pass"]).refused("--timeout-scale");
    }
}

#[test]
fn a_directory_for_logs_that_is_none() {
    let _alone = alone();
    let dir = TempDir::new("nologs");
    let file = dir.0.join("file");
    std::fs::write(&file, "").unwrap();
    faulty(&["-o", file.to_str().unwrap(), "pass"]).refused("-o ");
    faulty(&["-o", file.join("below").to_str().unwrap(), "pass"]).refused("-o ");
    // Refuses even root.
    faulty(&["-o", "/proc/self", "pass"]).refused("-o ");
}
