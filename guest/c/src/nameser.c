/* Messages of the DNS (RFC 1035, section 4): names, headers and records. */
#include <arpa/nameser.h>
#include <ctype.h>
#include <errno.h>
#include <resolv.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { POINTER = 0xc0, POINTER_SIZE = 2, FARTHEST = 0x3fff };

const struct _ns_flagdata _ns_flagdata[16] = {
    {0x8000, 15}, /* qr */
    {0x7800, 11}, /* opcode */
    {0x0400, 10}, /* aa */
    {0x0200, 9}, /* tc */
    {0x0100, 8}, /* rd */
    {0x0080, 7}, /* ra */
    {0x0040, 6}, /* z */
    {0x0020, 5}, /* ad */
    {0x0010, 4}, /* cd */
    {0x000f, 0}, /* rcode */
};

static int too_long(void)
{
	errno = EMSGSIZE;
	return -1;
}

unsigned ns_get16(const unsigned char *at)
{
	return (unsigned)at[0] << 8 | at[1];
}

unsigned long ns_get32(const unsigned char *at)
{
	return (unsigned long)ns_get16(at) << 16 | ns_get16(at + 2);
}

void ns_put16(unsigned value, unsigned char *at)
{
	at[0] = (unsigned char)(value >> 8);
	at[1] = (unsigned char)value;
}

void ns_put32(unsigned long value, unsigned char *at)
{
	ns_put16((unsigned)(value >> 16), at);
	ns_put16((unsigned)value, at + 2);
}

int dn_skipname(const unsigned char *at, const unsigned char *end)
{
	const unsigned char *start = at;

	while (at < end) {
		unsigned char length = *at;
		if (length == 0)
			return (int)(at + 1 - start);
		if ((length & POINTER) == POINTER)
			return end - at < POINTER_SIZE ? too_long() : (int)(at + POINTER_SIZE - start);
		if ((length & POINTER) != 0 || end - at <= length)
			break;
		at += 1 + length;
	}
	return too_long();
}

/* Writes a label as text, with escapes (RFC 4343, section 2.1). Returns its length, or 0 if there
 * is no room for it and a NUL. */
static size_t write_label(const unsigned char *label, size_t length, char *to, size_t room)
{
	size_t used = 0;

	for (size_t i = 0; i < length; i++) {
		char text[5];
		unsigned char c = label[i];
		int n = snprintf(text, sizeof text,
		    !isgraph(c) ? "\\%03d" : strchr("\".;\\()@$", c) != NULL ? "\\%c" : "%c", c);
		if (used + (size_t)n >= room)
			return 0;
		memcpy(to + used, text, (size_t)n);
		used += (size_t)n;
	}
	return used;
}

int dn_expand(const unsigned char *message, const unsigned char *end, const unsigned char *at,
    char *name, int size)
{
	int length = dn_skipname(at, end);
	size_t used = 0, room = size > 0 ? (size_t)size : 0;

	if (length < 0 || room == 0)
		return too_long();
	/* A pointer leads backwards, to where no name began yet, so the loop ends. */
	for (const unsigned char *least = at;;) {
		size_t n;
		if (at >= end || ((*at & POINTER) == POINTER && end - at < POINTER_SIZE))
			return too_long();
		if ((*at & POINTER) == POINTER) {
			const unsigned char *to = message + (ns_get16(at) & FARTHEST);
			if (to >= least)
				return too_long();
			at = least = to;
			continue;
		}
		if (*at == 0)
			break;
		if ((*at & POINTER) != 0 || end - at <= *at)
			return too_long();
		if (used > 0) {
			if (used + 1 >= room)
				return too_long();
			name[used++] = '.';
		}
		n = write_label(at + 1, *at, name + used, room - used);
		if (n == 0)
			return too_long();
		used += n;
		at += 1 + *at;
	}
	name[used] = '\0';
	return length;
}

int ns_name_uncompress(const unsigned char *message, const unsigned char *end,
    const unsigned char *at, char *name, size_t size)
{
	return dn_expand(message, end, at, name, size > NS_MAXDNAME ? NS_MAXDNAME : (int)size);
}

/* Reads a label of a text, with escapes, and moves on to the text after its dot. Returns its
 * length, or -1 if it is none. */
static int read_label(const char **text, unsigned char label[NS_MAXLABEL])
{
	const char *s = *text;
	int length = 0;

	while (*s != '\0' && *s != '.') {
		unsigned c = (unsigned char)*s++;
		if (c == '\\') {
			c = (unsigned char)*s++;
			if (isdigit(c)) {
				if (!isdigit((unsigned char)s[0]) || !isdigit((unsigned char)s[1]))
					return -1;
				c = (c - '0') * 100 + (unsigned)(s[0] - '0') * 10 + (unsigned)(s[1] - '0');
				s += 2;
			}
			if (s[-1] == '\0' || c > 255)
				return -1;
		}
		if (length == NS_MAXLABEL)
			return -1;
		label[length++] = (unsigned char)c;
	}
	if (length == 0)
		return -1;
	*text = *s == '.' ? s + 1 : s;
	return length;
}

/* Returns the offset in the message of a name that it has already, or -1. */
static int find_name(const char *name, unsigned char **names, const unsigned char *end)
{
	const unsigned char *message = names[0];
	size_t length = strlen(name);

	if (length > 0 && name[length - 1] == '.')
		length--;
	for (size_t i = 1; names[i] != NULL; i++)
		for (const unsigned char *at = names[i]; at < end && *at != 0 && (*at & POINTER) == 0;
		     at += 1 + *at) {
			char other[NS_MAXDNAME];
			if (at - message <= FARTHEST &&
			    dn_expand(message, end, at, other, sizeof other) > 0 &&
			    strlen(other) == length && strncasecmp(name, other, length) == 0)
				return (int)(at - message);
		}
	return -1;
}

int dn_comp(const char *name, unsigned char *to, int room, unsigned char **names,
    unsigned char **last)
{
	int used = 0, total = 0;

	if (strcmp(name, ".") == 0)
		name++;
	while (*name != '\0') {
		unsigned char label[NS_MAXLABEL];
		int known = names != NULL && names[0] != NULL ? find_name(name, names, to) : -1;
		int length;

		if (known >= 0) {
			if (used + POINTER_SIZE > room)
				return too_long();
			ns_put16((unsigned)known | POINTER << 8, to + used);
			used += POINTER_SIZE;
			break;
		}
		length = read_label(&name, label);
		total += 1 + length;
		if (length < 0 || total >= NS_MAXCDNAME || used + 1 + length > room)
			return too_long();
		to[used++] = (unsigned char)length;
		memcpy(to + used, label, (size_t)length);
		used += length;
	}
	if (*name == '\0') {
		if (used == room)
			return too_long();
		to[used++] = 0;
	}
	if (names != NULL && names[0] != NULL && last != NULL && (to[0] & POINTER) == 0 && to[0] != 0) {
		unsigned char **free = names;
		while (*free != NULL)
			free++;
		if (free < last - 1) {
			free[0] = to;
			free[1] = NULL;
		}
	}
	return used;
}

int ns_skiprr(const unsigned char *at, const unsigned char *end, ns_sect section, int count)
{
	const unsigned char *start = at;

	for (; count > 0; count--) {
		int fixed = section == ns_s_qd ? NS_QFIXEDSZ : NS_QFIXEDSZ + NS_INT32SZ + NS_INT16SZ;
		int length = dn_skipname(at, end);
		if (length < 0 || end - at < length + fixed)
			return too_long();
		at += length + fixed;
		if (section == ns_s_qd)
			continue;
		length = (int)ns_get16(at - NS_INT16SZ);
		if (end - at < length)
			return too_long();
		at += length;
	}
	return (int)(at - start);
}

int ns_initparse(const unsigned char *message, int length, ns_msg *m)
{
	const unsigned char *at = message + NS_HFIXEDSZ, *end = message + length;

	if (length < NS_HFIXEDSZ)
		return too_long();
	m->_msg = message;
	m->_eom = end;
	m->_id = (uint16_t)ns_get16(message);
	m->_flags = (uint16_t)ns_get16(message + 2);
	for (int i = 0; i < ns_s_max; i++) {
		int skipped;
		m->_counts[i] = (uint16_t)ns_get16(message + 4 + 2 * i);
		m->_sections[i] = m->_counts[i] != 0 ? at : NULL;
		skipped = ns_skiprr(at, end, (ns_sect)i, m->_counts[i]);
		if (skipped < 0)
			return -1;
		at += skipped;
	}
	if (at != end)
		return too_long();
	m->_sect = ns_s_max;
	m->_rrnum = -1;
	m->_msg_ptr = NULL;
	return 0;
}

int ns_parserr(ns_msg *m, ns_sect section, int number, ns_rr *rr)
{
	const unsigned char *at;
	int skipped;

	if ((int)section < 0 || section >= ns_s_max) {
		errno = ENODEV;
		return -1;
	}
	if (number == -1)
		number = section == m->_sect ? m->_rrnum + 1 : 0;
	if (number < 0 || number >= m->_counts[section]) {
		errno = ENODEV;
		return -1;
	}
	at = m->_sections[section];
	skipped = ns_skiprr(at, m->_eom, section, number);
	if (skipped < 0)
		return -1;
	at += skipped;
	skipped = dn_expand(m->_msg, m->_eom, at, rr->name, NS_MAXDNAME);
	if (skipped < 0)
		return -1;
	at += skipped; /* ns_initparse has seen that the rest is there */
	rr->type = (uint16_t)ns_get16(at);
	rr->rr_class = (uint16_t)ns_get16(at + NS_INT16SZ);
	rr->ttl = 0;
	rr->rdlength = 0;
	rr->rdata = NULL;
	if (section != ns_s_qd) {
		rr->ttl = (uint32_t)ns_get32(at + NS_QFIXEDSZ);
		rr->rdlength = (uint16_t)ns_get16(at + NS_QFIXEDSZ + NS_INT32SZ);
		rr->rdata = at + NS_RRFIXEDSZ;
	}
	m->_sect = section;
	m->_rrnum = number;
	return 0;
}
