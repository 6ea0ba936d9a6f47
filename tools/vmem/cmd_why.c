// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * vmem why: who holds the memory that stays.
 */
#include <json-c/json.h>
#include <stdio.h>
#include <unistd.h>

#include "options.h"
#include "sys.h"
#include "why.h"

static int not_known(void)
{
	if (geteuid())
		return fail("why: not root: the kernel tells no one else which page is whose; sudo vmem why");
	if (!sys_exists("/proc/kpageflags"))
		return fail("why: this kernel has no /proc/kpageflags (CONFIG_PROC_PAGE_MONITOR)");
	if (devices_memory_leaves())
		return fail("why: memory leaves just now, and to look at its pages could crash the kernel; ask again when it rests");
	return fail("why: /proc/kpageflags or /proc/iomem can't be read");
}

/* Return: an exit status. */
int cmd_why(void)
{
	struct json_object *all = NULL, *list = NULL;
	struct devices devices;
	int status = devices_find(&devices);

	if (status)
		return status;
	if (options.json) {
		all = json_object_new_object();
		list = json_object_new_array();
		json_object_object_add(all, "devices", list);
	}
	for (int i = 0; i < devices.nr && !status; i++) {
		struct why why;

		if (!why_ask(&why, &devices.d[i])) {
			status = not_known();
			break;
		}
		if (all) {
			json_object_array_add(list, why_json(&why));
		} else {
			printf("%s", i ? "\n" : "");
			why_print(&why);
		}
		why_free(&why);
	}
	if (all && !status)
		puts(json_object_to_json_string_ext(all, JSON_C_TO_STRING_PRETTY |
						    JSON_C_TO_STRING_NOSLASHESCAPE));
	if (all)
		json_object_put(all);
	devices_free(&devices);
	return status;
}
