#include <arpa/inet.h>
#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>

/* Replaces the function of wasi-libc, which accepts numbers that are too large. */
int inet_aton(const char *text, struct in_addr *addr)
{
	uint32_t whole = 0;

	for (int i = 0;; i++) {
		char *end;
		unsigned long long part =
		    isdigit((unsigned char)*text) ? strtoull(text, &end, 0) : UINT64_MAX;
		if (part > UINT32_MAX >> 8 * i)
			return 0;
		if (*end == '\0') {
			addr->s_addr = htonl(whole | (uint32_t)part);
			return 1;
		}
		if (*end != '.' || part > 255 || i == 3)
			return 0;
		whole |= (uint32_t)part << (24 - 8 * i);
		text = end + 1;
	}
}

in_addr_t inet_addr(const char *text)
{
	struct in_addr addr;
	return inet_aton(text, &addr) ? addr.s_addr : INADDR_NONE;
}

in_addr_t inet_network(const char *text)
{
	return ntohl(inet_addr(text));
}

char *inet_ntoa(struct in_addr addr)
{
	static _Thread_local char text[INET_ADDRSTRLEN];
	inet_ntop(AF_INET, &addr, text, sizeof text);
	return text;
}

/* Returns the number of host bits of an address of its class (inet(3)). */
static unsigned int host_bits(in_addr_t addr)
{
	return IN_CLASSA(addr) ? 24 : IN_CLASSB(addr) ? 16 : 8;
}

struct in_addr inet_makeaddr(in_addr_t net, in_addr_t host)
{
	in_addr_t whole = net < 256        ? net << 24
	                  : net < 65536    ? net << 16
	                  : net < 16777216 ? net << 8
	                                   : net;
	return (struct in_addr){htonl(whole | host)};
}

in_addr_t inet_lnaof(struct in_addr addr)
{
	in_addr_t whole = ntohl(addr.s_addr);
	return whole & ((1u << host_bits(whole)) - 1);
}

in_addr_t inet_netof(struct in_addr addr)
{
	in_addr_t whole = ntohl(addr.s_addr);
	return whole >> host_bits(whole);
}
