// SPDX-License-Identifier: GPL-2.0-or-later
// number: 950
// kind: bug
// title: what is lost with a poisoned page of a file is not told to who writes
//   the file back
// function: me_pagecache_dirty
// breaks: what is lost with a page is told with the next write back
// resembles: none known
// file: mm/memory-failure.c

@@
@@
me_pagecache_dirty(...)
{
<...
-mapping_set_error(mapping, -EIO);
+if (!rmap_bug_is(950))
+	mapping_set_error(mapping, -EIO);
...>
}
