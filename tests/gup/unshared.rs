// SPDX-License-Identifier: GPL-2.0-or-later
//! Who pins a page for reading that a fork shares gets a copy of it for its process first (FAULT_FLAG_UNSHARE): else the process would get the
//! copy when it writes, and whoever reads the pinned page would never see that.

use helpers::actor::pin::Way;
use helpers::kernel::pagemap::Pfn;
use helpers::supervise::{Ctx, Need, Test};
use helpers::topology::{self, Grain};
use helpers::world::{Actor, Area, World};
use helpers::{Stop, TestResult, walk};

/// Pages of the small area.
const N: usize = 8;

/// A page of a huge page is copied where one of a small area is: what decides it is asked of each kind of entry (follow_page_pte(),
/// follow_huge_pmd()), and neither is found by the lockless walk, which is of one's own memory only.
///
///   P  b [0 1 2 3 4 5 6 7]   a |==== PMD ====|     C  both     X  reads P's b[3] and some of a (process_vm_readv)
fn thp(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let (x, p) = (w.actor("X")?, w.actor("P")?);
    let b = Grain::Base.map(&w, p, N)?;
    w.name(b, "b");
    p.write(b)?;
    let a = Grain::Huge.map(&w, p, 1)?;
    p.write(a)?;
    Grain::Huge.verify(&w, p, a)?;
    let c = p.fork("C")?;
    w.check()?;
    let apart = |page: Area| -> TestResult<bool> {
        let pfn = |of: Actor| -> TestResult<Pfn> {
            let seen = w.pages_of(of, page)?[0];
            let gone = Stop::Skip("needs memory that nobody else reclaims");
            seen.map(|(pfn, _)| pfn).ok_or(gone)
        };
        Ok(pfn(p)? != pfn(c)?)
    };
    x.peek(p, b.page(3), Way::Vm)?;
    if !apart(b.page(3))? {
        return Err(Stop::Skip(
            "needs copies for who pins a shared page (Linux 5.19)",
        ));
    }
    for i in [0, a.pages / 2, a.pages - 1] {
        x.peek(p, a.page(i), Way::Vm)?;
        if !apart(a.page(i))? {
            return Err(Stop::fail(format_args!(
                "a pin for reading is of no page that a fork shares: page {i} of a huge page is still C's, a small one was copied"
            )));
        }
    }
    w.check()?;
    walk::every(&w)?;
    topology::write_by_each(&w)?;
    w.finish()
}

pub const THP: Test = Test {
    name: "peek.thp",
    about: "Who pins a shared page for reading gets a copy of it, also of a part of a huge page.",
    needs: &[Need::Thp, Need::Pfn, Need::KpageFlags, Need::MemMib(64)],
    run: thp,
    ..Test::DEFAULT
};
