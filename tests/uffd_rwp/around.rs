// SPDX-License-Identifier: GPL-2.0-or-later
//! Pages of an object in an area that is registered: who touches one has touched that one, and no neighbours come along with it (uffd_disable_fault_around()).

use super::MARK;
use helpers::kernel::pagemap::State;
use helpers::supervise::{Ctx, Need, Test};
use helpers::sys::uffd::{FEATURE_RWP, RWP};
use helpers::topology::{NONE, R, RW};
use helpers::world::{Kind, Share, World};
use helpers::{Stop, TestResult, walk};

/// Pages: more than one fault brings in elsewhere.
const N: usize = 32;

///   object    0 1 2 3 ... 31        all in memory, written by Q
///   P         . . 2 . ... 9 . .     registered, 2 and 9 read
fn around(ctx: &mut Ctx, share: Share) -> TestResult {
    let w = World::new(ctx)?;
    let file = w.object(Kind::Memfd, N)?;
    let (p, q) = (w.actor("P")?, w.actor("Q")?);
    let (a, b) = (w.place(N), w.place(N));
    w.name(a, "a");
    w.name(b, "b");
    q.map_object(b, &file, 0, RW, Share::Shared)?;
    q.write(b)?;
    // Nothing is read before it is registered.
    p.map_object(a, &file, 0, NONE, share)?;
    p.protect(a, R)?;
    let k = p.keeper(FEATURE_RWP)?;
    k.register(a, RWP)?;
    for i in [2, 9] {
        p.read(a.page(i))?;
    }
    let there = |state: &State| matches!(state, State::Present(_));
    let seen = w.states(p, a)?;
    let found: Vec<usize> = (0..N).filter(|&i| there(&seen[i])).collect();
    if found.is_empty() {
        return Err(Stop::Skip("needs memory that nobody else reclaims"));
    }
    if found.iter().any(|i| ![2, 9].contains(i)) {
        return Err(Stop::fail(format_args!(
            "a touch brings in the page that was touched, where userfaultfd protects pages from any access: pages 2 and 9 were read, {found:?} are mapped"
        )));
    }
    w.check()?;
    k.close()?;
    walk::plain(&w)?;
    w.finish()
}

pub const SHARED: Test = Test {
    name: "around",
    run: |c| around(c, Share::Shared),
    needs: &[Need::Pagemap],
    ..MARK
};
pub const PRIVATE: Test = Test {
    name: "around.private",
    run: |c| around(c, Share::Private),
    needs: &[Need::Pagemap],
    ..MARK
};
