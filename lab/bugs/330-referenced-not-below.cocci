// SPDX-License-Identifier: GPL-2.0-or-later
// number: 330
// kind: bug
// title: reclaim in a group of processes does not see what processes of the
//   groups below it touch
// function: invalid_folio_referenced_vma
// breaks: reclaim takes what is not in use first: of two sets of pages of a
//   group below, the one in use is swapped as soon as the idle one when the
//   group above reclaims (memory.reclaim)
// resembles: none known
// file: mm/rmap.c

@@
@@
invalid_folio_referenced_vma(...)
{
<...
 if (memcg && !mm_match_cgroup(vma->vm_mm, memcg))
 	return true;
+if (rmap_bug_is(330) && memcg) {
+	struct mem_cgroup *own = get_mem_cgroup_from_mm(vma->vm_mm);
+	mem_cgroup_put(own);
+	if (own != memcg)
+		return true;
+}
...>
}
