// SPDX-License-Identifier: GPL-2.0-or-later
//! One test from its start line to its result line.

use super::child;
use super::ctx::{Message, Verdict};
use super::descend::{self, Reaper};
use super::kmsg;
use super::pump::Pump;
use super::tap::Outcome;
use super::watch::Watch;
use super::{Supervisor, Test, knob, undo};
use crate::actor;
use crate::kernel::{sysfs, zram};
use crate::sys::proc::{self, Forked};
use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::WaitStatus;
use nix::unistd::{Pid, pipe2};
use std::collections::VecDeque;
use std::fs::File;
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

/// SIGKILL that did not work for this long will not work.
const KILL_LIMIT: Duration = Duration::from_secs(10);
/// Lines of output that one test may put into the result stream.
const MOST_OUTPUT: usize = 1000;
/// Steps shown of a test that cannot tell its own story.
const LAST_STEPS: usize = 60;

/// What is known of the running test.
#[derive(Default)]
struct Story {
    verdict: Option<Verdict>,
    panics: Vec<String>,
    steps: VecDeque<String>,
    steps_dropped: usize,
    output_lines: usize,
}

/// Runs `test` and prints everything about it. `None`: a signal ended the run, no result was printed.
pub(crate) fn run_test(sup: &mut Supervisor, test: &Test) -> Option<Outcome> {
    let log = open_log(sup, test);
    sup.tap.log_to(log);
    sup.tap.diag(&format!("start {}", test.name));
    sup.between_tests();
    sup.kmsg.mark(sup.suite, test.name);
    let taint = kmsg::taint();
    let started = Instant::now();

    if test.destructive && !sup.options.destructive {
        let outcome = Outcome::Skip("destructive: needs -d".to_owned());
        sup.tap.result(test.name, &outcome);
        sup.tap.log_to(None);
        return Some(outcome);
    }
    let mark = sup.changes.len();
    let zrams = undo::zrams();
    let mut wrong: Vec<String> = Vec::new();
    let Ending {
        mut outcome,
        interrupted,
        killed,
    } = match knob::apply(&mut sup.changes, test.knobs) {
        Ok(missing) => in_process(sup, test, missing, &mut wrong),
        Err(text) => Ending::error(sup, &text),
    };
    for left in sup.changes.undo_to(mark) {
        wrong.push(format!("leftover: {left}"));
    }
    wrong.extend(remove_zrams(&zrams));
    if interrupted {
        for text in wrong {
            sup.tap.diag(&text);
        }
        return None;
    }

    let log = sup.kmsg.read();
    for line in &log.noted {
        sup.tap.diag(&format!("kernel log (not judged): {line}"));
    }
    for line in &log.judged {
        wrong.push(format!("kernel log: {line}"));
    }
    let new_taint = kmsg::taint() & !taint & kmsg::JUDGED_TAINT;
    if new_taint != 0 {
        wrong.push(format!(
            "the kernel is tainted now: {}",
            kmsg::taint_names(new_taint)
        ));
    }
    if killed && wrong.is_empty() && kmsg::oom_took(&log.noted, &own_name()) {
        // The memory was not there: nothing has been judged. Who killed it is in the log line above.
        outcome = Outcome::Skip("needs more memory (the OOM killer ended it)".to_owned());
    }
    for text in &wrong {
        sup.tap.diag(text);
    }
    if !wrong.is_empty() && !matches!(outcome, Outcome::Timeout | Outcome::Error) {
        outcome = Outcome::Fail;
    }
    if matches!(outcome, Outcome::Fail | Outcome::Timeout | Outcome::Error) {
        explain(sup, test);
    }
    sup.tap
        .diag(&format!("time {:.3} s", started.elapsed().as_secs_f64()));
    sup.tap.result(test.name, &outcome);
    sup.tap.log_to(None);
    Some(outcome)
}

/// Removes the zram devices with swap of ours that a test made behind the supervisor's back. A stranger's device has a size
/// of its own or none yet, and not our label.
fn remove_zrams(before: &[u32]) -> Vec<String> {
    let is_sized = |id: &u32| {
        sysfs::read_u64(format!("/sys/block/zram{id}/disksize")).is_ok_and(|size| size != 0)
    };
    let new = undo::zrams().into_iter().filter(|id| !before.contains(id));
    new.filter(is_sized)
        .filter_map(|id| match zram::stop(id) {
            Ok(()) => Some(format!("leftover: zram{id} removed")),
            Err(e) if e.kind() == std::io::ErrorKind::PermissionDenied => None,
            Err(e) => Some(format!("leftover: zram{id} cannot be removed: {e}")),
        })
        .collect()
}

fn open_log(sup: &mut Supervisor, test: &Test) -> Option<File> {
    let path = sup
        .options
        .logs
        .as_ref()?
        .join(format!("{}.{}.log", sup.suite, test.name));
    match File::create(&path) {
        Ok(file) => Some(file),
        Err(e) => {
            sup.tap.diag(&format!("no log {}: {e}", path.display()));
            None
        }
    }
}

/// What a reader of a failure needs to know about the test itself.
fn explain(sup: &mut Supervisor, test: &Test) {
    if !test.about.is_empty() {
        sup.tap.diag(&format!("property: {}", test.about));
    }
    for fix in test.guards {
        sup.tap.diag(&format!(
            "this test guards kernel fix {} (\"{}\")",
            fix.commit, fix.subject
        ));
    }
}

/// How a test's process ended.
struct Ending {
    outcome: Outcome,
    /// A signal ended the run.
    interrupted: bool,
    /// The test fails because somebody sent SIGKILL to one of its processes.
    killed: bool,
}

impl Ending {
    /// The test could not begin.
    fn error(sup: &mut Supervisor, text: &str) -> Ending {
        sup.tap.diag(&format!("error: {text}"));
        Ending {
            outcome: Outcome::Error,
            interrupted: false,
            killed: false,
        }
    }
}

/// What the kernel calls the processes of this program.
fn own_name() -> String {
    let name = sysfs::read("/proc/self/comm").unwrap_or_default();
    name.trim_end().to_owned()
}

/// Forks the test's process, follows it to its end and clears away what it left.
fn in_process(
    sup: &mut Supervisor,
    test: &Test,
    knob_missing: Option<&'static str>,
    wrong: &mut Vec<String>,
) -> Ending {
    let mut story = Story::default();
    let (pid, mut ears) = match spawn(sup, test, knob_missing) {
        Ok(started) => started,
        Err(text) => return Ending::error(sup, &text),
    };
    let mut watch = Watch::new(test.timeout);
    let mut reaper = Reaper {
        wanted: pid,
        ..Reaper::default()
    };
    let mut given_up = None;
    while reaper.status.is_none() && sup.signals.ended_by.is_none() && given_up.is_none() {
        if wait_for_any(sup, &mut ears, watch.left(), &mut story) {
            watch.heard();
        }
        reaper.reap();
        given_up = watch.over();
    }
    let timed_out = given_up.is_some();
    let interrupted = sup.signals.ended_by.is_some();
    if let Some(why) = given_up {
        sup.tap.diag(&format!("killed {why}; at that time:"));
        for p in descend::descendants(std::process::id() as i32)
            .iter()
            .take(16)
        {
            sup.tap.diag(&p.whereabouts());
        }
    }
    // The group first, at once: what forks all the time would win a race against a list of PIDs.
    // (Not when its leader is reaped and nobody is left: the number might be another's by now.)
    if reaper.status.is_none() {
        let _ = kill(Pid::from_raw(-pid), Signal::SIGKILL);
    }
    let own_end = reaper.status;
    let ended = descend::end_all(&mut reaper, &mut sup.signals, &sup.given_up, KILL_LIMIT);
    for line in ears.steps.drain(1 << 24) {
        hear(sup, &line, &mut story);
    }
    for line in ears.report.drain(1 << 24) {
        hear(sup, &line, &mut story);
    }
    for line in ears.output.drain(1 << 20) {
        echo(sup, &line, &mut story);
    }

    let outcome = if timed_out {
        Outcome::Timeout
    } else {
        conclude(sup, own_end, pid, &mut story)
    };
    if !matches!(
        (&outcome, &story.verdict),
        (Outcome::Pass | Outcome::Skip(_), _) | (_, Some(Verdict::Fail(_) | Verdict::Error(_)))
    ) {
        last_steps(sup, &story);
    }
    // After a crash or a kill, what is left is only collateral.
    let orderly = story.verdict.is_some() && story.panics.is_empty() && !timed_out && !interrupted;
    for p in ended.killed.iter().filter(|p| p.pid != pid) {
        let text = format!("leftover: pid {} ({}) killed", p.pid, p.comm);
        if orderly {
            wrong.push(text)
        } else {
            sup.tap.diag(&text)
        }
    }
    for p in ended.stuck {
        wrong.push(format!("leftover: cannot be killed: {}", p.whereabouts()));
        sup.given_up.insert(p.pid);
    }
    for (pid, signal) in reaper.crashed {
        let text = format!("leftover: pid {pid} was killed by {signal}, and nobody waited for it");
        if orderly {
            wrong.push(text)
        } else {
            sup.tap.diag(&text)
        }
    }
    let by_sigkill = match (&story.verdict, own_end) {
        (Some(Verdict::Fail(text)), _) => text.contains(actor::channel::KILLED),
        (None, Some(Ok(WaitStatus::Signaled(_, Signal::SIGKILL, _)))) => true,
        _ => false,
    };
    Ending {
        killed: by_sigkill && !timed_out && story.panics.is_empty(),
        outcome,
        interrupted: interrupted || sup.signals.ended_by.is_some(),
    }
}

/// What the supervisor hears of a test.
struct Ears {
    report: Pump,
    /// Nobody is woken for these.
    steps: Pump,
    output: Pump,
}

/// Forks, puts the process where it belongs, and releases it.
fn spawn(
    sup: &mut Supervisor,
    test: &Test,
    knob_missing: Option<&'static str>,
) -> Result<(i32, Ears), String> {
    let pipes = || -> nix::Result<_> {
        let report = pipe2(OFlag::O_CLOEXEC)?;
        let steps = pipe2(OFlag::O_CLOEXEC | OFlag::O_NONBLOCK)?;
        let output = pipe2(OFlag::O_CLOEXEC)?;
        Ok((report, steps, output, pipe2(OFlag::O_CLOEXEC)?))
    };
    let ((report_r, report_w), (steps_r, steps_w), (output_r, output_w), (go_r, go_w)) =
        pipes().map_err(|e| format!("pipe: {e}"))?;
    // Only our ends: a test that prints quickly must wait, not lose lines.
    for fd in [&report_r, &output_r] {
        nonblocking(fd).map_err(|e| format!("fcntl: {e}"))?;
    }
    let parent = std::process::id() as i32;
    // The kernel chooses a CPU for the child, and the child takes this process along.
    let _ = proc::roam();
    let pid = match proc::fork_child().map_err(|e| format!("fork: {e}"))? {
        Forked::Child => child::run(child::Start {
            test,
            arena: &sup.arena,
            knob_missing,
            seed: sup.seed,
            verbose: sup.options.verbose,
            parent,
            cpu: sup.cpu,
            go: go_r,
            report: Some(report_w),
            steps: (!sup.options.verbose).then_some(steps_w),
            output: output_w,
            signals: &sup.signals,
        }),
        Forked::Parent(pid) => pid,
    };
    drop((go_r, report_w, steps_w, output_w));
    if let (true, Ok(memcg)) = (test.arena, &sup.arena.memcg)
        && let Err(e) = memcg.add(pid)
    {
        // The process ends when go_w closes.
        return Err(format!("{} into {}: {e}", pid, memcg.dir.display()));
    }
    let _ = nix::unistd::write(&go_w, b"!");
    let ears = Ears {
        report: Pump::new(report_r, 1 << 24),
        steps: Pump::new(steps_r, 1 << 24),
        output: Pump::new(output_r, 8192),
    };
    Ok((pid, ears))
}

fn nonblocking(fd: &OwnedFd) -> nix::Result<()> {
    use nix::fcntl::{FcntlArg, fcntl};
    fcntl(fd, FcntlArg::F_SETFL(OFlag::O_NONBLOCK)).map(drop)
}

/// One round: waits until something happens, and takes it in. Whether the test said something.
fn wait_for_any(sup: &mut Supervisor, ears: &mut Ears, left: Duration, story: &mut Story) -> bool {
    let limit = PollTimeout::try_from(left + Duration::from_millis(1)).unwrap_or(PollTimeout::MAX);
    let (report_ready, output_ready) = {
        let mut fds = vec![PollFd::new(sup.signals.fd(), PollFlags::POLLIN)];
        // At its end a pipe is always ready: it would make this loop spin.
        for pump in [&ears.report, &ears.output] {
            if !pump.ended {
                fds.push(PollFd::new(pump.fd(), PollFlags::POLLIN));
            }
        }
        match poll(&mut fds, limit) {
            Ok(0) | Err(Errno::EINTR) => return false,
            _ => (!ears.report.ended, !ears.output.ended),
        }
    };
    sup.signals.read();
    // In front of the report, where a step goes that this pipe was too full for.
    for line in ears.steps.read() {
        hear(sup, &line, story);
    }
    let mut said = false;
    if report_ready {
        for line in ears.report.read() {
            hear(sup, &line, story);
            said = true;
        }
    }
    if output_ready {
        for line in ears.output.read() {
            echo(sup, &line, story);
            said = true;
        }
    }
    said
}

/// Takes in a line from the report pipe.
fn hear(sup: &mut Supervisor, line: &str, story: &mut Story) {
    match serde_json::from_str(line) {
        Ok(Message::Diag(text)) => sup.tap.diag(&text),
        Ok(Message::Step(text)) if sup.options.verbose => sup.tap.diag(&format!("  {text}")),
        Ok(Message::Step(text)) => {
            if story.steps.len() == LAST_STEPS {
                story.steps.pop_front();
                story.steps_dropped += 1;
            }
            story.steps.push_back(text);
        }
        Ok(Message::Alive) => {}
        Ok(Message::Panic { pid, text }) => story.panics.push(format!("process {pid}: {text}")),
        Ok(Message::Verdict(v)) => {
            story.verdict.get_or_insert(v);
        }
        Err(_) => echo(sup, line, story),
    }
}

/// Prints a line that the test wrote to its standard output or error.
fn echo(sup: &mut Supervisor, line: &str, story: &mut Story) {
    story.output_lines += 1;
    if story.output_lines <= MOST_OUTPUT {
        sup.tap.diag(&format!("output: {line}"));
    } else if story.output_lines == MOST_OUTPUT + 1 {
        sup.tap.diag("output: (more than that is not shown)");
    }
}

fn last_steps(sup: &mut Supervisor, story: &Story) {
    if !story.steps.is_empty() {
        sup.tap.diag("the last steps of its script:");
    }
    for (i, step) in story.steps.iter().enumerate() {
        sup.tap
            .diag(&format!("  {}. {step}", story.steps_dropped + i + 1));
    }
}

/// Puts verdict, panics and exit status together. A failure of any process of the test is the test's.
fn conclude(
    sup: &mut Supervisor,
    end: Option<Result<WaitStatus, Errno>>,
    pid: i32,
    story: &mut Story,
) -> Outcome {
    let mut failed = false;
    for text in &story.panics {
        sup.tap.diag(&format!("failed: {text}"));
        failed = true;
    }
    let clean = matches!(end, Some(Ok(WaitStatus::Exited(_, 0))));
    if !failed && (story.verdict.is_none() || !clean) && end.is_some() {
        let word = if story.verdict.is_none() {
            "without a verdict"
        } else {
            "badly"
        };
        sup.tap.diag(&format!(
            "failed: the test's process {pid} ended {word}: {}",
            describe(&end)
        ));
        failed = true;
    }
    match &story.verdict {
        Some(Verdict::Fail(text)) => {
            sup.tap.diag(&format!("failed: {text}"));
            Outcome::Fail
        }
        Some(Verdict::Error(text)) => {
            sup.tap.diag(&format!(
                "error: {text}\n(the suite could not do its work: no property was judged)"
            ));
            if failed {
                Outcome::Fail
            } else {
                Outcome::Error
            }
        }
        _ if failed => Outcome::Fail,
        Some(Verdict::Pass) => Outcome::Pass,
        Some(Verdict::Skip(reason)) => Outcome::Skip(reason.clone()),
        None => Outcome::Fail,
    }
}

fn describe(end: &Option<Result<WaitStatus, Errno>>) -> String {
    match end {
        Some(Ok(WaitStatus::Exited(_, code))) => format!("exit status {code}"),
        Some(Ok(WaitStatus::Signaled(_, signal, _))) => format!("killed by {signal}"),
        _ => "a status that cannot be decoded".to_owned(),
    }
}
