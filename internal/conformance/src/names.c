/* Names and numbers of hosts and services that need no name server. */
#include "transcript.h"

static const char *error_name(int e)
{
	static char number[32];

	switch (e) {
	case 0:
		return "0";
#define E(name) \
	case name: \
		return #name;
		E(EAI_AGAIN)
		E(EAI_BADFLAGS)
		E(EAI_FAIL)
		E(EAI_FAMILY)
		E(EAI_MEMORY)
		E(EAI_NONAME)
		E(EAI_OVERFLOW)
		E(EAI_SERVICE)
		E(EAI_SOCKTYPE)
		E(EAI_SYSTEM)
#undef E
	}
	snprintf(number, sizeof number, "EAI %d", e);
	return number;
}

static const int types[] = {0, SOCK_STREAM, SOCK_DGRAM};

static const char *type_name(int type)
{
	return type == 0             ? "any"
	       : type == SOCK_STREAM ? "stream"
	       : type == SOCK_DGRAM  ? "datagram"
	                             : "unknown";
}

static void print_results(const struct addrinfo *list)
{
	for (const struct addrinfo *a = list; a != NULL; a = a->ai_next) {
		char host[INET6_ADDRSTRLEN] = "?";
		unsigned scope = 0, port = 0;

		if (a->ai_socktype == SOCK_RAW)
			continue; /* the host of a guest has none */
		if (a->ai_family == AF_INET) {
			const struct sockaddr_in *in = (const struct sockaddr_in *)a->ai_addr;
			inet_ntop(AF_INET, &in->sin_addr, host, sizeof host);
			port = ntohs(in->sin_port);
		} else {
			const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)a->ai_addr;
			inet_ntop(AF_INET6, &in6->sin6_addr, host, sizeof host);
			port = ntohs(in6->sin6_port);
			scope = in6->sin6_scope_id;
		}
		printf("\t%s %s protocol %d %s port %u scope %s, %s long, name %s\n",
		    a->ai_family == AF_INET ? "IPv4" : "IPv6", type_name(a->ai_socktype), a->ai_protocol,
		    host, port, scope != 0 ? "some" : "0",
		    a->ai_addrlen == sizeof(struct sockaddr_in) ? "sockaddr_in" : "sockaddr_in6",
		    a->ai_canonname != NULL ? a->ai_canonname : "-");
	}
}

static void lookup(
    const char *host, const char *service, int flags, int fam, int type, int protocol)
{
	struct addrinfo hints = {.ai_flags = flags,
	                    .ai_family = fam,
	                    .ai_socktype = type,
	                    .ai_protocol = protocol},
	                *list = NULL;
	int e;

	printf("%s %s flags", host != NULL ? host : "-", service != NULL ? service : "-");
#define FLAG(name) \
	if (flags & name) \
	printf(" " #name)
	FLAG(AI_PASSIVE);
	FLAG(AI_CANONNAME);
	FLAG(AI_NUMERICHOST);
	FLAG(AI_NUMERICSERV);
	FLAG(AI_V4MAPPED);
	FLAG(AI_ALL);
	FLAG(AI_ADDRCONFIG);
#undef FLAG
	printf(" family %s type %s protocol %d: ",
	    fam == AF_INET     ? "IPv4"
	    : fam == AF_INET6  ? "IPv6"
	    : fam == AF_UNSPEC ? "any"
	                       : "unknown",
	    type_name(type), protocol);
	e = getaddrinfo(host, service, &hints, &list);
	printf("%s\n", error_name(e));
	if (e == 0) {
		print_results(list);
		freeaddrinfo(list);
	}
}

static void lookups(void)
{
	static const char *const hosts[] = {NULL, "127.0.0.1", "::1", "::ffff:192.0.2.1", "localhost",
	    "1.2.3", "0x7f.1", "256.1.1.1", "1:2:3", ""};
	static const char *const services[] = {
	    NULL, "80", "http", "domain", "65535", "-1", "nonesuch-service", "080"};
	static const int families[] = {AF_UNSPEC, AF_INET, AF_INET6};

	for (size_t h = 0; h < sizeof hosts / sizeof *hosts; h++)
		for (size_t f = 0; f < sizeof families / sizeof *families; f++)
			for (int t = 0; t < 3; t++)
				lookup(hosts[h], "80", AI_NUMERICHOST, families[f], types[t], 0);
	for (size_t s = 0; s < sizeof services / sizeof *services; s++)
		for (int t = 0; t < 3; t++) {
			lookup("127.0.0.1", services[s], 0, AF_UNSPEC, types[t], 0);
			lookup(NULL, services[s], AI_PASSIVE, family, types[t], 0);
			if (services[s] == NULL ||
			    strcmp(services[s], "-1") != 0) /* glibc parses it as a number */
				lookup("::1", services[s], AI_NUMERICSERV, AF_UNSPEC, types[t], 0);
		}
	lookup("localhost", NULL, AI_NUMERICHOST, AF_UNSPEC, SOCK_STREAM, 0);
	lookup("127.0.0.1", NULL, AI_CANONNAME, AF_UNSPEC, SOCK_STREAM, 0);
	lookup("::1", NULL, AI_CANONNAME, AF_UNSPEC, SOCK_STREAM, 0);
	lookup(NULL, "80", AI_CANONNAME, AF_UNSPEC, SOCK_STREAM, 0);
	lookup("127.0.0.1", NULL, AI_V4MAPPED, AF_INET6, SOCK_STREAM, 0);
	lookup("127.0.0.1", NULL, AI_V4MAPPED | AI_ALL, AF_INET6, SOCK_STREAM, 0);
	lookup("127.0.0.1", NULL, AI_ALL, AF_INET6, SOCK_STREAM, 0);
	lookup("127.0.0.1", NULL, AI_V4MAPPED, AF_INET, SOCK_STREAM, 0);
	lookup("127.0.0.1", NULL, AI_ADDRCONFIG, AF_UNSPEC, SOCK_STREAM, 0);
	lookup("127.0.0.1", "80", 0, AF_UNSPEC, 0, IPPROTO_TCP);
	lookup("127.0.0.1", "80", 0, AF_UNSPEC, 0, IPPROTO_UDP);
	lookup("127.0.0.1", "80", 0, AF_UNSPEC, SOCK_STREAM, IPPROTO_UDP);
	lookup("127.0.0.1", "80", 0, AF_UNSPEC, SOCK_DGRAM, IPPROTO_UDP);
	lookup("127.0.0.1", "80", 0, 12345, 0, 0);
	lookup("127.0.0.1", "80", 0, AF_UNSPEC, 77, 0);
	/* No name server can have these. */
	lookup("a..b", NULL, 0, AF_UNSPEC, SOCK_STREAM, 0);
	lookup("a b.invalid", NULL, 0, AF_UNSPEC, SOCK_STREAM, 0);
	lookup("-", NULL, 0, AF_UNSPEC, SOCK_STREAM, 0);
	lookup("a-.invalid", NULL, 0, AF_UNSPEC, SOCK_STREAM, 0);
	lookup("1.2.3.4.5", NULL, 0, AF_UNSPEC, SOCK_STREAM, 0);
	lookup("300.1.1.1", NULL, 0, AF_UNSPEC, SOCK_STREAM, 0);
	lookup("127.0.0.1", "80", 0x40000000, AF_UNSPEC, SOCK_STREAM, 0);
	lookup("127.0.0.1", "tftp", 0, AF_UNSPEC, SOCK_STREAM, 0);
	lookup("127.0.0.1", "tftp", 0, AF_UNSPEC, SOCK_DGRAM, 0);
	lookup("127.0.0.1", "tftp", 0, AF_UNSPEC, 0, 0);
	lookup("fe80::1%lo", "80", AI_NUMERICHOST, AF_UNSPEC, SOCK_STREAM, 0);
	lookup("fe80::1%1", "80", AI_NUMERICHOST, AF_UNSPEC, SOCK_STREAM, 0);
	lookup("fe80::1%5000000000", "80", AI_NUMERICHOST, AF_UNSPEC, SOCK_STREAM, 0);
	lookup("fe80::1%nonesuch", "80", AI_NUMERICHOST, AF_UNSPEC, SOCK_STREAM, 0);
}

static void name_of(
    const char *text, unsigned short port, int flags, size_t hostlen, size_t servlen)
{
	struct sockaddr_storage sa = {0};
	struct sockaddr_in *in = (struct sockaddr_in *)&sa;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&sa;
	char host[128] = "unchanged", service[64] = "unchanged";
	socklen_t len;
	int e;

	if (inet_pton(AF_INET, text, &in->sin_addr) == 1) {
		in->sin_family = AF_INET;
		len = sizeof *in;
	} else {
		inet_pton(AF_INET6, text, &in6->sin6_addr);
		in6->sin6_family = AF_INET6;
		len = sizeof *in6;
	}
	in->sin_port = htons(port);
	e = getnameinfo((struct sockaddr *)&sa, len, hostlen > 0 ? host : NULL, (socklen_t)hostlen,
	    servlen > 0 ? service : NULL, (socklen_t)servlen, flags);
	printf("name of %s %u, flags %d %d %d %d, room %zu %zu: %s", text, port,
	    !!(flags & NI_NUMERICHOST), !!(flags & NI_NUMERICSERV), !!(flags & NI_NAMEREQD),
	    !!(flags & NI_DGRAM), hostlen, servlen, error_name(e));
	if (e == 0)
		printf(" %s %s", hostlen > 0 ? host : "-", servlen > 0 ? service : "-");
	printf("\n");
}

static void names(void)
{
	struct sockaddr_storage sa = {.ss_family = family};
	char host[64];

	name_of("192.0.2.1", 80, NI_NUMERICHOST | NI_NUMERICSERV, 128, 64);
	name_of("192.0.2.1", 80, NI_NUMERICHOST, 128, 64);
	name_of("192.0.2.1", 53, NI_NUMERICHOST | NI_DGRAM, 128, 64);
	name_of("192.0.2.1", 69, NI_NUMERICHOST | NI_DGRAM, 128, 64);
	name_of("192.0.2.1", 1, NI_NUMERICHOST, 128, 0);
	name_of("192.0.2.1", 65000, NI_NUMERICHOST, 128, 64);
	name_of("192.0.2.1", 0, NI_NUMERICHOST | NI_NUMERICSERV, 128, 64);
	name_of("2001:db8::1", 443, NI_NUMERICHOST, 128, 64);
	name_of("::ffff:192.0.2.1", 443, NI_NUMERICHOST | NI_NUMERICSERV, 128, 64);
	name_of("2001:db8:1:2:3:4:5:6", 443, NI_NUMERICHOST | NI_NUMERICSERV, 128, 64);
	name_of("192.0.2.1", 80, NI_NUMERICHOST | NI_NUMERICSERV, 5, 64);
	name_of("192.0.2.1", 80, NI_NUMERICHOST | NI_NUMERICSERV, 10, 64);
	name_of("192.0.2.1", 80, NI_NUMERICHOST | NI_NUMERICSERV, 9, 64);
	name_of("192.0.2.1", 8080, NI_NUMERICHOST | NI_NUMERICSERV, 128, 4);
	name_of("192.0.2.1", 80, NI_NUMERICHOST | NI_NUMERICSERV, 128, 0);
	name_of("192.0.2.1", 80, NI_NUMERICHOST | NI_NUMERICSERV, 0, 64);
	name_of("192.0.2.1", 80, NI_NUMERICHOST | NI_NAMEREQD, 128, 64);
	printf("too short: %s\n", error_name(getnameinfo((struct sockaddr *)&sa, 2, host, sizeof host,
	                              NULL, 0, NI_NUMERICHOST)));
	sa.ss_family = AF_UNSPEC;
	printf("no family: %s\n", error_name(getnameinfo((struct sockaddr *)&sa, sizeof sa, host,
	                              sizeof host, NULL, 0, NI_NUMERICHOST)));
}

static void numbers(void)
{
	static const char *const texts[] = {"127.0.0.1", "1.2.3.4", "0.0.0.0", "255.255.255.255",
	    "1.2.3", "1.2.3.4.5", "256.1.1.1", " 1.2.3.4", "08.2.3.4", "1.2.3.", "1..2", "1.16777216",
	    "1.2.65536", "01.2.3.4", "0x1.2.3.4", "1.65536", "4294967295", "4294967296", "",
	    "::", "::1", "1::", "1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7", "1::2::3",
	    "12345::", "::ffff:1.2.3.4", "::1.2.3", "1:2:3:4:5:6:1.2.3.4", "g::", "fe80::1%1",
	    "2001:DB8::A", "::0:0", "1:0:0:2:0:0:0:3", "0:0:1::"};

	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		struct in_addr in = {0};
		struct in6_addr in6 = in6addr_any;
		char text[INET6_ADDRSTRLEN] = "";

		printf("\"%s\": pton %d", texts[i], inet_pton(AF_INET, texts[i], &in));
		in.s_addr = 0;
		int ok = inet_aton(texts[i], &in) != 0;
		printf(" aton %d %s", ok, ok ? inet_ntoa(in) : "-");
		printf(" addr %08x", (unsigned)ntohl(inet_addr(texts[i])));
		ok = inet_pton(AF_INET6, texts[i], &in6);
		printf(" pton6 %d %s\n", ok, ok ? inet_ntop(AF_INET6, &in6, text, sizeof text) : "-");
	}
	struct in6_addr in6 = in6addr_loopback;
	char small[4];
	TRY(inet_pton(12345, "1.2.3.4", &in6));
	errno = 0;
	bool none = inet_ntop(AF_INET, &in6, small, sizeof small) == NULL;
	printf("ntop without room: %s %s\n", none ? "NULL" : "text", errno_name(errno));
	errno = 0;
	none = inet_ntop(12345, &in6, small, sizeof small) == NULL;
	printf("ntop of no family: %s %s\n", none ? "NULL" : "text", errno_name(errno));
}

static void services(void)
{
	static const char *const names[] = {
	    "http", "https", "domain", "ssh", "smtp", "ntp", "tftp", "nonesuch-service"};

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		for (int udp = 0; udp < 2; udp++) {
			const struct servent *s = getservbyname(names[i], udp ? "udp" : "tcp");
			printf("%s by %s: %s %d %s\n", names[i], udp ? "udp" : "tcp",
			    s != NULL ? s->s_name : "-", s != NULL ? ntohs((uint16_t)s->s_port) : 0,
			    s != NULL ? s->s_proto : "-");
		}
	for (int port = 20; port < 26; port++) {
		const struct servent *s = getservbyport(htons((uint16_t)port), "tcp");
		printf("port %d: %s\n", port, s != NULL ? s->s_name : "-");
	}
}

static void hosts(void)
{
	static const char *const names[] = {"127.0.0.1", "::1"};

	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		const struct hostent *h = gethostbyname(names[i]);
		char text[INET6_ADDRSTRLEN];

		printf("host %s:", names[i]);
		if (h == NULL)
			printf(" nothing");
		else
			for (char **a = h->h_addr_list; *a != NULL; a++)
				printf(" %s of %d", inet_ntop(h->h_addrtype, *a, text, sizeof text), h->h_length);
		printf("\n");
	}
}

static void transcript(void)
{
	lookups();
	names();
	numbers();
	services();
	hosts();
}
