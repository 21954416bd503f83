#include "sock.h"

#include <ctype.h>
#include <netdb.h>
#include <stdlib.h>

static int eai_of_errno(int32_t err)
{
	errno = err;
	switch (err) {
	case EINVAL: /* "no such host", in WAMR's numbering */
	case ENOENT:
	case ENAMETOOLONG:
		return EAI_NONAME;
	case EAGAIN:
	case EIO: /* the server failed, perhaps temporarily */
		return EAI_AGAIN;
	case EACCES: /* the policy does not allow the lookup */
		return EAI_FAIL;
	case ENOMEM:
		return EAI_MEMORY;
	}
	return EAI_SYSTEM;
}

/*
 * Reports whether a name is valid: letters, digits, hyphens, underscores and UTF-8, which the host
 * converts by IDNA, within the lengths of RFC 1035, section 2.3.4. The host would refuse an invalid
 * name with the errno of one that the policy denies.
 */
bool __wasport_is_name(const char *name)
{
	enum { LONGEST_LABEL = 63, LONGEST = 253 };
	int label = 0, length = 0;

	for (; *name != '\0'; name++, length++) {
		unsigned char c = (unsigned char)*name;
		if (c == '.') {
			if (label == 0)
				return false;
			label = 0;
		} else if (isalnum(c) || c == '-' || c == '_') {
			if (++label > LONGEST_LABEL)
				return false;
		} else if (c >= 0xc2 && c <= 0xf4) {
			for (int more = c < 0xe0 ? 1 : c < 0xf0 ? 2 : 3; more > 0; more--, length++)
				if (((unsigned char)*++name & 0xc0) != 0x80)
					return false;
			label = 1; /* the host checks its length */
		} else {
			return false;
		}
	}
	return length > 0 && length - (name[-1] == '.') <= LONGEST;
}

int __wasport_lookup(const char *name, int family, wasport_addr_info **list, uint32_t *count)
{
	/* Without a type the host would return each address twice. */
	wasport_hints hints = {.type = WASPORT_STREAM, .enabled = 1};

	hints.family = family == AF_INET    ? WASPORT_INET4
	               : family == AF_INET6 ? WASPORT_INET6
	                                    : WASPORT_INET_UNSPEC;
	*list = NULL;
	if (!__wasport_is_name(name))
		return EAI_NONAME;
	for (uint32_t room = 16;; room = *count) {
		int32_t err;
		wasport_addr_info *more = realloc(*list, room * sizeof *more);
		if (more == NULL)
			err = ENOMEM;
		else
			err = wasport_sock_addr_resolve(name, "", &hints, *list = more, room, count);
		if (err != 0) {
			free(*list);
			*list = NULL;
			return eai_of_errno(err);
		}
		if (*count <= room)
			return *count > 0 ? 0 : EAI_NONAME;
	}
}
