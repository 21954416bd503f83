#include "sock.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BUFFER_STEP = 2048 };

int *__h_errno_location(void)
{
	static _Thread_local int value;
	return &value;
}

const char *hstrerror(int code)
{
	switch (code) {
	case 0:
		return "Resolver Error 0 (no error)";
	case HOST_NOT_FOUND:
		return "Unknown host";
	case TRY_AGAIN:
		return "Host name lookup failure";
	case NO_RECOVERY:
		return "Unknown server error";
	case NO_DATA:
		return "No address associated with name";
	}
	return "Unknown resolver error";
}

void herror(const char *what)
{
	if (what != NULL && *what != '\0')
		fprintf(stderr, "%s: ", what);
	fprintf(stderr, "%s\n", hstrerror(h_errno));
}

/* Lays out a struct hostent in room: the two lists, the addresses, the name. Returns ERANGE if room
 * is too small (gethostbyname(3)). */
static int fill_hostent(
    const struct addrinfo *all, const char *name, struct hostent *host, char *room, size_t size)
{
	uintptr_t skew = -(uintptr_t)room % sizeof(char *);
	size_t count = 0, octets = all->ai_family == AF_INET ? 4 : 16, i = 0;
	char **lists, *at;

	for (const struct addrinfo *a = all; a != NULL; a = a->ai_next)
		count++;
	if (size < skew + (count + 2) * sizeof *lists + count * octets + strlen(name) + 1)
		return ERANGE;
	lists = (char **)(void *)(room + skew);
	at = (char *)(lists + count + 2);
	for (const struct addrinfo *a = all; a != NULL; a = a->ai_next) {
		const void *from = a->ai_family == AF_INET
		                       ? (void *)&((struct sockaddr_in *)a->ai_addr)->sin_addr
		                       : (void *)&((struct sockaddr_in6 *)a->ai_addr)->sin6_addr;
		lists[i++] = memcpy(at, from, octets);
		at += octets;
	}
	lists[count] = NULL;
	lists[count + 1] = NULL;
	host->h_name = strcpy(at, name);
	host->h_aliases = lists + count + 1;
	host->h_addr_list = lists;
	host->h_addrtype = all->ai_family;
	host->h_length = (int)octets;
	return 0;
}

int gethostbyname2_r(const char *name, int family, struct hostent *host, char *room, size_t size,
    struct hostent **result, int *code)
{
	struct addrinfo hints = {.ai_family = family, .ai_socktype = SOCK_STREAM}, *all;
	int err;

	*result = NULL;
	switch (getaddrinfo(name, NULL, &hints, &all)) {
	case 0:
		break;
	case EAI_NONAME:
	case EAI_ADDRFAMILY:
		*code = HOST_NOT_FOUND;
		return ENOENT;
	case EAI_AGAIN:
		*code = TRY_AGAIN;
		return EAGAIN;
	default:
		*code = NO_RECOVERY;
		return EBADMSG;
	}
	err = fill_hostent(all, name, host, room, size);
	freeaddrinfo(all);
	*code = err == 0 ? 0 : NO_RECOVERY;
	if (err == 0)
		*result = host;
	return err;
}

int gethostbyname_r(const char *name, struct hostent *host, char *room, size_t size,
    struct hostent **result, int *code)
{
	return gethostbyname2_r(name, AF_INET, host, room, size, result, code);
}

struct hostent *gethostbyname2(const char *name, int family)
{
	static _Thread_local struct hostent host;
	static _Thread_local char *room;
	static _Thread_local size_t size;
	struct hostent *result;

	for (;;) {
		if (room != NULL) {
			int err = gethostbyname2_r(name, family, &host, room, size, &result, &h_errno);
			if (err != ERANGE)
				return result;
		}
		char *more = realloc(room, size + BUFFER_STEP);
		if (more == NULL) {
			h_errno = NO_RECOVERY;
			return NULL;
		}
		room = more;
		size += BUFFER_STEP;
	}
}

struct hostent *gethostbyname(const char *name)
{
	return gethostbyname2(name, AF_INET);
}

struct hostent *gethostbyaddr(const void *addr, socklen_t len, int family)
{
	static _Thread_local struct hostent host;
	static _Thread_local uint8_t octets[16];
	static _Thread_local char *lists[3], name[NI_MAXHOST];
	union {
		struct sockaddr sa;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
	} whole;
	socklen_t want = family == AF_INET ? 4 : 16;

	h_errno = NO_RECOVERY;
	if ((family != AF_INET && family != AF_INET6) || len != want)
		return NULL;
	memset(&whole, 0, sizeof whole);
	whole.sa.sa_family = (sa_family_t)family;
	memcpy(
	    family == AF_INET ? (void *)&whole.in.sin_addr : (void *)&whole.in6.sin6_addr, addr, want);
	if (getnameinfo(&whole.sa, sizeof whole, name, sizeof name, NULL, 0, NI_NAMEREQD) != 0) {
		h_errno = HOST_NOT_FOUND;
		return NULL;
	}
	memcpy(octets, addr, want);
	lists[0] = (char *)octets;
	host = (struct hostent){name, lists + 1, family, (int)want, lists};
	h_errno = 0;
	return &host;
}
