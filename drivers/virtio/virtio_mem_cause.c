// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * PURE: the causes why the driver has not done something, and their words for
 * people and for tools.
 */
#include "virtio_mem_cause.h"

/**
 * virtio_mem_cause_is_block() - whether a cause can be kept with one big block
 * @cause: the cause
 *
 * Return: true if it can; false if it concerns the device as a whole.
 */
bool virtio_mem_cause_is_block(enum virtio_mem_cause cause)
{
	return cause <= VIRTIO_MEM_CAUSE_INTERRUPTED;
}

static const struct {
	const char *token;
	const char *text;
} causes[VIRTIO_MEM_CAUSE_NR] = {
	[VIRTIO_MEM_CAUSE_NONE] = { "-", "none" },
	[VIRTIO_MEM_CAUSE_DEV_NACK] = {
		"nack", "the device refuses (NACK)" },
	[VIRTIO_MEM_CAUSE_DEV_ERROR] = {
		"error", "the device answers ERROR" },
	[VIRTIO_MEM_CAUSE_NOMEM] = {
		"nomem", "the guest lacks free memory for it" },
	[VIRTIO_MEM_CAUSE_ADD_FAILED] = {
		"add-failed", "Linux refuses to add the memory" },
	[VIRTIO_MEM_CAUSE_UNMOVABLE] = {
		"unmovable", "unmovable kernel pages are in the way" },
	[VIRTIO_MEM_CAUSE_HUGETLB] = {
		"hugetlb", "a gigantic hugetlb page is in the way" },
	[VIRTIO_MEM_CAUSE_PINNED] = {
		"pinned", "pages are pinned or could not be migrated" },
	[VIRTIO_MEM_CAUSE_VETO] = {
		"veto", "offlining was refused" },
	[VIRTIO_MEM_CAUSE_DEADLINE] = {
		"deadline", "unplugging took longer than allowed" },
	[VIRTIO_MEM_CAUSE_KEPT_ONLINE] = {
		"kept-online", "memory is online and unplug_online is off" },
	[VIRTIO_MEM_CAUSE_FOREIGN] = {
		"foreign", "the memory was not added by this driver as a whole" },
	[VIRTIO_MEM_CAUSE_HOTPLUG] = {
		"hotplug", "user space is onlining or offlining it" },
	[VIRTIO_MEM_CAUSE_OUTSIDE] = {
		"outside", "the device's usable region has become too small" },
	[VIRTIO_MEM_CAUSE_INTERRUPTED] = {
		"interrupted", "given up for something newer" },
	[VIRTIO_MEM_CAUSE_PRESSURE] = {
		"pressure", "what is in use would not fit into the memory left" },
	[VIRTIO_MEM_CAUSE_DEV_BUSY] = {
		"busy", "the device is busy" },
	[VIRTIO_MEM_CAUSE_DEV_SILENT] = {
		"no-answer", "the device does not answer" },
	[VIRTIO_MEM_CAUSE_ONLINE_LIMIT] = {
		"online-limit", "added memory waits to be onlined" },
	[VIRTIO_MEM_CAUSE_NO_BB] = {
		"no-block", "no big block is left that could be used" },
};

/**
 * virtio_mem_cause_text() - a cause as people read it
 * @cause: the cause
 *
 * Return: a constant string, the middle of a sentence.
 */
const char *virtio_mem_cause_text(enum virtio_mem_cause cause)
{
	return cause < VIRTIO_MEM_CAUSE_NR ? causes[cause].text : "?";
}

/**
 * virtio_mem_cause_token() - a cause as tools read it
 * @cause: the cause
 *
 * Return: a constant string without white space.
 */
const char *virtio_mem_cause_token(enum virtio_mem_cause cause)
{
	return cause < VIRTIO_MEM_CAUSE_NR ? causes[cause].token : "?";
}
