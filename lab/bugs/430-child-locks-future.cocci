// SPDX-License-Identifier: GPL-2.0-or-later
// number: 430
// kind: bug
// title: a child of a process that locks its future areas (MCL_FUTURE) locks
//   its own as well
// function: mm_init
// breaks: memory locks are not inherited: what a child maps is not mlocked
// resembles: none known
// file: kernel/fork.c

@@
@@
mm_init(...)
{
<...
-mm->def_flags = current->mm->def_flags & VM_INIT_DEF_MASK;
+mm->def_flags = current->mm->def_flags &
+	(VM_INIT_DEF_MASK | (rmap_bug_is(430) ? VM_LOCKED_MASK : 0));
...>
}
