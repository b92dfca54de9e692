// SPDX-License-Identifier: GPL-2.0-or-later
//! A test binary of tests that misbehave, each in one way: what selfcheck runs the supervisor on.
//!
//! It is not a part of the suite and says nothing about the kernel.

use helpers::kernel::zram;
use helpers::supervise::{Ctx, Fix, Knob, Need, Test, WhenMissing, ctx};
use helpers::sys::mem;
use helpers::sys::proc::{self, Forked};
use helpers::{Stop, TestResult};
use std::io::Write;
use std::time::Duration;

/// A knob whose change harms nobody for a second: how long ksmd sleeps.
const KNOB: &str = "/sys/kernel/mm/ksm/sleep_millisecs";

/// Most of the tests here need nothing of the machine.
const PLAIN: Test = Test {
    arena: false,
    timeout: Duration::from_secs(20),
    ..Test::DEFAULT
};

const TESTS: &[Test] = &[
    Test {
        name: "pass",
        about: "Passes.",
        run: |_| Ok(()),
        ..PLAIN
    },
    Test {
        name: "skip",
        run: |_| Err(Stop::Skip("needs the moon")),
        ..PLAIN
    },
    Test {
        name: "fail",
        about: "Nothing is wrong when this fails.",
        guards: &[Fix {
            commit: "0123456789ab",
            subject: "mm/rmap: no such fix",
        }],
        run: |_| Err(Stop::fail("expected 1\nseen 2 # of them")),
        ..PLAIN
    },
    Test {
        name: "error",
        run: |_| Err(Stop::error("no work today")),
        ..PLAIN
    },
    Test {
        name: "need",
        needs: &[Need::File("/no/such/file", "needs a file")],
        ..PLAIN
    },
    Test {
        name: "probe",
        needs: &[Need::Probe(|_| panic!("a probe panics"))],
        ..PLAIN
    },
    Test {
        name: "diag",
        run: diag,
        ..PLAIN
    },
    Test {
        name: "seed",
        run: seed,
        ..PLAIN
    },
    Test {
        name: "panic",
        run: |_| panic!("on purpose"),
        ..PLAIN
    },
    Test {
        name: "child_panic",
        run: child_panic,
        ..PLAIN
    },
    Test {
        name: "child_returns",
        run: child_returns,
        ..PLAIN
    },
    Test {
        name: "segfault",
        run: segfault,
        ..PLAIN
    },
    Test {
        name: "kill",
        run: kill,
        ..PLAIN
    },
    Test {
        name: "exit_0",
        run: |_| proc::exit_now(0),
        ..PLAIN
    },
    Test {
        name: "hang",
        timeout: Duration::from_secs(1),
        run: hang,
        ..PLAIN
    },
    Test {
        name: "hang_in_child",
        timeout: Duration::from_secs(1),
        run: hang_in_child,
        ..PLAIN
    },
    Test {
        name: "steady",
        timeout: Duration::from_secs(1),
        run: |_| slowly(16),
        ..PLAIN
    },
    Test {
        name: "busy_for_ever",
        timeout: Duration::from_secs(1),
        run: |_| slowly(usize::MAX),
        ..PLAIN
    },
    Test {
        name: "short_of_memory",
        needs: &[Need::Reclaim],
        arena: true,
        run: short_of_memory,
        ..PLAIN
    },
    Test {
        name: "leak_process",
        run: leak_process,
        ..PLAIN
    },
    Test {
        name: "leak_zram",
        run: leak_zram,
        ..PLAIN
    },
    Test {
        name: "leak_zombie",
        run: leak_zombie,
        ..PLAIN
    },
    Test {
        name: "half_line",
        run: half_line,
        ..PLAIN
    },
    Test {
        name: "fake_result",
        run: fake_result,
        ..PLAIN
    },
    Test {
        name: "flood",
        run: flood,
        ..PLAIN
    },
    Test {
        name: "kernel_warning",
        run: kernel_warning,
        needs: &[Need::Root],
        ..PLAIN
    },
    Test {
        name: "knob_set",
        knobs: &[Knob {
            path: KNOB,
            value: Some("77"),
            missing: WhenMissing::Skip("needs KSM"),
        }],
        run: |ctx| knob_is(ctx, "77"),
        ..PLAIN
    },
    Test {
        name: "knob_kept",
        knobs: &[Knob {
            path: KNOB,
            value: None,
            missing: WhenMissing::Skip("needs KSM"),
        }],
        run: |ctx| {
            std::fs::write(KNOB, "78")?;
            knob_is(ctx, "78")
        },
        ..PLAIN
    },
    Test {
        name: "knob_panic",
        knobs: &[Knob::set(KNOB, "79")],
        run: |_| panic!("with a knob set"),
        ..PLAIN
    },
    Test {
        name: "knob_missing",
        knobs: &[Knob {
            path: "/sys/none",
            value: None,
            missing: WhenMissing::Skip("needs none"),
        }],
        ..PLAIN
    },
    // A run that stays until it is killed, with all that an arena and a knob change on the machine.
    Test {
        name: "wait_for_signal",
        arena: true,
        timeout: Duration::from_secs(120),
        knobs: &[Knob::set(KNOB, "80")],
        run: wait_for_signal,
        ..PLAIN
    },
    Test {
        name: "arena",
        arena: true,
        run: arena,
        ..PLAIN
    },
    Test {
        name: "reclaim",
        arena: true,
        needs: &[Need::Reclaim],
        run: |_| Ok(()),
        ..PLAIN
    },
    Test {
        name: "leak_cgroup_member",
        arena: true,
        run: leak_process,
        ..PLAIN
    },
    Test {
        name: "destructive",
        destructive: true,
        run: |_| Ok(()),
        ..PLAIN
    },
];

fn diag(ctx: &mut Ctx) -> TestResult {
    ctx.diag("one\ntwo \x1b[31mred\r");
    ctx.diag("ok 1 not_a_result");
    Ok(())
}

fn seed(ctx: &mut Ctx) -> TestResult {
    let seed = ctx.seed;
    ctx.diag(format_args!("seed seen {seed:#x}"));
    Ok(())
}

/// Forks, and gives the child to `f`, which must not return.
fn fork(f: impl FnOnce() -> TestResult) -> TestResult<i32> {
    match proc::fork_child()? {
        Forked::Parent(pid) => Ok(pid),
        Forked::Child => {
            let _ = f();
            proc::exit_now(0)
        }
    }
}

fn wait(pid: i32) -> TestResult {
    // Any wait will do; std has one only for its own children.
    let stat = format!("/proc/{pid}/stat");
    while std::fs::read_to_string(&stat).is_ok_and(|s| !s.contains(") Z")) {
        std::thread::yield_now();
    }
    Ok(())
}

/// The test does not look at how its child ended: the supervisor must.
fn child_panic(_: &mut Ctx) -> TestResult {
    wait(fork(|| panic!("in a child"))?)
}

/// The classic: a forked child that goes on as a second harness.
fn child_returns(_: &mut Ctx) -> TestResult {
    match proc::fork_child()? {
        Forked::Parent(pid) => wait(pid),
        Forked::Child => Ok(()),
    }
}

/// A fault, not only the signal: std's handler for stack overflows swallows the first of those.
fn segfault(_: &mut Ctx) -> TestResult {
    // The first page is never mapped.
    mem::touch_read(16);
    Ok(())
}

fn kill(_: &mut Ctx) -> TestResult {
    std::process::Command::new("sh")
        .args(["-c", "kill -KILL $PPID"])
        .status()?;
    hang_for_ever()
}

fn hang_for_ever() -> ! {
    loop {
        std::thread::sleep(Duration::from_secs(1000));
    }
}

/// Locks more than its cgroup may have.
fn short_of_memory(ctx: &mut Ctx) -> TestResult {
    let dir = &ctx.arena.memcg.as_ref().map_err(|e| Stop::Skip(e))?.dir;
    let files = ["memory.max", "memory.limit_in_bytes"].map(|f| dir.join(f));
    let file = files.iter().find(|f| f.exists());
    std::fs::write(file.ok_or(Stop::Skip("needs a limit"))?, "33554432")?;
    let memory = vec![0u8; 64 << 20];
    mem::mlock(memory.as_ptr() as usize, memory.len(), 0)?;
    Ok(())
}

/// Longer than its limit, but a step now and then.
fn slowly(steps: usize) -> TestResult {
    for i in 0..steps {
        ctx::step(format_args!("P: {i}"));
        std::thread::sleep(Duration::from_millis(50));
    }
    Ok(())
}

fn hang(_: &mut Ctx) -> TestResult {
    ctx::step("P: wait for what never comes");
    hang_for_ever()
}

fn hang_in_child(_: &mut Ctx) -> TestResult {
    fork(|| hang_for_ever())?;
    hang_for_ever()
}

/// A grandchild in a session of its own, its parent dead: no group and no parent to find it by.
fn leak_process(_: &mut Ctx) -> TestResult {
    let pid = fork(|| {
        fork(|| {
            std::process::Command::new("setsid")
                .args(["sleep", "1000"])
                .status()?;
            Ok(())
        })?;
        Ok(())
    })?;
    wait(pid)
}

/// A swap device that the supervisor knows nothing of.
fn leak_zram(ctx: &mut Ctx) -> TestResult {
    zram::available().map_err(Stop::Skip)?;
    let scratch = ctx.arena.scratch.clone().unwrap_or_else(std::env::temp_dir);
    zram::start(zram::hot_add()?, 1 << 20, &scratch)?;
    Ok(())
}

/// A dead child that nobody waited for: nothing is left of it.
fn leak_zombie(_: &mut Ctx) -> TestResult {
    wait(fork(|| Ok(()))?)
}

fn half_line(_: &mut Ctx) -> TestResult {
    std::io::stdout().write_all(b"half a line")?;
    std::io::stdout().flush()?;
    std::io::stderr().write_all(b", and the other half")?;
    Ok(())
}

fn fake_result(_: &mut Ctx) -> TestResult {
    println!("ok 1 forged\n1..1\nBail out! forged\nTAP version 14");
    Ok(())
}

fn flood(_: &mut Ctx) -> TestResult {
    for i in 0..5000 {
        println!("line {i} {}", "x".repeat(200));
    }
    Ok(())
}

fn kernel_warning(_: &mut Ctx) -> TestResult {
    std::fs::write("/dev/kmsg", "<4>WARNING: CPU: 0 PID: 1 at selfcheck\n")?;
    Ok(())
}

fn knob_is(ctx: &mut Ctx, want: &str) -> TestResult {
    let seen = std::fs::read_to_string(KNOB)?;
    ctx.diag(format_args!("knob {}", seen.trim()));
    if seen.trim() == want {
        Ok(())
    } else {
        Err(Stop::fail(format_args!("knob is {seen}")))
    }
}

fn wait_for_signal(ctx: &mut Ctx) -> TestResult {
    // Found by the cgroup it is in, when the supervisor is killed.
    if ctx.arena.memcg.is_ok() {
        fork(|| hang_for_ever())?;
    }
    ctx.diag("waiting for a signal");
    hang_for_ever()
}

fn arena(ctx: &mut Ctx) -> TestResult {
    let memcg = ctx
        .arena
        .memcg
        .as_ref()
        .map(|m| m.dir.display().to_string());
    let swap = ctx
        .arena
        .swap
        .as_ref()
        .map(|s| s.device.display().to_string());
    let text = format!("memcg {memcg:?}, swap {swap:?}, ksm {:?}", ctx.arena.ksm);
    ctx.diag(text);
    ctx.diag(std::fs::read_to_string("/proc/self/cgroup")?);
    Ok(())
}

fn main() {
    helpers::supervise::main("faulty", "tests that misbehave", TESTS)
}
