// SPDX-License-Identifier: GPL-2.0-or-later
//! What cuts and joins VMAs by the way: advice, locks, names, userfaultfds, policies, keys (vma_modify() and its kin). And seals, which
//! keep VMAs as they are.

#![allow(missing_docs)] // each has its picture

use super::{ALL, ANON, Ground, LOCKABLE, LOST, N, Op, PRIVATE};
use crate::TestResult;
use crate::sys::mem::advice;
use crate::topology::{R, RW};
use crate::world::model::Lock;
use nix::libc::PROT_NONE;

/// Cut by one, cut by another across the first, both taken back.
fn two(g: &Ground, on: [i32; 2], off: [i32; 2]) -> TestResult {
    g.c.advise(g.a.sub(2..7), on[0])?;
    g.c.advise(g.a.sub(5..10), on[1])?;
    g.c.advise(g.a.sub(2..10), off[0])?;
    g.c.advise(g.a.sub(3..N), off[1])
}

pub const ADVISE: &[Op] = &[
    Op {
        name: "kept",
        picture: "|0 1|dd 2..4|dd dc 5 6|dc 7 8|9..11|",
        on: ALL,
        run: |g| {
            g.c.advise(g.a.sub(2..7), advice::DONTDUMP)?;
            g.c.advise(g.a.sub(5..9), advice::DONTFORK)
        },
    },
    Op {
        name: "dump_fork",
        picture: "|0 ........ 11|, was cut by DONTDUMP and DONTFORK",
        on: ALL,
        run: |g| {
            let on = [advice::DONTDUMP, advice::DONTFORK];
            two(g, on, [advice::DODUMP, advice::DOFORK])
        },
    },
    Op {
        name: "reading",
        picture: "|0 ........ 11|, was cut by RANDOM and SEQUENTIAL",
        on: ALL,
        run: |g| {
            let on = [advice::RANDOM, advice::SEQUENTIAL];
            two(g, on, [advice::NORMAL, advice::NORMAL])
        },
    },
    Op {
        name: "wipe",
        picture: "|0 ........ 11|, was cut by WIPEONFORK",
        on: ANON,
        run: |g| {
            let on = [advice::WIPEONFORK, advice::DONTDUMP];
            two(g, on, [advice::KEEPONFORK, advice::DODUMP])
        },
    },
    Op {
        name: "given_back",
        picture: "|. . 2 3' . .|dd 6 7' . .|10' 11|",
        on: PRIVATE,
        run: |g| {
            g.c.advise(g.a.sub(6..10), advice::DONTDUMP)?;
            g.c.advise(g.a.sub(0..2), advice::DONTNEED)?;
            g.c.advise(g.a.sub(4..6), advice::DONTNEED)?;
            g.c.advise(g.a.sub(8..11), advice::DONTNEED)?;
            for i in [3, 7, 10] {
                g.c.write(g.a.page(i))?;
            }
            Ok(())
        },
    },
];

/// What nobody may access is mapped all the same: its pages are found, moved and swapped as any others.
pub const CLOSE: &[Op] = &[
    Op {
        name: "part",
        picture: "|0..3|- 4..7|8..11|",
        on: ALL,
        run: |g| g.c.protect(g.a.sub(4..8), PROT_NONE),
    },
    Op {
        name: "all",
        picture: "|- 0 ........ 11|",
        on: ALL,
        run: |g| g.c.protect(g.a, PROT_NONE),
    },
    Op {
        name: "opened",
        picture: "|0 .. 3|- 4 5|r 6 7|8 .. 11|, was |- 0 .. 9|10 11|",
        on: ALL,
        run: |g| {
            g.c.protect(g.a.sub(0..10), PROT_NONE)?;
            g.c.protect(g.a.sub(8..10), RW)?;
            g.c.protect(g.a.sub(0..4), RW)?;
            g.c.protect(g.a.sub(6..8), R)
        },
    },
];

pub const LOCK: &[Op] = &[
    Op {
        name: "kept",
        picture: "|0..3|lo 4..6|7..11|",
        on: LOCKABLE,
        run: |g| g.c.lock(g.a.sub(4..7), Lock::Full),
    },
    Op {
        name: "taken_back",
        picture: "|0 ........ 11|, was |0 1|lo 2..6|7..11|",
        on: LOCKABLE,
        run: |g| {
            g.c.lock(g.a.sub(2..7), Lock::Full)?;
            g.c.unlock(g.a.sub(2..4))?;
            g.c.unlock(g.a.sub(3..7))
        },
    },
    Op {
        name: "shifted",
        picture: "|lo 0..6|7..11|, was |lo 0..3|4..11| and |lo 0..8|9..11|",
        on: LOCKABLE,
        run: |g| {
            g.c.lock(g.a.sub(0..4), Lock::OnFault)?;
            g.c.lock(g.a.sub(4..9), Lock::OnFault)?;
            g.c.unlock(g.a.sub(7..9))
        },
    },
    Op {
        name: "grown",
        picture: "|lo 0 ........ 11 12' 13'|",
        on: LOCKABLE,
        run: |g| {
            g.c.lock(g.a, Lock::Full)?;
            g.c.make_room(g.a.after(2))?;
            g.c.resize(g.a, N + 2).map(drop)
        },
    },
    Op {
        name: "grown_and_moved",
        picture: "to |lo 0 ........ 11 12' 13' 14'|",
        on: LOCKABLE,
        run: |g| {
            g.c.lock(g.a, Lock::Full)?;
            g.c.move_resized(g.a, g.place("to", N + 3))
        },
    },
];

pub const NAME: &[Op] = &[
    Op {
        name: "kept",
        picture: "|0..3|one 4..6|two 7 8|9..11|",
        on: ANON,
        run: |g| {
            g.c.name_vma(g.a.sub(4..9), Some("one"))?;
            g.c.name_vma(g.a.sub(7..9), Some("two"))
        },
    },
    Op {
        name: "cut",
        picture: "|one 0..3|. .|one r 6|one 7..11|   to |one 4 5|, and in a child",
        on: ANON,
        run: |g| {
            g.c.name_vma(g.a, Some("one"))?;
            g.c.protect(g.a.page(6), R)?;
            let to = g.place("to", 2);
            g.c.move_to(g.a.sub(4..6), to)?;
            let child = g.c.fork("named")?;
            g.w.check_areas()?;
            child.exit()
        },
    },
    Op {
        name: "taken_back",
        picture: "|0 ........ 11|, was |0..3|one 4..6|two 7..9|10 11|",
        on: ANON,
        run: |g| {
            g.c.name_vma(g.a.sub(4..8), Some("one"))?;
            g.c.name_vma(g.a.sub(7..10), Some("two"))?;
            g.c.write(g.a.sub(6..8))?;
            g.c.name_vma(g.a.sub(4..7), Some("two"))?;
            g.c.name_vma(g.a.sub(4..10), None)
        },
    },
];

pub const REGISTER: &[Op] = &[
    Op {
        name: "taken_back",
        picture: "|0 ........ 11|, was |0..2|um 3..7|8..11|, then |0..4|um 5..7|8..11|",
        on: PRIVATE,
        run: |g| {
            g.c.uffd_start(0)?;
            g.c.uffd_register(g.a.sub(3..8))?;
            g.c.uffd_unregister(g.a.sub(3..5))?;
            g.c.uffd_unregister(g.a.sub(5..8))?;
            g.c.uffd_close()
        },
    },
    Op {
        name: "closed",
        picture: "|0 ........ 11|, was |0|um 1 2|3..5|um 6..9|10 11| when the file was closed",
        on: PRIVATE,
        run: |g| {
            g.c.uffd_start(0)?;
            g.c.uffd_register(g.a.sub(6..10))?;
            g.c.uffd_register(g.a.sub(1..3))?;
            g.c.uffd_close()
        },
    },
    Op {
        name: "moved",
        picture: "|0..2|. . . .|7..11|   to |3..6|, registered while they moved, closed",
        on: PRIVATE,
        run: |g| {
            g.c.uffd_start(0)?;
            g.c.uffd_register(g.a.sub(3..7))?;
            g.c.move_to(g.a.sub(3..7), g.place("to", 4))?;
            g.c.uffd_close()
        },
    },
];

/// The policy of a VMA keeps it from its neighbours, and from their anon_vma.
pub const POLICY: &[Op] = &[
    Op {
        name: "kept",
        picture: "|0..3|node 4..7|8..11|",
        on: ALL,
        run: |g| g.c.bind(g.a.sub(4..8), node(g)),
    },
    Op {
        name: "beside",
        picture: "|0' .. 3'|node 4..7|8' .. 11'|",
        on: ALL,
        run: |g| {
            g.c.bind(g.a.sub(4..8), node(g))?;
            g.c.unmap(g.a.sub(0..4))?;
            g.c.unmap(g.a.sub(8..N))?;
            g.map(g.a.sub(0..4), 0)?;
            g.map(g.a.sub(8..N), 8)?;
            g.c.write(g.a.sub(1..3))?;
            g.c.write(g.a.sub(8..9))
        },
    },
    Op {
        name: "taken_back",
        picture: "|0 ........ 11|, was |0 1|node 2..6|7..11|, 5 6 written then",
        on: ALL,
        run: |g| {
            g.c.bind(g.a.sub(2..7), node(g))?;
            g.c.write(g.a.sub(5..8))?;
            g.c.bind(g.a.sub(2..4), None)?;
            g.c.bind(g.a, None)
        },
    },
    Op {
        name: "moved",
        picture: "|0..3|. . . .|8..11|   to |node 4..7|, and |node 0 1|. .|   to |node 2 3|, empty where they were",
        on: PRIVATE,
        run: |g| {
            g.c.bind(g.a.sub(4..8), node(g))?;
            g.c.move_to(g.a.sub(4..8), g.place("to", 4))?;
            g.c.bind(g.a.sub(0..4), node(g))?;
            g.c.move_dontunmap(g.a.sub(2..4), g.place("there", 2))
        },
    },
];

fn node(g: &Ground) -> Option<i32> {
    g.w.features().nodes.first().copied()
}

pub const KEY: &[Op] = &[
    Op {
        name: "kept",
        picture: "|0..3|key 4..7|8..11|",
        on: ALL,
        run: |g| g.c.protect_key(g.a.sub(4..8), true),
    },
    Op {
        name: "taken_back",
        picture: "|0 ........ 11|, was |0 1|key 2..7|8..11|",
        on: ALL,
        run: |g| {
            g.c.protect_key(g.a.sub(2..8), true)?;
            g.c.write(g.a.sub(6..LOST))?;
            g.c.write(g.a.page(LOST + 1))?;
            g.c.protect_key(g.a.sub(2..5), false)?;
            g.c.protect_key(g.a.sub(4..8), false)
        },
    },
    Op {
        name: "moved",
        picture: "|0..3|. . . .|8..11|   to |key 4..7|",
        on: ALL,
        run: |g| {
            g.c.protect_key(g.a.sub(4..8), true)?;
            g.c.move_to(g.a.sub(4..8), g.place("to", 4))
        },
    },
];

pub const SEAL: &[Op] = &[
    Op {
        name: "part",
        picture: "|0..3|sl 4..7|8..11|",
        on: ALL,
        run: |g| {
            g.c.seal(g.a.sub(4..8))?;
            g.c.check_sealed(g.a.sub(4..8), g.place("elsewhere", 4))
        },
    },
    Op {
        name: "around",
        picture: ". .|2 3|sl 4..7|8 9|r 10 11|",
        on: ALL,
        run: |g| {
            g.c.seal(g.a.sub(4..8))?;
            g.c.unmap(g.a.sub(0..2))?;
            g.c.protect(g.a.sub(10..N), R)?;
            g.c.write(g.a.sub(3..LOST))?;
            g.c.write(g.a.page(LOST + 1))
        },
    },
];
