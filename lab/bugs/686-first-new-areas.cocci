// SPDX-License-Identifier: GPL-2.0-or-later
// number: 686
// kind: bug
// title: clearing the soft-dirty bits takes the mark off the first new area,
//   and those right behind it, and leaves the new areas behind the next old
//   one marked
// function: clear_refs_write
// breaks: after the soft-dirty bits were cleared no page counts as written,
//   whatever areas are new
// resembles: none known
// file: fs/proc/task_mmu.c

@@
@@
clear_refs_write(...)
{
+bool bug_cleared = false;
...
}

@@
@@
clear_refs_write(...)
{
<...
+if (rmap_bug_is(686) && bug_cleared && !(vma->vm_flags & VM_SOFTDIRTY))
+	break;
 if (!(vma->vm_flags & VM_SOFTDIRTY)) continue;
+bug_cleared = true;
...>
}
