// SPDX-License-Identifier: GPL-2.0-or-later
//! The end of write protection: by giving up a part of what is registered, or by a write.

use super::N;
use helpers::supervise::Ctx;
use helpers::sys::uffd::{FEATURE_WP_ASYNC, WP};
use helpers::topology::RW;
use helpers::world::{Kind, Share, World};
use helpers::{Stop, TestResult, topology, walk};

/// Who gives up a part of what is registered (UFFDIO_UNREGISTER) ends the protection of this part, and of nothing else
/// (userfaultfd_clear_vma()).
///
///   P |0 1 2 3 4 5 6 7|      0 1, then 4, then 7 no more registered
///          . .   . .
pub fn unregistered(ctx: &mut Ctx, kind: Option<Kind>) -> TestResult {
    let w = World::new(ctx)?;
    if w.features().version() < (6, 0) {
        return Err(Stop::Skip(
            "needs UFFDIO_UNREGISTER that ends the protection (Linux 6.0)",
        ));
    }
    let (p, a) = (w.actor("P")?, w.place(N));
    w.name(a, "a");
    match kind {
        Some(kind) => p.map_object(a, &w.object(kind, N)?, 0, RW, Share::Shared)?,
        None => p.map(a)?,
    }
    p.write(a)?;
    let k = p.keeper(0)?;
    k.register(a, WP)?;
    k.protect(a)?;
    for part in [a.sub(0..2), a.page(4), a.page(N - 1)] {
        k.unregister(part)?;
        w.check()?;
        w.check_kept()?;
        p.write(part)?;
    }
    w.check()?;
    p.write_kept(a.sub(2..4), &k)?;
    p.write_kept(a.page(5), &k)?;
    walk::every(&w)?;
    k.close()?;
    topology::write_by_each(&w)?;
    w.finish()
}

/// Written by a thread on another CPU than the one that protects the pages again: that CPU has to forget that it could write, or the thread's next
/// write is not heard of (change_pte_range()). Again and again: it may have had other things to do.
pub fn by_thread(ctx: &mut Ctx, kind: Option<Kind>) -> TestResult {
    let w = World::new(ctx)?;
    let (p, a) = (w.actor("P")?, w.place(N));
    w.name(a, "a");
    match kind {
        Some(kind) => p.map_object(a, &w.object(kind, N)?, 0, RW, Share::Shared)?,
        None => p.map(a)?,
    }
    p.write(a)?;
    let t = p.thread()?;
    let k = p.keeper(FEATURE_WP_ASYNC)?;
    k.register(a, WP)?;
    // Whoever writes waits for nobody.
    p.scan_written(a, false)?;
    k.unprotect(a)?;
    for _ in 0..4 {
        t.write(a)?;
        k.protect(a)?;
        let written = a.sub(1..N - 2);
        t.write(written)?;
        let left = w.marked(p, written)?;
        if left != 0 {
            return Err(Stop::fail(format_args!(
                "a write by another thread ends the protection of the page: {left} of {} pages are still protected",
                written.pages
            )));
        }
        k.unprotect(written)?;
        w.check()?;
        k.unprotect(a)?;
    }
    t.end()?;
    k.close()?;
    walk::every(&w)?;
    topology::write_by_each(&w)?;
    w.finish()
}
