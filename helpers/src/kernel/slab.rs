// SPDX-License-Identifier: GPL-2.0-or-later
//! Live objects of a slab cache.

/// How many objects of `cache` are in use, from /sys/kernel/slab or /proc/slabinfo; `None` when neither shows it, or when the cache is merged with another
/// (then the number would count strangers).
pub fn objects(_cache: &str) -> Option<u64> {
    unimplemented!()
}
/// Object size in bytes.
pub fn object_size(_cache: &str) -> Option<u64> {
    unimplemented!()
}
/// Asks the kernel to give back empty slabs so that counts become exact (/sys/kernel/slab/CACHE/shrink); false when not possible.
pub fn shrink(_cache: &str) -> bool {
    unimplemented!()
}
