// SPDX-License-Identifier: GPL-2.0-or-later
//! Tests that crash, hang, leak and lie.

use crate::support::{
    TestLine, alone, assert_same, faulty, faulty_command, root, run, skipped, snapshot,
};
use std::time::Duration;

/// Runs one test that must fail, and another that must not notice. Nothing may stay behind.
#[track_caller]
fn fails(name: &str) -> TestLine {
    let before = snapshot();
    let ended = faulty(&[name, "diag", "seed"]);
    let tap = ended.tap();
    assert_eq!((tap.plan, tap.results.len()), (3, 3), "{tap:?}");
    assert_eq!(ended.status, 1);
    assert_same(&before, &snapshot());
    // The file's order, not ours.
    let (bad, good): (Vec<_>, Vec<_>) = tap.results.into_iter().partition(|r| r.name == name);
    assert!(good.iter().all(|r| r.ok), "{good:?}");
    let result = bad.into_iter().next().unwrap();
    assert!(!result.ok, "{result:?}");
    result
}

#[test]
fn panics() {
    let _alone = alone();
    let result = fails("panic");
    assert!(
        result.says("on purpose") && result.says("faulty.rs:"),
        "{result:?}"
    );
    assert!(fails("probe").says("a probe panics"));
}

#[test]
fn child_panics() {
    let _alone = alone();
    assert!(fails("child_panic").says("in a child"));
}

#[test]
fn child_comes_back_as_a_second_harness() {
    let _alone = alone();
    assert!(fails("child_returns").says("returned into the harness"));
}

#[test]
fn crashes() {
    let _alone = alone();
    assert!(fails("segfault").says("without a verdict: killed by SIGSEGV"));
    assert!(fails("kill").says("without a verdict: killed by SIGKILL"));
}

#[test]
fn exits_early() {
    let _alone = alone();
    assert!(fails("exit_0").says("without a verdict: exit status 0"));
}

#[test]
fn hangs() {
    let _alone = alone();
    let before = snapshot();
    for name in ["hang", "hang_in_child"] {
        let ended = faulty(&["--timeout-scale", "0.3", name, "pass"]);
        assert!(ended.time < Duration::from_secs(5), "{ended:?}");
        assert_eq!(ended.status, 1);
        let tap = ended.tap();
        let result = tap.results.iter().find(|r| r.name == name).unwrap();
        assert!(!result.ok && result.directive == "TIMEOUT", "{result:?}");
        assert!(result.says("killed after 0.3 s without a sign of life") && result.says("state S"));
    }
    assert_same(&before, &snapshot());
}

#[test]
fn a_slow_test_is_not_a_stuck_one() {
    let _alone = alone();
    let names = ["steady", "busy_for_ever"];
    let ended = faulty(&["--timeout-scale", "0.3", names[0], names[1]]);
    let tap = ended.tap();
    let [steady, busy] = &tap.results[..] else {
        panic!("{tap:?}")
    };
    assert!(steady.ok, "{steady:?}");
    assert!(!busy.ok && busy.directive == "TIMEOUT", "{busy:?}");
    assert!(
        busy.says("killed at work, but without an end after 1.5 s"),
        "{busy:?}"
    );
}

#[test]
fn limits_are_measured() {
    let _alone = alone();
    for args in [&["pass"][..], &["--timeout-scale=auto", "pass"]] {
        let ended = faulty(args);
        assert!(ended.stdout.contains("(measured)"), "{ended:?}");
    }
    let ended = faulty(&["--timeout-scale", "7", "pass"]);
    assert!(ended.stdout.contains("times 7.0 (asked for)"), "{ended:?}");
}

#[test]
fn no_memory_is_no_failure() {
    let _alone = alone();
    let ended = faulty(&["short_of_memory"]);
    let tap = ended.tap();
    let result = tap.only();
    if result.directive.starts_with("SKIP needs") && !result.directive.contains("OOM") {
        return skipped("the OOM killer in a cgroup", &result.directive);
    }
    assert!(
        result.ok && result.directive.contains("(the OOM killer ended it)"),
        "{tap:?}"
    );
    assert!(result.says("Killed process"), "{tap:?}");
}

#[test]
fn leaks_a_process() {
    let _alone = alone();
    let result = fails("leak_process");
    assert!(result.says("leftover: pid "), "{result:?}");
    assert!(fails("leak_cgroup_member").says("leftover: pid "));
    let tap = faulty(&["leak_zombie"]).tap();
    assert!(tap.only().ok, "a dead process is nothing left: {tap:?}");
}

#[test]
fn leaks_a_zram_device() {
    let _alone = alone();
    if !root() || !std::path::Path::new("/sys/class/zram-control").exists() {
        return skipped("a leaked zram device", "needs root and zram");
    }
    let before = snapshot();
    let result = fails("leak_zram");
    assert!(result.says("leftover: zram"), "{result:?}");
    assert_same(&before, &snapshot());
}

#[test]
fn the_kernel_warns() {
    let _alone = alone();
    if !root() {
        return skipped("a warning in the kernel log", "needs root");
    }
    let result = fails("kernel_warning");
    assert!(
        result.says("kernel log: WARNING: CPU: 0 PID: 1 at selfcheck"),
        "{result:?}"
    );
}

#[test]
fn knobs_are_put_back() {
    let _alone = alone();
    let before = snapshot();
    let ended = faulty(&["knob_set", "knob_kept", "knob_panic"]);
    let tap = ended.tap();
    assert_same(&before, &snapshot());
    let [set, kept, panic] = &tap.results[..] else {
        panic!("{tap:?}")
    };
    assert!(!panic.ok && panic.says("with a knob set"));
    if set.directive.starts_with("SKIP") {
        return skipped("knobs that are set", &set.directive);
    }
    assert!(set.ok && set.says("knob 77"), "{tap:?}");
    assert!(kept.ok && kept.says("knob 78"), "{tap:?}");
}

#[test]
fn the_arena_comes_and_goes() {
    let _alone = alone();
    let before = snapshot();
    let ended = faulty(&["arena", "reclaim"]);
    assert_same(&before, &snapshot());
    let tap = ended.tap();
    assert!(tap.results[0].ok, "{tap:?}");
    if !root() {
        assert!(tap.results[1].directive.starts_with("SKIP "), "{tap:?}");
    }
    if tap.results[1].directive.is_empty() {
        assert!(
            tap.results[0].says("/rmap_selftests."),
            "the test is in the cgroup: {tap:?}"
        );
    }
}

/// What is built as root is tried as an ordinary user too.
#[test]
fn an_ordinary_user() {
    use std::os::unix::fs::PermissionsExt;
    use std::os::unix::process::CommandExt;
    let _alone = alone();
    if !root() {
        return skipped(
            "root becomes an ordinary user",
            "needs root (the other checks run as one now)",
        );
    }
    let dir = crate::support::TempDir::new("user");
    let program = dir.0.join("faulty");
    std::fs::copy(crate::support::FAULTY, &program).unwrap();
    for path in [&dir.0, &program] {
        std::fs::set_permissions(path, PermissionsExt::from_mode(0o755)).unwrap();
    }
    let before = snapshot();
    let ended = run(|| {
        let from = faulty_command(&["pass", "arena", "reclaim", "knob_set", "leak_process"]);
        let mut command = std::process::Command::new(&program);
        command
            .args(from.get_args())
            .uid(65534)
            .gid(65534)
            .current_dir("/");
        command
    });
    assert_same(&before, &snapshot());
    let tap = ended.tap();
    let result = |name: &str| tap.results.iter().find(|r| r.name == name).unwrap();
    assert!(result("pass").ok && result("arena").ok, "{tap:?}");
    assert!(result("reclaim").directive.starts_with("SKIP "), "{tap:?}");
    assert!(result("knob_set").directive.starts_with("SKIP "), "{tap:?}");
    assert!(!result("leak_process").ok, "{tap:?}");
    assert_eq!(ended.status, 1);
}
