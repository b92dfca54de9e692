// SPDX-License-Identifier: GPL-2.0-or-later
//! The process that one test runs in.

use super::ctx::{self, Message, Report, Verdict};
use super::isolated::Isolated;
use super::ledger::Ledger;
use super::signals::Signals;
use super::{Arena, Ctx, Test};
use crate::Stop;
use crate::pace;
use crate::sys::proc;
use crate::walk::tally::Tally;
use crate::world::Left;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::MetadataExt;
use std::time::{Duration, Instant};

/// What the supervisor hands over.
pub(crate) struct Start<'a> {
    pub test: &'a Test,
    pub arena: &'a Arena,
    /// Reason of the first knob that is not there.
    pub knob_missing: Option<&'static str>,
    pub seed: u64,
    pub verbose: bool,
    /// The supervisor.
    pub parent: i32,
    /// The CPU to stay on, if one is asked for.
    pub cpu: Option<usize>,
    /// One byte here releases the test.
    pub go: OwnedFd,
    /// [`Message`]s; taken when it is installed.
    pub report: Option<OwnedFd>,
    /// Steps, when they are not to be shown at once; taken when it is installed.
    pub steps: Option<OwnedFd>,
    /// Standard output and error.
    pub output: OwnedFd,
    pub signals: &'a Signals,
}

/// Runs the test; the process ends here.
pub(crate) fn run(mut start: Start) -> ! {
    let me = std::process::id();
    let limit = match pace::is_fixed() {
        true => start.test.timeout.mul_f64(pace::scale()),
        false => start.test.timeout,
    };
    let verdict = match prepare(&mut start) {
        Ok(report) => judge(&start, report, limit),
        Err(e) => Verdict::Error(format!("the process of the test could not be set up: {e}")),
    };
    if std::process::id() != me {
        // The test forked by hand, and the child came back: it must not speak for the test.
        let text = "a child that the test forked returned into the harness".to_owned();
        Report::send_installed(&Message::Panic {
            pid: std::process::id() as i32,
            text,
        });
        proc::exit_now(101);
    }
    Report::send_installed(&Message::Verdict(verdict));
    // Not exit(): what is registered to run at exit belongs to the supervisor.
    proc::exit_now(0)
}

fn prepare(start: &mut Start) -> io::Result<Report> {
    let pipe = start.report.take().ok_or(io::ErrorKind::NotFound)?;
    let pipe_identity = identity(&pipe);
    let report = Report::install(pipe)?;
    pace::on_beat(ctx::alive);
    // The supervisor's kill reaches the whole group; a terminal's ^C reaches only the supervisor.
    nix::unistd::setsid()?;
    proc::set_pdeathsig(nix::sys::signal::Signal::SIGKILL as i32)?;
    if nix::unistd::getppid().as_raw() != start.parent {
        proc::exit_now(1);
    }
    let null = OpenOptions::new().read(true).open("/dev/null")?;
    nix::unistd::dup2_stdin(&null)?;
    nix::unistd::dup2_stdout(&start.output)?;
    nix::unistd::dup2_stderr(&start.output)?;
    drop(null);
    let mut keep = vec![start.go.as_raw_fd()];
    if let Some(steps) = start.steps.take() {
        keep.push(steps.as_raw_fd());
        Report::install_steps(steps);
    }
    keep.extend(
        report
            .fd
            .iter()
            .chain(Report::installed_fd())
            .map(|fd| fd.as_raw_fd()),
    );
    close_others(&keep);
    // Masks of signals are inherited by whatever the test forks or executes.
    start.signals.restore_mask()?;
    // One byte: too little for a core file, and the kernel's sign for "not into a pipe either".
    let (_, hard) = getrlimit(Resource::RLIMIT_CORE)?;
    setrlimit(Resource::RLIMIT_CORE, hard.min(1), hard)?;
    // A test, its actors and the supervisor take turns. On one CPU the next of them need not be woken on another one first, which costs more
    // than most commands do; a second thread of an actor goes elsewhere by itself. Where it is not possible, it only takes longer.
    let _ = proc::stay_together(start.cpu, start.parent);
    // When memory runs out, it is the test that has to go.
    let _ = std::fs::write("/proc/self/oom_score_adj", "800");
    std::panic::set_hook(Box::new(move |info| {
        let text = info.to_string();
        let pid = std::process::id() as i32;
        // A forked process may have closed the pipe and have something else under its number.
        let open = Report::installed_fd().and_then(identity) == pipe_identity;
        if !(open
            && Report::send_installed(&Message::Panic {
                pid,
                text: text.clone(),
            }))
        {
            eprintln!("process {pid}: {text}");
        }
        // Never unwind: a forked child would come back as a second harness.
        proc::exit_now(101)
    }));
    Ok(report)
}

/// Device and inode of what is behind a descriptor.
fn identity(fd: &OwnedFd) -> Option<(u64, u64)> {
    let meta = std::fs::metadata(format!("/proc/self/fd/{}", fd.as_raw_fd())).ok()?;
    Some((meta.dev(), meta.ino()))
}

/// Descriptors of the supervisor (its lock above all) and of whoever started it, which a process
/// that a test leaves behind must not hold open.
fn close_others(keep: &[i32]) {
    let open: Vec<i32> = std::fs::read_dir("/proc/self/fd")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|e| e.file_name().to_str()?.parse().ok())
        .collect();
    for fd in open.into_iter().filter(|fd| *fd > 2 && !keep.contains(fd)) {
        let _ = nix::unistd::close(fd);
    }
}

fn judge(start: &Start, report: Report, limit: Duration) -> Verdict {
    let mut byte = [0];
    let go = start.go.try_clone().map(File::from);
    match go.and_then(|mut go| go.read_exact(&mut byte)) {
        Ok(()) => {}
        // The supervisor is gone.
        Err(_) => proc::exit_now(1),
    }
    let mut ctx = Ctx {
        arena: start.arena,
        seed: start.seed,
        deadline: Instant::now() + limit,
        timeout: start.test.timeout,
        verbose: start.verbose,
        report,
        tally: Tally::default(),
        left: Left::default(),
    };
    let test = start.test;
    let arena = test.arena.then_some(start.arena);
    let missing: Vec<&str> = test
        .needs
        .iter()
        .filter_map(|need| need.check(&start.arena.features, arena).err())
        .chain(start.knob_missing)
        .collect();
    if let Some(first) = missing.first() {
        for reason in &missing {
            ctx.diag(format_args!("missing: {reason}"));
        }
        return Verdict::Skip((*first).to_owned());
    }
    let ledger = arena.and_then(Ledger::open);
    let isolated = arena.and_then(|_| Isolated::open());
    let judge = |()| {
        isolated.map_or(Ok(()), Isolated::check)?;
        ledger.map_or(Ok(()), |l| l.check(start.arena))
    };
    let ended = (test.run)(&mut ctx);
    for line in ctx.tally.lines() {
        ctx.diag(line);
    }
    let left = |()| ctx.left.check(start.arena.disk.as_deref());
    let ended = match ended {
        // What it did until then is judged all the same.
        Err(skip @ Stop::Skip(_)) => left(()).and_then(judge).and(Err(skip)),
        ended => ended.and_then(left).and_then(judge),
    };
    match ended {
        Ok(()) => Verdict::Pass,
        Err(Stop::Fail(text)) => Verdict::Fail(text),
        Err(Stop::Error(text)) => Verdict::Error(text),
        Err(Stop::Skip(reason)) => Verdict::Skip(reason.to_owned()),
    }
}
