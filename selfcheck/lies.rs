// SPDX-License-Identifier: GPL-2.0-or-later
//! Wrong answers injected into the oracles: each must make a test fail, by the check that it is about.
//!
//! A check that passes under its own lie compares nothing.

use crate::support::{alone, ended_with_env, root, skipped};

/// The test that the lies are told to: two mappers, private pages, no walk needed before the first check.
const TEST: &str = "cow.siblings";

/// Runs it under a lie; the property that failed must be the one given.
#[track_caller]
fn told(lie: &str, property: &str) {
    told_to(env!("CARGO_BIN_EXE_fork_tree"), TEST, lie, property);
}

#[track_caller]
fn told_to(program: &str, test: &str, lie: &str, property: &str) {
    if !root() {
        return skipped(&format!("the lie {lie}"), "needs root");
    }
    let _one = alone();
    let ended = ended_with_env(program, &[test], &[("RMAP_SELFTESTS_LIE", lie)]);
    // Without what the test needs it is skipped, which no lie can change.
    if ended.status == 4 && test != TEST {
        return skipped(&format!("the lie {lie}"), "its test is skipped here");
    }
    assert_eq!(ended.status, 1, "nobody noticed the lie {lie}: {ended:?}");
    assert!(
        ended.stdout.contains(&format!("not ok 1 {test}")),
        "{ended:?}"
    );
    assert!(
        ended.stdout.contains(property),
        "not by its own check: {ended:?}"
    );
    assert!(ended.stdout.contains("script:"), "no script: {ended:?}");
}

#[test]
fn a_wrong_pfn() {
    told("pfn", "all sharers map the same page");
}

#[test]
fn a_lost_mapper() {
    told("lost", "a mapped page stays mapped");
}

#[test]
fn a_wrong_count() {
    told("count", "the mapcount is the number of mappers");
}

#[test]
fn wrong_flags() {
    told("flags", "the page's flags tell what it is");
}

#[test]
fn a_wrong_exclusive_bit() {
    told("exclusive", "a shared anonymous page is not exclusive");
}

#[test]
fn wrong_content() {
    told(
        "content",
        "each mapper reads what was last written to its page",
    );
}

#[test]
fn a_missing_vma() {
    told("vma", "the address space is what the script made it");
}

#[test]
fn memory_that_nobody_has() {
    told("rss", "RssAnon is what is in the page tables");
}

#[test]
fn memory_that_nobody_locked() {
    told("areas", "VmLck is the size of the locked areas");
}

#[test]
fn address_space_that_nobody_has() {
    told("sizes", "the sizes of a process are those of its areas");
}

#[test]
fn wrong_shares() {
    let reclaim = env!("CARGO_BIN_EXE_reclaim");
    told_to(reclaim, "shares", "shares", "smaps counts a page for each");
    told_to(reclaim, "shares", "mincore", "mincore tells the pages");
    told_to(
        reclaim,
        "shares",
        "sum",
        "smaps counts anonymous pages as such",
    );
    if std::path::Path::new("/proc/self/numa_maps").exists() {
        told_to(reclaim, "shares", "gathered", "numa_maps counts the pages");
    }
}

#[test]
fn an_access_that_is_not_refused() {
    let property = "a page can be read and written as its mapping allows";
    let vma_ops = env!("CARGO_BIN_EXE_vma_ops");
    told_to(vma_ops, "split.alone", "protection", property);
}

#[test]
fn a_new_area_that_looks_old() {
    let vma_ops = env!("CARGO_BIN_EXE_vma_ops");
    let property = "an area that was mapped since the soft-dirty bits were cleared";
    told_to(vma_ops, "fresh.heap", "fresh", property);
}

#[test]
fn a_touch_that_nobody_sees() {
    let referenced = env!("CARGO_BIN_EXE_referenced");
    told_to(referenced, "forked", "untouched", "survives the pass");
}

#[test]
fn a_charge_that_is_lost() {
    if !root() {
        return skipped("the lie charge", "needs root");
    }
    let _one = alone();
    let program = env!("CARGO_BIN_EXE_fork_tree");
    let ended = ended_with_env(program, &[], &[("RMAP_SELFTESTS_LIE", "charge")]);
    let property = "a page that moves stays charged to its memory cgroup";
    if !ended.stdout.contains("pages moved") && !ended.stdout.contains(property) {
        return skipped("the lie charge", "no page moves here");
    }
    assert_eq!(ended.status, 1, "{ended:?}");
    assert!(ended.stdout.contains(property), "{ended:?}");
}

#[test]
fn objects_that_grow() {
    if !root() {
        return skipped("the lie objects", "needs root");
    }
    let _one = alone();
    let program = env!("CARGO_BIN_EXE_fork_chain");
    for test in ["exiting_ancestors", "objects_per_fork", "all_gone"] {
        let ended = ended_with_env(program, &[test], &[("RMAP_SELFTESTS_LIE", "objects")]);
        // Without anything to count by it is skipped, which no lie can change.
        if ended.status == 4 {
            skipped(
                &format!("the lie objects in {test}"),
                "nothing counts objects here",
            );
            continue;
        }
        assert_eq!(ended.status, 1, "nobody noticed it in {test}: {ended:?}");
        assert!(
            ended.stdout.contains(&format!("not ok 1 {test}")),
            "{ended:?}"
        );
    }
}

#[test]
fn no_such_lie() {
    if !root() {
        return skipped("an unknown lie", "needs root");
    }
    let _one = alone();
    let program = env!("CARGO_BIN_EXE_fork_tree");
    let ended = ended_with_env(program, &[TEST], &[("RMAP_SELFTESTS_LIE", "white")]);
    assert_eq!(ended.status, 1, "{ended:?}");
    assert!(ended.stdout.contains("no such lie"), "{ended:?}");
}
