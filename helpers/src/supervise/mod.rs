// SPDX-License-Identifier: GPL-2.0-or-later
//! What a test declares, the process it runs in, and what its end looks like to others.
//!
//! The supervisor is the program's first process. It alone writes the result stream, changes
//! settings of the machine and puts them back; every test runs in a process of its own:
//!
//! ```text
//! supervisor ──fork──> test ──fork──> actors ...
//!      ^                 │ report pipe: diagnostics, steps, verdict (ctx.rs)
//!      ├─────────────────┤
//!      │                 │ output pipe: whatever is printed (child.rs)
//!      └── signalfd: SIGCHLD, SIGINT, SIGTERM, SIGHUP (signals.rs)
//! ```

pub mod arena;
mod child;
mod cli;
pub mod ctx;
mod descend;
mod isolated;
mod journal;
mod kmsg;
pub mod knob;
mod ledger;
mod pump;
mod run;
mod signals;
mod tap;
pub mod test;
mod undo;
mod watch;

pub use arena::Arena;
pub use ctx::Ctx;
pub use knob::{Knob, WhenMissing};
pub use test::{Fix, Need, Test, joined};

use crate::pace;
use cli::Options;
#[cfg(test)]
pub(crate) use journal::alone;
use journal::{Changes, Journal, Opened};
use kmsg::Kmsg;
use signals::Signals;
use std::collections::BTreeSet;
use tap::{Lines, Tap};

/// State of a run.
pub(crate) struct Supervisor<'a> {
    suite: &'a str,
    options: Options,
    seed: u64,
    tap: Tap,
    signals: Signals,
    kmsg: Kmsg,
    changes: Changes,
    arena: Arena,
    /// Processes that cannot be killed.
    given_up: BTreeSet<i32>,
    /// The CPU that tests stay on; `None`: each on the one that the kernel chooses for it.
    cpu: Option<usize>,
}

/// What names the CPU.
const CPU_VAR: &str = "RMAP_CPU";

/// Main function of every test binary: parses the command line, runs the tests that it names, prints TAP, never returns.
///
/// Exit status 0 pass, 1 failure or bad input, 4 all skipped; 128 + N when signal N ended the run.
pub fn main(suite: &str, about: &str, tests: &[Test]) -> ! {
    // An actor that a test executed anew comes by here.
    crate::actor::exec_entry();
    let status = match begin(suite, about, tests) {
        Ok(status) => status,
        Err(text) => {
            // Not eprintln!, which panics when standard error is closed.
            use std::io::Write;
            let _ = writeln!(std::io::stderr(), "{suite}: {text}");
            1
        }
    };
    std::process::exit(status)
}

/// The CPU that tests are to stay on, if one is named.
fn cpu_asked_for() -> Result<Option<usize>, String> {
    let Some(word) = std::env::var_os(CPU_VAR).filter(|word| !word.is_empty()) else {
        return Ok(None);
    };
    let cpus = crate::sys::proc::allowed_cpus().map_err(|e| format!("sched_getaffinity: {e}"))?;
    let cpu = word.to_str().and_then(|word| word.parse().ok());
    match cpu.filter(|cpu| cpus.contains(cpu)) {
        Some(cpu) => Ok(Some(cpu)),
        None => Err(format!(
            "{CPU_VAR}={}: no CPU that may be used",
            word.display()
        )),
    }
}

/// Everything up to the first test. `Err` is one line for stderr.
fn begin(suite: &str, about: &str, tests: &[Test]) -> Result<i32, String> {
    test::check_names(tests)?;
    let options = Options::parse(std::env::args_os())?;
    let mut out = Lines::stdout().map_err(|e| format!("standard output: {e}"))?;
    if options.help {
        out.line(&format!(
            "{suite}: {about}\nUsage: {suite} [OPTION]... [NAME]..."
        ));
        out.line(cli::USAGE);
        return Ok(0);
    }
    let selected = options.select(tests)?;
    if options.list {
        for test in selected {
            out.line(test.name);
        }
        return Ok(0);
    }
    if let Some(dir) = &options.logs {
        use nix::unistd::{AccessFlags, access};
        let usable = std::fs::create_dir_all(dir)
            .and_then(|()| Ok(access(dir, AccessFlags::W_OK | AccessFlags::X_OK)?));
        usable.map_err(|e| format!("-o {}: {e}", dir.display()))?;
    }
    let cpu = cpu_asked_for()?;
    crate::sys::proc::set_subreaper().map_err(|e| format!("PR_SET_CHILD_SUBREAPER: {e}"))?;
    pace::set(options.scale);
    let signals = Signals::block().map_err(|e| format!("signalfd: {e}"))?;
    let (journal, left) = match Journal::open() {
        Opened::Ready(journal, left) => (Some(journal), left),
        Opened::Refused(text) => return Err(text),
        Opened::Nowhere => (None, Vec::new()),
    };
    let journaled = journal.is_some();
    let nested = std::env::var_os("KSFT_TAP_LEVEL").is_some();
    let tap = Tap::start(out, selected.len(), nested);

    let left_count = left.len();
    let mut changes = Changes::new(journal, left);
    let scratch = arena::mount_scratch(&mut changes);
    if !arena::own_proc() {
        changes.undo_to(0);
        changes.close();
        return Err("/proc is of another PID namespace (mount -t proc proc /proc)".to_owned());
    }
    // First debugfs: knobs of a dead run may be in it.
    let mut arena = Arena::bare(scratch);
    let repaired = changes.repair(left_count, arena.scratch.as_deref());
    if selected.iter().any(|t| t.arena) {
        arena.furnish(&mut changes, |need| {
            let same = |n: &Need| std::mem::discriminant(n) == std::mem::discriminant(need);
            selected.iter().any(|t| t.needs.iter().any(same))
        });
    }
    let seed = options.seed.unwrap_or_else(random_seed);
    let kmsg = Kmsg::open();
    let given_up = BTreeSet::new();
    let mut sup = Supervisor {
        suite,
        options,
        seed,
        tap,
        signals,
        kmsg,
        changes,
        arena,
        given_up,
        cpu,
    };
    sup.header(about, &repaired, journaled);
    Ok(sup.run(&selected))
}

impl Supervisor<'_> {
    fn header(&mut self, about: &str, repaired: &[String], journaled: bool) {
        let features = &self.arena.features;
        let mut lines = vec![format!("{}: {about}", self.suite)];
        let uname = nix::sys::utsname::uname();
        let machine = uname
            .as_ref()
            .map_or("".into(), |u| u.machine().to_string_lossy());
        lines.push(format!(
            "kernel: {} {machine}, page size {}",
            features.release, features.page_size
        ));
        lines.push(features_line(features));
        if self.arena.memcg.is_ok() || self.arena.swap.is_ok() || self.arena.ksm.is_ok() {
            lines.push(arena_line(&self.arena));
        }
        lines.extend(self.arena.notes.iter().map(|n| format!("note: {n}")));
        if let Some(why) = &self.kmsg.blind {
            lines.push(format!("note: the kernel log is not watched: {why}"));
        }
        if !journaled {
            lines.push(
                "note: no directory for a journal: a kill of this run would leave things changed"
                    .to_owned(),
            );
        }
        lines.extend(repaired.iter().cloned());
        let how = if pace::is_fixed() {
            "asked for"
        } else {
            "measured"
        };
        lines.push(format!("time limits: times {:.1} ({how})", pace::scale()));
        lines.push(format!("seed {:#x}", self.seed));
        for line in lines {
            self.tap.diag(&line);
        }
    }

    /// Runs the tests, puts the machine back; the exit status.
    fn run(mut self, tests: &[&Test]) -> i32 {
        for test in tests {
            // A signal may have come while nothing waited for one.
            self.signals.read();
            if self.signals.ended_by.is_some() || run::run_test(&mut self, test).is_none() {
                break;
            }
        }
        for left in self.changes.undo_to(0) {
            self.tap.counts.error += 1;
            self.tap.diag(&format!("leftover: {left}"));
        }
        self.between_tests();
        self.changes.close();
        self.signals.read();
        if let Some(signal) = self.signals.ended_by {
            self.tap.totals();
            self.tap.bail_out(&format!("interrupted by {signal}"));
            return 128 + signal as i32;
        }
        self.tap.totals();
        self.tap.counts.exit_status()
    }

    /// Complaints of the kernel that no test can be blamed for: shown, and counted as an error of the whole program.
    fn between_tests(&mut self) {
        let log = self.kmsg.read();
        if !log.judged.is_empty() {
            self.tap.counts.error += 1;
        }
        for line in log.judged {
            self.tap
                .diag(&format!("kernel log, outside of any test: {line}"));
        }
        for line in log.noted {
            self.tap.diag(&format!("kernel log (not judged): {line}"));
        }
    }
}

/// What the tests will find, and what they will not.
fn features_line(f: &crate::kernel::features::Features) -> String {
    let all = [
        ("root", f.root),
        ("pagemap", f.pagemap),
        ("pfn", f.pfn),
        ("kpagecount", f.kpagecount),
        ("kpageflags", f.kpageflags),
        ("anon_exclusive", f.anon_exclusive),
        ("ksm_flag", f.ksm_flag),
        ("page_mapcount", f.page_mapcount),
        ("thp", f.thp),
        ("ksm", f.ksm),
        ("migration", f.migration),
        ("page_idle", f.page_idle),
        ("soft_dirty", f.soft_dirty),
        ("lock_on_fault", f.lock_on_fault),
        ("debugfs", f.debugfs.is_some()),
    ];
    let names = |want: bool| {
        let names: Vec<&str> = all
            .iter()
            .filter(|(_, has)| *has == want)
            .map(|n| n.0)
            .collect();
        if names.is_empty() {
            "nothing".to_owned()
        } else {
            names.join(" ")
        }
    };
    format!(
        "features: {}; absent: {}; memory nodes: {}",
        names(true),
        names(false),
        f.nodes.len()
    )
}

fn arena_line(arena: &Arena) -> String {
    let memcg = match &arena.memcg {
        Ok(memcg) => format!("{} ({:?})", memcg.dir.display(), memcg.version),
        Err(reason) => format!("none ({reason})"),
    };
    let swap = match &arena.swap {
        Ok(swap) => swap.device.display().to_string(),
        Err(reason) => format!("none ({reason})"),
    };
    let ksm = arena.ksm.err().unwrap_or("yes");
    format!("arena: memcg {memcg}, swap {swap}, ksm {ksm}")
}

fn random_seed() -> u64 {
    use std::io::Read;
    let mut bytes = [0; 8];
    match std::fs::File::open("/dev/urandom").and_then(|mut f| f.read_exact(&mut bytes)) {
        Ok(()) => u64::from_ne_bytes(bytes),
        Err(_) => {
            let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
            now.map_or(0, |d| d.as_nanos() as u64) ^ u64::from(std::process::id()) << 32
        }
    }
}
