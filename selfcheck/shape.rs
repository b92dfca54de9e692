// SPDX-License-Identifier: GPL-2.0-or-later
//! The form of the output, and the exit status.

use std::io::{ErrorKind, Read, Seek, SeekFrom};
use std::os::unix::fs::OpenOptionsExt;

use crate::support::{Tap, TempDir, alone, faulty, faulty_command, root, run, skipped, start};

#[test]
fn a_pass() {
    let _alone = alone();
    let ended = faulty(&["pass"]);
    let tap = ended.tap();
    let result = tap.only();
    assert!(result.ok && result.directive.is_empty());
    assert!(result.says("start pass") && result.says("time 0."));
    for part in ["kernel: ", "features: ", "seed 0x"] {
        assert!(result.says(part), "no {part} in the header: {result:?}");
    }
    assert_eq!(
        tap.tail,
        ["Totals: pass:1 fail:0 xfail:0 xpass:0 skip:0 error:0"]
    );
    assert_eq!((ended.status, ended.stderr.as_str()), (0, ""));
}

#[test]
fn a_failure_tells_its_story() {
    let _alone = alone();
    let ended = faulty(&["fail"]);
    let tap = ended.tap();
    let result = tap.only();
    assert!(!result.ok && result.directive.is_empty());
    assert!(
        result.says("faulty.rs:") && result.says("expected 1") && result.says("seen 2 # of them")
    );
    assert!(result.says("property: Nothing is wrong when this fails."));
    assert!(result.says("guards kernel fix 0123456789ab (\"mm/rmap: no such fix\")"));
    assert_eq!(ended.status, 1);
}

#[test]
fn a_skip_has_its_reason() {
    let _alone = alone();
    let ended = faulty(&["skip"]);
    assert_eq!(ended.tap().only().directive, "SKIP needs the moon");
    assert!(ended.tap().only().ok);
    assert_eq!(ended.status, 4, "all skipped");
    let ended = faulty(&["need"]);
    assert_eq!(ended.tap().only().directive, "SKIP needs a file");
    let ended = faulty(&["knob_missing"]);
    assert_eq!(ended.tap().only().directive, "SKIP needs none");
}

#[test]
fn exit_status() {
    let _alone = alone();
    assert_eq!(faulty(&["pass", "skip"]).status, 0, "some skipped");
    assert_eq!(faulty(&["skip", "need"]).status, 4, "all skipped");
    assert_eq!(
        faulty(&["skip", "fail"]).status,
        1,
        "a failure wins over a skip"
    );
    assert_eq!(faulty(&["pass", "error"]).status, 1, "an error is no pass");
}

#[test]
fn destructive_only_when_asked() {
    let _alone = alone();
    let ended = faulty(&["destructive"]);
    assert_eq!(ended.tap().only().directive, "SKIP destructive: needs -d");
    assert_eq!(ended.status, 4);
    let ended = faulty(&["-d", "destructive"]);
    assert!(ended.tap().only().ok && ended.tap().only().directive.is_empty());
}

#[test]
fn diagnostics_stay_diagnostics() {
    let _alone = alone();
    let tap = faulty(&["diag"]).tap();
    assert!(tap.only().says("two \\x1b[31mred"));
    assert!(tap.only().says("ok 1 not_a_result"));
    let tap = faulty(&["fake_result"]).tap();
    assert!(tap.only().says("output: ok 1 forged") && tap.only().says("output: Bail out! forged"));
    let tap = faulty(&["half_line", "pass"]).tap();
    assert!(tap.results[1].says("output: half a line, and the other half"));
}

#[test]
fn a_flood_is_cut() {
    let _alone = alone();
    let tap = faulty(&["flood"]).tap();
    assert!(tap.only().ok);
    assert!(tap.only().says("line 999 ") && !tap.only().says("line 1001 "));
    assert!(tap.only().says("more than that is not shown"));
}

#[test]
fn nested_output_has_no_version() {
    let _alone = alone();
    let ended = run(|| {
        let mut command = faulty_command(&["pass"]);
        command.env("KSFT_TAP_LEVEL", "1");
        command
    });
    assert!(Tap::parse_body(ended.stdout.lines()).only().ok);
}

#[test]
fn seed_is_given_and_taken() {
    let _alone = alone();
    let tap = faulty(&["--seed", "0xabc", "seed"]).tap();
    assert!(tap.only().says("seed 0xabc") && tap.only().says("seed seen 0xabc"));
    let tap = faulty(&["--seed=10", "seed"]).tap();
    assert!(tap.only().says("seed seen 0xa"));
}

#[test]
fn logs() {
    let _alone = alone();
    let dir = TempDir::new("logs");
    let logs = dir.0.join("new/logs");
    faulty(&["-o", logs.to_str().unwrap(), "pass", "fail"]);
    let log = std::fs::read_to_string(logs.join("faulty.fail.log")).unwrap();
    assert!(log.starts_with("# start fail\n"), "{log}");
    assert!(
        log.contains("# failed: ") && log.ends_with("not ok 2 fail\n"),
        "{log}"
    );
    let log = std::fs::read_to_string(logs.join("faulty.pass.log")).unwrap();
    assert!(!log.contains("fail"), "{log}");
}

#[test]
fn the_reader_goes_away() {
    let _alone = alone();
    assert_eq!(start(faulty_command(&["pass", "flood"])).end_unread(), 0);
    assert_eq!(start(faulty_command(&["flood", "fail"])).end_unread(), 1);
}

#[test]
fn steps_are_shown_when_asked_for() {
    let _alone = alone();
    let part = "P: wait for what never comes";
    let ended = faulty(&["-v", "--timeout-scale", "0.5", "hang"]);
    assert!(ended.tap().only().says(part));
    let ended = faulty(&["--timeout-scale", "0.5", "hang"]);
    assert!(
        ended.tap().only().says(&format!("1. {part}")),
        "the last steps of a test that hangs"
    );
}

/// What a machine that dies says last. The kernel drops records of a file that writes many.
#[test]
fn the_kernel_log_names_each_test() {
    let _alone = alone();
    let names = [
        "pass",
        "skip",
        "fail",
        "error",
        "need",
        "probe",
        "diag",
        "half_line",
        "seed",
        "panic",
        "exit_0",
        "segfault",
        "destructive",
        "fake_result",
    ];
    // Read from here on: how often a mark is in the log says nothing where a full log drops its oldest.
    let log = std::fs::OpenOptions::new()
        .read(true)
        .custom_flags(libc::O_NONBLOCK)
        .open("/dev/kmsg")
        .and_then(|mut log| log.seek(SeekFrom::End(0)).map(|_| log));
    let Ok(mut log) = log else {
        return skipped("marks in the kernel log", "it cannot be read");
    };
    let ended = faulty(&names);
    if !root() || ended.stdout.contains("note: the kernel log is not watched") {
        return skipped("marks in the kernel log", "it cannot be written");
    }
    let mut seen = Vec::new();
    let mut record = [0; 16384];
    loop {
        // One read gives one record; at the end of the log it is EAGAIN.
        let bytes = match log.read(&mut record) {
            Ok(bytes) => bytes,
            Err(e) if e.kind() == ErrorKind::WouldBlock => break,
            Err(e) => panic!("/dev/kmsg: {e}"),
        };
        let record = String::from_utf8_lossy(&record[..bytes]);
        let line = record.lines().next().unwrap_or_default();
        if let Some((_, name)) = line.split_once("rmap_selftests: start faulty.") {
            seen.push(name.to_owned());
        }
    }
    let mut expected = names.map(str::to_owned);
    seen.sort_unstable();
    expected.sort_unstable();
    assert_eq!(seen, expected);
}
