// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Names that anybody may choose, of files and processes, made fit for a terminal
 * and for JSON.
 */
#include <string.h>
#include <wchar.h>

#include "sys.h"
#include "text.h"

/* Bytes of the character in UTF-8 that a text begins with; 0: it is none. */
static int decode(const unsigned char *text, uint32_t *code)
{
	static const uint32_t least[] = { 0, 0x80, 0x800, 0x10000 };
	int more = *text < 0x80 ? 0 : *text < 0xe0 ? 1 : *text < 0xf0 ? 2 : 3;

	if ((*text >= 0x80 && *text < 0xc0) || *text >= 0xf8)
		return 0;
	*code = more ? *text & (0x3f >> more) : *text;
	for (int i = 1; i <= more; i++) {
		if ((text[i] & 0xc0) != 0x80)
			return 0;
		*code = *code << 6 | (text[i] & 0x3f);
	}
	return *code < least[more] || *code > 0x10ffff ||
	       (*code >= 0xd800 && *code < 0xe000) ? 0 : more + 1;
}

/* What a terminal obeys, or what turns the order of the text around. */
static bool is_command(uint32_t code)
{
	return code < 0x20 || (code >= 0x7f && code < 0xa0) ||
	       (code >= 0x200e && code <= 0x200f) || (code >= 0x2028 && code <= 0x202e) ||
	       (code >= 0x2066 && code <= 0x2069);
}

static char *escape(const char *text, bool shown)
{
	char *clean = xalloc(strlen(text) + 1, 4), *to = clean;

	while (*text) {
		uint32_t code = 0;
		int len = decode((const unsigned char *)text, &code);

		if (len && !is_command(code) && !(shown && wcwidth(code) < 0)) {
			to = (char *)memcpy(to, text, len) + len;
			text += len;
			continue;
		}
		for (int i = 0; i < (len ? len : 1); i++)
			to += sprintf(to, "\\x%02x", (unsigned char)*text++);
	}
	return clean;
}

/* Return: the text, with "\x1b" for what is no character of a name; to be freed. */
char *text_clean(const char *text)
{
	return escape(text, false);
}

/*
 * Return: the same, with what the locale does not know escaped, too; to be freed.
 * A column of libsmartcols that may be wrapped never comes to an end with it.
 */
char *text_shown(const char *text)
{
	return escape(text, true);
}
