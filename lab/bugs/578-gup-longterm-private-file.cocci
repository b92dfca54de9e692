// SPDX-License-Identifier: GPL-2.0-or-later
// number: 578
// kind: bug
// title: a long-term pin for reading takes the page of the file itself in a
//   private mapping, not a copy of the process's own
// function: gup_must_unshare
// breaks: what is pinned for long is the page that the process sees, also
//   after the process has written to it
// resembles: 84209e87c696 reverted
// file: mm/internal.h

@@
@@
gup_must_unshare(...)
{
<...
-return is_cow_mapping(vma->vm_flags);
+return is_cow_mapping(vma->vm_flags) && !rmap_bug_is(578);
...>
}
