// SPDX-License-Identifier: GPL-2.0-or-later
//! A test that nobody has seen failing is no test: lab/SEEN.md tells of each what made it fail.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// The names of all tests, as PROGRAM.TEST.
fn tests() -> BTreeSet<String> {
    let script = std::fs::read_to_string(format!("{ROOT}/run_tests.sh")).unwrap();
    let (_, rest) = script.split_once("\nTESTS='\n").unwrap();
    let (list, _) = rest.split_once("\n'\n").unwrap();
    let programs = list.lines().filter_map(|l| l.split_whitespace().next());
    let dir = Path::new(env!("CARGO_BIN_EXE_fork_tree")).parent().unwrap();
    let mut tests = BTreeSet::new();
    for program in programs {
        let out = Command::new(dir.join(program)).arg("-l").output().unwrap();
        assert!(out.status.success(), "{program} -l: {out:?}");
        let names = String::from_utf8(out.stdout).unwrap();
        tests.extend(names.lines().map(|name| format!("{program}.{name}")));
    }
    tests
}

/// The tests that the table names, which have something beside them.
fn seen() -> BTreeSet<String> {
    let text = std::fs::read_to_string(format!("{ROOT}/lab/SEEN.md")).unwrap();
    let mut seen = BTreeSet::new();
    for line in text.lines() {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        if let [_, test, on, _] = cells[..]
            && test.contains('.')
            && !on.is_empty()
        {
            assert!(seen.insert(test.to_owned()), "{test} is there twice");
        }
    }
    seen
}

#[test]
fn every_test_was_seen_failing() {
    let (tests, seen) = (tests(), seen());
    let nobody: Vec<_> = tests.difference(&seen).collect();
    assert!(nobody.is_empty(), "not in lab/SEEN.md: {nobody:?}");
    let gone: Vec<_> = seen.difference(&tests).collect();
    assert!(gone.is_empty(), "in lab/SEEN.md, but no test: {gone:?}");
}

#[test]
fn the_quick_list_names_tests() {
    let text = std::fs::read_to_string(format!("{ROOT}/tests/quick.list")).unwrap();
    let lines = text.lines().filter(|l| !l.starts_with('#'));
    let quick: BTreeSet<String> = lines.map(str::to_owned).collect();
    assert!(!quick.is_empty());
    let tests = tests();
    let gone: Vec<_> = quick.difference(&tests).collect();
    assert!(
        gone.is_empty(),
        "in tests/quick.list, but no test: {gone:?}"
    );
}
