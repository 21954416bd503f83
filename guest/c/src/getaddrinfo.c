#include "sock.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>

#define KNOWN_FLAGS                                                                                \
	(AI_PASSIVE | AI_CANONNAME | AI_NUMERICHOST | AI_V4MAPPED | AI_ALL | AI_ADDRCONFIG |           \
	    AI_NUMERICSERV)

enum { KINDS = 2 };

/* A kind of socket for which each address is returned, with its port. */
struct kind {
	int type, protocol, service;
	bool wanted;
	uint16_t port;
};

/* The list of results as it grows; each entry is one block with its address and, the first, the
 * name behind it. */
struct results {
	struct addrinfo *first, **last;
	const char *canonical;
	const struct kind *kinds;
	uint32_t scope;
};

static bool parse_number(const char *text, uint32_t most, uint32_t *number)
{
	uint64_t n = 0;
	if (*text == '\0')
		return false;
	for (; *text != '\0'; text++) {
		if (*text < '0' || *text > '9')
			return false;
		n = n * 10 + (uint64_t)(*text - '0');
		if (n > most)
			n = (uint64_t)most + 1;
	}
	*number = (uint32_t)n;
	return true;
}

/* Asks the host for the port of a service that is not in the library's table. The name is an
 * address literal, for which no policy is asked. */
static bool query_port(const char *service, const struct kind *kind, uint16_t *port)
{
	wasport_hints hints = {.family = WASPORT_INET4, .enabled = 1};
	wasport_addr_info answer;
	uint32_t count = 0;

	hints.type = kind->type == SOCK_STREAM ? WASPORT_STREAM : WASPORT_DGRAM;
	if (wasport_sock_addr_resolve("127.0.0.1", service, &hints, &answer, 1, &count) != 0 ||
	    count == 0)
		return false;
	*port = answer.addr.u.v4.port;
	return true;
}

static int find_ports(const char *service, int flags, struct kind kinds[KINDS])
{
	uint32_t number = 0;
	bool any = false;

	if (service == NULL || parse_number(service, UINT16_MAX, &number)) {
		if (number > UINT16_MAX)
			return EAI_SERVICE;
		for (int i = 0; i < KINDS; i++)
			kinds[i].port = (uint16_t)number;
		return 0;
	}
	if (flags & AI_NUMERICSERV)
		return EAI_NONAME;
	for (int i = 0; i < KINDS; i++) {
		const struct service *s;
		if (!kinds[i].wanted)
			continue;
		s = __wasport_service_by_name(service, kinds[i].service);
		if (s != NULL)
			kinds[i].port = s->port;
		else
			kinds[i].wanted = query_port(service, &kinds[i], &kinds[i].port);
		any = any || kinds[i].wanted;
	}
	return any ? 0 : EAI_SERVICE;
}

static int choose_kinds(const struct addrinfo *hints, struct kind kinds[KINDS])
{
	static const struct kind all[KINDS] = {
		{SOCK_STREAM, IPPROTO_TCP, SERVICE_TCP, true, 0},
		{SOCK_DGRAM, IPPROTO_UDP, SERVICE_UDP, true, 0},
	};
	bool any = false;

	for (int i = 0; i < KINDS; i++) {
		kinds[i] = all[i];
		kinds[i].wanted = (hints->ai_socktype == 0 || hints->ai_socktype == all[i].type) &&
			(hints->ai_protocol == 0 || hints->ai_protocol == all[i].protocol);
		any = any || kinds[i].wanted;
	}
	return any ? 0 : EAI_SOCKTYPE;
}

static int append_result(struct results *r, wasport_addr addr, const struct kind *kind)
{
	struct block {
		struct addrinfo info;
		struct sockaddr_storage addr;
		char name[];
	} *b;
	size_t name = r->first == NULL && r->canonical != NULL ? strlen(r->canonical) + 1 : 0;

	b = calloc(1, sizeof *b + name);
	if (b == NULL)
		return EAI_MEMORY;
	if (addr.kind == WASPORT_INET4)
		addr.u.v4.port = kind->port;
	else
		addr.u.v6.port = kind->port;
	b->info.ai_addrlen = sizeof b->addr;
	b->info.ai_addr = (struct sockaddr *)&b->addr;
	__wasport_decode(&addr, b->info.ai_addr, &b->info.ai_addrlen);
	if (addr.kind == WASPORT_INET6)
		((struct sockaddr_in6 *)&b->addr)->sin6_scope_id = r->scope;
	b->info.ai_family = b->addr.ss_family;
	b->info.ai_socktype = kind->type;
	b->info.ai_protocol = kind->protocol;
	if (name > 0)
		b->info.ai_canonname = memcpy(b->name, r->canonical, name);
	*r->last = &b->info;
	r->last = &b->info.ai_next;
	return 0;
}

static int append_results(struct results *r, const wasport_addr *addr)
{
	int err = 0;
	for (int i = 0; i < KINDS && err == 0; i++)
		if (r->kinds[i].wanted)
			err = append_result(r, *addr, &r->kinds[i]);
	return err;
}

static void map_v4(wasport_addr *addr)
{
	uint8_t ip[4];
	memcpy(ip, addr->u.v4.ip, sizeof ip);
	memset(addr, 0, sizeof *addr);
	addr->kind = WASPORT_INET6;
	addr->u.v6.ip[5] = 0xffff;
	addr->u.v6.ip[6] = (uint16_t)(ip[0] << 8 | ip[1]);
	addr->u.v6.ip[7] = (uint16_t)(ip[2] << 8 | ip[3]);
}

/* Appends the addresses for a null node: the unspecified ones to bind to, or else loopback (RFC
 * 3493, section 6.1). */
static int append_null_node(struct results *r, int family, bool passive)
{
	wasport_addr v4 = {.kind = WASPORT_INET4}, v6 = {.kind = WASPORT_INET6};
	int err = 0;

	if (!passive) {
		memcpy(v4.u.v4.ip, (uint8_t[]){127, 0, 0, 1}, sizeof v4.u.v4.ip);
		v6.u.v6.ip[7] = 1;
		if (family != AF_INET)
			err = append_results(r, &v6);
		return err == 0 && family != AF_INET6 ? append_results(r, &v4) : err;
	}
	if (family != AF_INET6)
		err = append_results(r, &v4);
	return err == 0 && family != AF_INET ? append_results(r, &v6) : err;
}

/* Splits the zone, the number or the name of an interface, from an IPv6 literal (RFC 4007, section
 * 11). */
static int split_zone(const char *node, char *text, size_t size, uint32_t *scope)
{
	const char *zone = strchr(node, '%');
	size_t len = zone != NULL ? (size_t)(zone - node) : strlen(node);

	*scope = 0;
	if (len >= size)
		return EAI_NONAME;
	memcpy(text, node, len);
	text[len] = '\0';
	if (zone == NULL)
		return 0;
	if (parse_number(zone + 1, UINT32_MAX - 1, scope))
		return *scope != UINT32_MAX ? 0 : EAI_NONAME;
	*scope = if_nametoindex(zone + 1);
	return *scope != 0 ? 0 : EAI_NONAME;
}

/* Appends the address if node is a literal, and sets *literal to whether it is one. */
static int append_literal(
    struct results *r, const char *node, const struct addrinfo *hints, bool *literal)
{
	wasport_addr addr;
	struct in_addr in;
	struct in6_addr in6;
	char text[INET6_ADDRSTRLEN];
	uint32_t scope;
	int err;

	*literal = true;
	memset(&addr, 0, sizeof addr);
	if (inet_aton(node, &in)) {
		addr.kind = WASPORT_INET4;
		memcpy(addr.u.v4.ip, &in, sizeof in);
		if (hints->ai_family == AF_INET6) {
			if (!(hints->ai_flags & AI_V4MAPPED))
				return EAI_ADDRFAMILY;
			map_v4(&addr);
		}
		return append_results(r, &addr);
	}
	if (strchr(node, ':') != NULL) {
		err = split_zone(node, text, sizeof text, &scope);
		if (err == 0 && inet_pton(AF_INET6, text, &in6) == 1) {
			if (hints->ai_family == AF_INET) {
				if (!IN6_IS_ADDR_V4MAPPED(&in6))
					return EAI_ADDRFAMILY;
				addr.kind = WASPORT_INET4;
				memcpy(addr.u.v4.ip, &in6.s6_addr[12], sizeof addr.u.v4.ip);
				return append_results(r, &addr);
			}
			addr.kind = WASPORT_INET6;
			__wasport_encode_ip6(&in6, addr.u.v6.ip);
			r->scope = scope;
			return append_results(r, &addr);
		}
		return EAI_NONAME;
	}
	*literal = false;
	return 0;
}

static int append_lookup(struct results *r, const char *node, int family, bool mapped)
{
	wasport_addr_info *list;
	uint32_t count;
	int err = __wasport_lookup(node, family, &list, &count);

	if (err != 0)
		return err;
	for (uint32_t i = 0; i < count && err == 0; i++) {
		if (mapped)
			map_v4(&list[i].addr);
		err = append_results(r, &list[i].addr);
	}
	free(list);
	return err;
}

static int append_name(struct results *r, const char *node, const struct addrinfo *hints)
{
	bool mapped = hints->ai_family == AF_INET6 && (hints->ai_flags & AI_V4MAPPED);
	int err = append_lookup(r, node, hints->ai_family, false);

	if (!mapped || (err != 0 && err != EAI_NONAME) || (err == 0 && !(hints->ai_flags & AI_ALL)))
		return err;
	int more = append_lookup(r, node, AF_INET, true);
	return err == 0 && more == EAI_NONAME ? 0 : more;
}

int getaddrinfo(const char *restrict node, const char *restrict service,
    const struct addrinfo *restrict hints, struct addrinfo **restrict all)
{
	static const struct addrinfo no_hints = {.ai_flags = AI_V4MAPPED | AI_ADDRCONFIG};
	struct kind kinds[KINDS];
	struct results r = {.kinds = kinds};
	bool literal = false;
	int err;

	if (hints == NULL)
		hints = &no_hints;
	if (node == NULL && service == NULL)
		return EAI_NONAME;
	if ((hints->ai_flags & ~KNOWN_FLAGS) || (node == NULL && (hints->ai_flags & AI_CANONNAME)))
		return EAI_BADFLAGS;
	if (hints->ai_family != AF_UNSPEC && hints->ai_family != AF_INET &&
	    hints->ai_family != AF_INET6)
		return EAI_FAMILY;
	if ((err = choose_kinds(hints, kinds)) != 0 ||
	    (err = find_ports(service, hints->ai_flags, kinds)) != 0)
		return err;

	r.last = &r.first;
	if (hints->ai_flags & AI_CANONNAME)
		r.canonical = node;
	if (node == NULL)
		err = append_null_node(&r, hints->ai_family, hints->ai_flags & AI_PASSIVE);
	else if ((err = append_literal(&r, node, hints, &literal)) == 0 && !literal)
		err = hints->ai_flags & AI_NUMERICHOST || *node == '\0' ? EAI_NONAME
		                                                        : append_name(&r, node, hints);
	if (err != 0) {
		freeaddrinfo(r.first);
		return err;
	}
	*all = r.first;
	return 0;
}

void freeaddrinfo(struct addrinfo *all)
{
	while (all != NULL) {
		struct addrinfo *next = all->ai_next;
		free(all);
		all = next;
	}
}
