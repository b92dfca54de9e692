// SPDX-License-Identifier: GPL-2.0-or-later
//! A run that is ended from outside: the machine is put back, by itself or by the next run.

use crate::support::{
    Running, alone, assert_same, faulty, faulty_command, signal, skipped, snapshot, snapshot_now,
    start,
};
use std::time::Duration;

/// A run that has changed what it can, and waits.
fn waiting() -> Running {
    for _ in 0..100 {
        let mut running = start(faulty_command(&["wait_for_signal", "pass"]));
        if running.try_until("waiting for a signal") {
            return running;
        }
        // Another run on this machine, not ours.
        assert!(running.end().stderr.contains("another run"));
        std::thread::sleep(Duration::from_millis(300));
    }
    panic!("another run does not end");
}

#[test]
fn a_signal_ends_the_run_in_order() {
    let _alone = alone();
    for (name, number) in [("INT", 2), ("TERM", 15), ("HUP", 1)] {
        if ignored(number) {
            skipped(
                "a run that is interrupted",
                &format!("SIG{name} is ignored here"),
            );
            continue;
        }
        let before = snapshot();
        let running = waiting();
        signal(running.pid(), name);
        let ended = running.end();
        assert_eq!(ended.status, 128 + number, "{ended:?}");
        assert_same(&before, &snapshot());
        let tap = ended.tap();
        assert_eq!(tap.bailed_out, Some(format!("interrupted by SIG{name}")));
        assert!(tap.results.iter().all(|r| r.name == "pass"), "{tap:?}");
    }
}

/// Whether this process, and so its children, was started with a signal ignored.
fn ignored(number: i32) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let mask = status
        .lines()
        .find_map(|l| l.strip_prefix("SigIgn:"))
        .unwrap();
    u64::from_str_radix(mask.trim(), 16).unwrap() >> (number - 1) & 1 != 0
}

#[test]
fn the_next_run_repairs_after_a_kill() {
    let _alone = alone();
    let before = snapshot();
    let running = waiting();
    let during = snapshot_now();
    signal(running.pid(), "KILL");
    assert_eq!(running.end().status, 128 + 9);
    let ended = faulty(&["pass"]);
    assert_eq!(ended.status, 0, "{ended:?}");
    assert_same(&before, &snapshot());
    let tap = ended.tap();
    let repaired = tap
        .only()
        .diag
        .iter()
        .filter(|l| l.starts_with("repaired: "))
        .count();
    let changed = during
        .iter()
        .filter(|(k, v)| k.starts_with("/sys/kernel/mm/ksm") && before.get(*k) != Some(*v))
        .count();
    // Everything that was seen to be changed is named.
    assert!(repaired >= changed, "{changed} changed, {tap:?}");
    assert!(!tap.only().says("not repaired"), "{tap:?}");
    let again = faulty(&["pass"]).tap();
    assert!(!again.only().says("repaired"), "once is enough: {again:?}");
}

#[test]
fn a_second_run_is_refused() {
    let _alone = alone();
    let running = waiting();
    let second = start(faulty_command(&["pass"])).end();
    second.refused(&format!("another run (pid {})", running.pid()));
    // Listing disturbs nobody.
    assert_eq!(start(faulty_command(&["-l"])).end().status, 0);
    signal(running.pid(), "TERM");
    running.end();
    assert_eq!(faulty(&["pass"]).status, 0);
}
