// SPDX-License-Identifier: GPL-2.0-or-later
//! Pages that are to be filled in where there is a page already: refused, and the page that was made for it goes.

use super::keeper::Keeper;
use super::sight::Lie;
use super::{Area, World};
use crate::stop::Doing;
use crate::sys::uffd;
use crate::{Stop, TestResult};
use nix::errno::Errno;

/// So often, or what each CPU has in advance would hide it.
const TIMES: usize = 2048;
/// What others do may look like a leak once.
const ROUNDS: usize = 3;

impl World<'_> {
    /// What the test's own cgroup is charged for, pages. `Err` says why there is none.
    fn charged(&self) -> TestResult<Result<i64, &'static str>> {
        let memcg = match self.arena().memcg.as_ref() {
            Ok(memcg) => memcg,
            Err(why) => return Ok(Err(why)),
        };
        let bytes = memcg
            .usage()
            .doing("read what a memory cgroup is charged for")?;
        Ok(Ok((bytes / self.page as u64) as i64))
    }
}

impl Keeper<'_, '_> {
    /// UFFDIO_COPY to pages that are there is refused with EEXIST, however often, and takes no memory (mfill_atomic_pte_copy()); that is not judged
    /// without a memory cgroup.
    #[track_caller]
    pub fn fill_occupied(&self, area: Area) -> TestResult {
        let w = self.world;
        w.flush()?;
        self.note("to be refused, again and again: UFFDIO_COPY", area);
        let content = vec![1; w.page / size_of::<u64>()];
        let mut left = 0;
        for _ in 0..ROUNDS {
            let before = w.charged()?;
            for vpn in area.vpns().cycle().take(TIMES) {
                let (addr, _) = self.bytes(Area { vpn, pages: 1 });
                match self.insist(|| uffd::copy(&self.file, addr, &content, false)) {
                    Err(Errno::EEXIST) => {}
                    other => {
                        return Err(w.blame(
                            self.actor,
                            Stop::fail(format_args!(
                                "UFFDIO_COPY is refused where there is a page (EEXIST): seen {other:?}"
                            )),
                        ));
                    }
                }
            }
            let (before, after) = match (before, w.charged()?) {
                (Ok(before), Ok(after)) => (before, after),
                (Err(why), _) | (_, Err(why)) => {
                    w.diag(format_args!("what it takes is not judged: {why}"));
                    return Ok(());
                }
            };
            let lie = w.eye.lie == Some(Lie::Objects);
            left = after - before + if lie { TIMES as i64 } else { 0 };
            if left < TIMES as i64 / 2 {
                return Ok(());
            }
        }
        Err(w.blame(
            self.actor,
            Stop::fail(format_args!(
                "what is refused takes no memory: after {TIMES} times the cgroup is charged for {left} pages more, {ROUNDS} times in a row"
            )),
        ))
    }
}
