// SPDX-License-Identifier: GPL-2.0-or-later
//! Areas registered for pages that a file has and the process has not mapped yet (UFFDIO_CONTINUE, mfill_atomic_install_pte()).

use super::N;
use helpers::sys::mem::advice;
use helpers::sys::uffd::{FEATURE_MINOR_SHMEM, MINOR};
use helpers::topology::RW;
use helpers::world::{Answer, Kind, Share, World};
use helpers::{TestResult, supervise::Ctx, topology, walk};

/// The test lets P map one page after the other, for reading or for writing. What a private mapping writes is its own all the same. The
/// child's faults are answered by the kernel.
///
///   memfd      0 1 2 3 4 5 6 7
///   Q shared   0 1 2 3 4 5 6 7
///   P          r r r w w - - -    P's child C maps all of it, and writes 1 4 6
pub(super) fn minor(ctx: &mut Ctx, share: Share) -> TestResult {
    let w = World::new(ctx)?;
    let file = w.object(Kind::Memfd, N)?;
    let (p, q) = (w.actor("P")?, w.actor("Q")?);
    let (a, b) = (w.place(N), w.place(N));
    w.name(a, "a");
    w.name(b, "b");
    q.map_object(b, &file, 0, RW, Share::Shared)?;
    q.write(b)?;
    p.map_object(a, &file, 0, RW, share)?;
    let k = p.keeper(FEATURE_MINOR_SHMEM)?;
    k.register(a, MINOR)?;
    p.advise(a, advice::DONTNEED)?;
    p.read_kept(a.sub(0..3), &k, Answer::Continue)?;
    p.write_missing(a.sub(3..5), &k, Answer::Continue)?;
    k.fill(a.sub(5..N), Answer::Continue)?;
    w.check_kept()?;
    w.check()?;
    p.write(a.page(0))?;
    p.write(a.sub(5..7))?;
    w.check()?;
    let c = p.fork("C")?;
    w.check_kept()?;
    for i in [1, 4, 6] {
        c.write(a.page(i))?;
    }
    w.check()?;
    // A walk takes pages away, and whoever reads them then would wait.
    k.close()?;
    w.check_kept()?;
    walk::every(&w)?;
    topology::write_by_each(&w)?;
    w.finish()
}
