#include "sock.h"

#include <arpa/inet.h>
#include <string.h>

void __wasport_encode_ip6(const struct in6_addr *in, uint16_t groups[8])
{
	for (int i = 0; i < 8; i++)
		groups[i] = (uint16_t)(in->s6_addr[2 * i] << 8 | in->s6_addr[2 * i + 1]);
}

int32_t __wasport_encode(const struct sockaddr *sa, socklen_t len, wasport_addr *addr)
{
	if (sa == NULL)
		return EFAULT;
	if (len < sizeof sa->sa_family)
		return EINVAL;
	memset(addr, 0, sizeof *addr);
	switch (sa->sa_family) {
	case AF_INET: {
		const struct sockaddr_in *in = (const struct sockaddr_in *)sa;
		if (len < sizeof *in)
			return EINVAL;
		addr->kind = WASPORT_INET4;
		memcpy(addr->u.v4.ip, &in->sin_addr, sizeof addr->u.v4.ip);
		addr->u.v4.port = ntohs(in->sin_port);
		return 0;
	}
	case AF_INET6: {
		const struct sockaddr_in6 *in = (const struct sockaddr_in6 *)sa;
		/* RFC 2133 had no scope; Linux still accepts that length (SIN6_LEN_RFC2133). */
		if (len < offsetof(struct sockaddr_in6, sin6_scope_id))
			return EINVAL;
		addr->kind = WASPORT_INET6;
		__wasport_encode_ip6(&in->sin6_addr, addr->u.v6.ip);
		addr->u.v6.port = ntohs(in->sin6_port);
		return 0;
	}
	}
	return EAFNOSUPPORT;
}

void __wasport_decode(const wasport_addr *addr, struct sockaddr *sa, socklen_t *len)
{
	union {
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
	} whole;
	socklen_t size;

	memset(&whole, 0, sizeof whole);
	if (addr->kind == WASPORT_INET4) {
		size = sizeof whole.in;
		whole.in.sin_family = AF_INET;
		whole.in.sin_port = htons(addr->u.v4.port);
		memcpy(&whole.in.sin_addr, addr->u.v4.ip, sizeof addr->u.v4.ip);
	} else {
		size = sizeof whole.in6;
		whole.in6.sin6_family = AF_INET6;
		whole.in6.sin6_port = htons(addr->u.v6.port);
		for (int i = 0; i < 8; i++) {
			whole.in6.sin6_addr.s6_addr[2 * i] = (uint8_t)(addr->u.v6.ip[i] >> 8);
			whole.in6.sin6_addr.s6_addr[2 * i + 1] = (uint8_t)addr->u.v6.ip[i];
		}
	}
	memcpy(sa, &whole, *len < size ? *len : size);
	*len = size;
}
