#include "sock.h"

#include <netdb.h>
#include <stdlib.h>

static int eai(int32_t err)
{
	errno = err;
	switch (err) {
	case EINVAL: /* "no such host", in WAMR's numbering */
	case ENOENT:
		return EAI_NONAME;
	case EAGAIN:
	case EIO: /* a server answered that it could not tell, which may change, too */
		return EAI_AGAIN;
	case EACCES: /* the policy does not let this name be asked for */
		return EAI_FAIL;
	case ENOMEM:
		return EAI_MEMORY;
	}
	return EAI_SYSTEM;
}

int __wasport_lookup(const char *name, int family, wasport_addr_info **list, uint32_t *count)
{
	/* Without a type the host would give each address twice. */
	wasport_hints hints = {.type = WASPORT_STREAM, .enabled = 1};

	hints.family = family == AF_INET ? WASPORT_INET4 : family == AF_INET6 ? WASPORT_INET6 : WASPORT_INET_UNSPEC;
	*list = NULL;
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
			return eai(err);
		}
		if (*count <= room)
			return *count > 0 ? 0 : EAI_NONAME;
	}
}
