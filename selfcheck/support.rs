// SPDX-License-Identifier: GPL-2.0-or-later
//! Programs run under a time limit, TAP taken apart, the machine's state written down.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// The program of tests that misbehave.
pub const FAULTY: &str = env!("CARGO_BIN_EXE_faulty");
/// The program that writes other forms.
pub const REPORT: &str = env!("CARGO_BIN_EXE_rmap_report");
/// Nothing here takes longer; it is there so that a supervisor that hangs fails a check.
const LIMIT: Duration = Duration::from_secs(240);

/// Where the supervisor and run_tests.sh keep what they need between runs.
const STATE_DIRS: &[&str] = &["/run", "/var/run", "/dev/shm", "/tmp", "/dev"];

/// One check at a time: the suite's own lock allows one run, and the kernel log and the knobs are shared.
pub fn alone() -> MutexGuard<'static, ()> {
    static ONE: Mutex<()> = Mutex::new(());
    // A check that failed says nothing about the next.
    ONE.lock().unwrap_or_else(|e| e.into_inner())
}

/// Effective UID 0.
pub fn root() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let uids = status.lines().find_map(|l| l.strip_prefix("Uid:")).unwrap();
    uids.split_ascii_whitespace().nth(1) == Some("0")
}

/// Says that a check was not made. Written past the capture of the test harness.
pub fn skipped(what: &str, why: &str) {
    let _ = writeln!(std::io::stderr(), "selfcheck: skipped: {what}: {why}");
}

/// How a program ended.
#[derive(Debug)]
pub struct Ended {
    /// Exit status; 128 + N when signal N killed it, as a shell says.
    pub status: i32,
    pub stdout: String,
    pub stderr: String,
    pub time: Duration,
}

impl Ended {
    /// Taken apart; panics where the form is wrong.
    pub fn tap(&self) -> Tap {
        Tap::parse(&self.stdout)
    }

    /// One line on standard error, nothing on standard output, exit status 1.
    #[track_caller]
    pub fn refused(&self, part: &str) {
        assert_eq!(self.status, 1, "{self:?}");
        assert_eq!(self.stderr.lines().count(), 1, "{self:?}");
        assert!(
            self.stderr.contains(part),
            "no {part:?} in {:?}",
            self.stderr
        );
        assert_eq!(self.stdout, "");
    }
}

/// A program that runs.
pub struct Running {
    child: Child,
    began: Instant,
    stdout: BufReader<std::process::ChildStdout>,
    stderr: JoinHandle<String>,
    text: String,
}

/// Starts it with pipes around.
pub fn start(mut command: Command) -> Running {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command
        .spawn()
        .unwrap_or_else(|e| panic!("{command:?}: {e}"));
    let mut errors = child.stderr.take().unwrap();
    let stderr = std::thread::spawn(move || {
        let mut text = String::new();
        errors.read_to_string(&mut text).unwrap();
        text
    });
    let stdout = BufReader::new(child.stdout.take().unwrap());
    let pid = child.id();
    let began = Instant::now();
    // The limit: without it a supervisor that hangs would hang the checks.
    std::thread::spawn(move || {
        std::thread::sleep(LIMIT);
        signal(pid, "KILL");
    });
    Running {
        child,
        began,
        stdout,
        stderr,
        text: String::new(),
    }
}

impl Running {
    /// Process ID.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Reads until a line has this in it; `false` when the stream ends before.
    pub fn try_until(&mut self, part: &str) -> bool {
        loop {
            let mut line = String::new();
            if self.stdout.read_line(&mut line).unwrap() == 0 {
                return false;
            }
            self.text += &line;
            if line.contains(part) {
                return true;
            }
        }
    }

    /// Waits for the end.
    pub fn end(mut self) -> Ended {
        self.stdout.read_to_string(&mut self.text).unwrap();
        let status = self.child.wait().unwrap();
        let status = status.code().or(status.signal().map(|s| 128 + s)).unwrap();
        let stderr = self.stderr.join().unwrap();
        Ended {
            status,
            stdout: self.text,
            stderr,
            time: self.began.elapsed(),
        }
    }

    /// Waits for the end, reading nothing: the reader went away.
    pub fn end_unread(mut self) -> i32 {
        drop(self.stdout);
        self.child.wait().unwrap().code().unwrap()
    }
}

/// Sends a signal.
pub fn signal(pid: u32, name: &str) {
    let command = format!("kill -{name} {pid} 2>/dev/null");
    let _ = Command::new("sh").args(["-c", &command]).status();
}

/// A command for `faulty` with these arguments.
pub fn faulty_command(args: &[&str]) -> Command {
    let mut command = Command::new(FAULTY);
    command.args(args).env_remove("KSFT_TAP_LEVEL");
    command
}

/// Runs `faulty` to its end. Another run on this machine (a real one, not ours) is waited for.
pub fn faulty(args: &[&str]) -> Ended {
    run(|| faulty_command(args))
}

/// Runs a command to its end; another run on this machine is waited for.
pub fn run(command: impl Fn() -> Command) -> Ended {
    let give_up = Instant::now() + LIMIT;
    loop {
        let ended = start(command()).end();
        let busy = ended.stderr.contains("another run") || ended.stdout.contains(": another run");
        if !busy || Instant::now() > give_up {
            return ended;
        }
        std::thread::sleep(Duration::from_millis(200));
    }
}

/// Runs a program with something added to its environment.
pub fn ended_with_env(program: &str, args: &[&str], env: &[(&str, &str)]) -> Ended {
    run(|| {
        let mut command = Command::new(program);
        command
            .args(args)
            .envs(env.iter().copied())
            .env_remove("KSFT_TAP_LEVEL");
        command
    })
}

/// A result line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TestLine {
    pub ok: bool,
    pub name: String,
    /// "SKIP reason", "TIMEOUT", or empty.
    pub directive: String,
    /// The diagnostic lines since the result before, without "# ".
    pub diag: Vec<String>,
}

/// A flat TAP 13 stream.
#[derive(Debug)]
pub struct Tap {
    pub plan: usize,
    pub results: Vec<TestLine>,
    /// Diagnostics after the last result.
    pub tail: Vec<String>,
    pub bailed_out: Option<String>,
}

impl Tap {
    #[track_caller]
    pub fn parse(text: &str) -> Tap {
        assert!(text.ends_with('\n'), "last line has no end: {text:?}");
        let mut lines = text.lines();
        assert_eq!(lines.next(), Some("TAP version 13"));
        Tap::parse_body(lines)
    }

    /// Result lines only, whatever is between them.
    pub fn parse_loosely(text: &str) -> Tap {
        Tap::parse_body(text.lines().skip(1).filter(|l| !l.starts_with('#')))
    }

    #[track_caller]
    pub fn parse_body<'a>(mut lines: impl Iterator<Item = &'a str>) -> Tap {
        let plan = lines
            .next()
            .and_then(|l| l.strip_prefix("1.."))
            .expect("plan comes second");
        let mut tap = Tap {
            plan: plan.parse().unwrap(),
            results: Vec::new(),
            tail: Vec::new(),
            bailed_out: None,
        };
        for line in lines {
            assert!(tap.bailed_out.is_none(), "a line after Bail out!: {line}");
            assert!(
                !line.chars().any(|c| c.is_control() && c != '\t'),
                "{line:?}"
            );
            if let Some(why) = line.strip_prefix("Bail out! ") {
                tap.bailed_out = Some(why.to_owned());
            } else if let Some(diag) = line.strip_prefix('#') {
                tap.tail
                    .push(diag.strip_prefix(' ').unwrap_or(diag).to_owned());
            } else {
                let (ok, rest) = match line.strip_prefix("not ok ") {
                    Some(rest) => (false, rest),
                    None => (
                        true,
                        line.strip_prefix("ok ")
                            .unwrap_or_else(|| panic!("{line:?}")),
                    ),
                };
                let (number, rest) = rest.split_once(' ').unwrap();
                assert_eq!(number, (tap.results.len() + 1).to_string(), "{line}");
                let (name, directive) = rest.split_once(" # ").unwrap_or((rest, ""));
                let good = |b: u8| b.is_ascii_alphanumeric() || b"_.".contains(&b);
                assert!(!name.is_empty() && name.bytes().all(good), "{line}");
                let diag = std::mem::take(&mut tap.tail);
                let (name, directive) = (name.to_owned(), directive.to_owned());
                tap.results.push(TestLine {
                    ok,
                    name,
                    directive,
                    diag,
                });
            }
        }
        tap
    }

    /// The only result.
    #[track_caller]
    pub fn only(&self) -> &TestLine {
        assert_eq!((self.plan, self.results.len()), (1, 1), "{self:?}");
        &self.results[0]
    }

    /// (total, failed, skipped)
    pub fn counts(&self) -> (usize, usize, usize) {
        let failed = self.results.iter().filter(|r| !r.ok).count();
        let skipped = self
            .results
            .iter()
            .filter(|r| r.directive.starts_with("SKIP"))
            .count();
        (self.results.len(), failed, skipped)
    }
}

impl TestLine {
    /// Whether a diagnostic line has this in it.
    pub fn says(&self, part: &str) -> bool {
        self.diag.iter().any(|l| l.contains(part))
    }
}

/// A directory that goes when this does.
pub struct TempDir(pub PathBuf);

impl TempDir {
    pub fn new(name: &str) -> TempDir {
        let dir = std::env::temp_dir().join(format!("selfcheck.{}.{name}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        TempDir(dir)
    }
}

impl Drop for TempDir {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// What a run may change on the machine, as text by name. Another run on this machine, not ours, is waited for.
pub fn snapshot() -> BTreeMap<String, String> {
    let give_up = Instant::now() + LIMIT;
    let held = |dir: &&str| Path::new(dir).join("rmap_selftests.journal").exists();
    while STATE_DIRS.iter().any(held) && Instant::now() < give_up {
        std::thread::sleep(Duration::from_millis(50));
    }
    snapshot_now()
}

/// The same while a run of ours is on.
pub fn snapshot_now() -> BTreeMap<String, String> {
    let mut state = BTreeMap::new();
    settings(Path::new("/sys/kernel/mm"), &mut state);
    for file in ["/proc/swaps", "/proc/self/mounts"] {
        state.insert(
            file.to_owned(),
            std::fs::read_to_string(file).unwrap_or_default(),
        );
    }
    for entry in list("/sys/block").filter(|e| name_starts(e, "zram")) {
        let size = std::fs::read_to_string(entry.join("disksize")).unwrap_or_default();
        state.insert(entry.display().to_string(), size);
    }
    let mounts = std::fs::read_to_string("/proc/self/mounts").unwrap_or_default();
    let cgroups = mounts
        .lines()
        .filter(|l| l.contains(" cgroup"))
        .filter_map(|l| l.split(' ').nth(1));
    for dir in cgroups.chain(STATE_DIRS.iter().copied()) {
        for entry in list(dir).filter(|e| name_starts(e, "rmap_selftests")) {
            state.insert(entry.display().to_string(), String::new());
        }
        let control = Path::new(dir).join("cgroup.subtree_control");
        if let Ok(text) = std::fs::read_to_string(&control) {
            state.insert(control.display().to_string(), text);
        }
    }
    let mine = format!("({}) ", Path::new(FAULTY).file_name().unwrap().display());
    for process in list("/proc") {
        let stat = std::fs::read_to_string(process.join("stat")).unwrap_or_default();
        // The dead are their reaper's business.
        if stat.contains(&mine) && !stat.contains(&format!("{mine}Z")) {
            state.insert(process.display().to_string(), mine.clone());
        }
    }
    state
}

fn list(dir: impl AsRef<Path>) -> impl Iterator<Item = PathBuf> {
    std::fs::read_dir(dir)
        .into_iter()
        .flatten()
        .flatten()
        .map(|e| e.path())
}

fn name_starts(path: &Path, prefix: &str) -> bool {
    path.file_name()
        .is_some_and(|n| n.as_encoded_bytes().starts_with(prefix.as_bytes()))
}

/// Files that can be written, below a directory: what cannot is a counter.
fn settings(dir: &Path, state: &mut BTreeMap<String, String>) {
    use std::os::unix::fs::MetadataExt;
    for path in list(dir) {
        let Ok(meta) = path.symlink_metadata() else {
            continue;
        };
        if meta.is_dir() {
            settings(&path, state);
        } else if meta.is_file()
            && meta.mode() & 0o222 != 0
            && path.file_name() != Some(OsStr::new("bitmap"))
        {
            let text = std::fs::read_to_string(&path).unwrap_or_default();
            state.insert(path.display().to_string(), text);
        }
    }
}

/// Compares two snapshots; shows only what differs.
#[track_caller]
pub fn assert_same(before: &BTreeMap<String, String>, after: &BTreeMap<String, String>) {
    let keys: std::collections::BTreeSet<_> = before.keys().chain(after.keys()).collect();
    let differ: Vec<String> = keys
        .into_iter()
        .filter(|k| before.get(*k) != after.get(*k))
        .map(|k| format!("{k}: was {:?}, is {:?}", before.get(k), after.get(k)))
        .collect();
    assert!(differ.is_empty(), "left behind:\n{}", differ.join("\n"));
}
