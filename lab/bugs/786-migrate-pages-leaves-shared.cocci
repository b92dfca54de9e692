// SPDX-License-Identifier: GPL-2.0-or-later
// number: 786
// kind: bug
// title: migrate_pages() of a privileged caller leaves the pages that other
//   processes map as well, as only an unprivileged one's shall
// function: kernel_migrate_pages
// breaks: who has CAP_SYS_NICE moves all pages of a process to the other
//   nodes, the shared ones as well
// resembles: none known
// file: mm/mempolicy.c

@@
@@
kernel_migrate_pages(...)
{
<...
-capable(CAP_SYS_NICE) ? MPOL_MF_MOVE_ALL : MPOL_MF_MOVE
+capable(CAP_SYS_NICE) && !rmap_bug_is(786) ? MPOL_MF_MOVE_ALL : MPOL_MF_MOVE
...>
}
