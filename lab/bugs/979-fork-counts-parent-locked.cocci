// SPDX-License-Identifier: GPL-2.0-or-later
// number: 979
// kind: bug
// title: a forked child counts as locked what its parent has locked
// function: mm_init
// breaks: a child has nothing locked, and its VmLck is zero
// resembles: none known
// file: kernel/fork.c

@@
@@
mm_init(...)
{
<...
-mm->locked_vm = 0;
+if (!rmap_bug_is(979))
+	mm->locked_vm = 0;
...>
}
