// SPDX-License-Identifier: GPL-2.0-or-later
//! What is no access, or counts for none: reading in order, moving, coming back from swap.

use super::TOUCHED;
use helpers::supervise::Test;
use helpers::topology::filled;
use helpers::walk::{active, uncounted};
use helpers::world::World;

pub const SEQUENTIAL: Test = Test {
    name: "sequential",
    about: "A touch through a mapping that is read in order is no reason to keep a page.",
    run: |c| uncounted::taken(c),
    ..TOUCHED
};

pub const SEQUENTIAL_GONE: Test = Test {
    name: "sequential.gone",
    about: "A touch through a mapping that is read in order is forgotten with the mapping.",
    run: |c| {
        let w = World::new(c)?;
        uncounted::unmapped(&w)?;
        w.finish()
    },
    ..TOUCHED
};

pub const MOVED_ACTIVE: Test = Test {
    name: "moved.active",
    about: "What was active is active where it has moved to, and nothing else.",
    run: |c| {
        let w = World::new(c)?;
        active::moved(&w)?;
        w.finish()
    },
    ..TOUCHED
};

pub const SWAPOFF: Test = Test {
    name: "swapoff",
    about: "What swapoff brings back nobody has accessed by that.",
    run: |c| {
        let w = World::new(c)?;
        let (p, a) = filled(&w, "P", 16)?;
        uncounted::swapped_in(&w, p, a)?;
        w.finish()
    },
    ..TOUCHED
};
