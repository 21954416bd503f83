/* Names that a DNS server on 127.0.0.1 or /etc/hosts resolves. */
#include "../src/transcript.h"

static void lookup(const char *host, int fam, int flags)
{
	struct addrinfo hints = {.ai_flags = flags, .ai_family = fam, .ai_socktype = SOCK_STREAM},
	                *list = NULL;
	int e = getaddrinfo(host, "80", &hints, &list);

	printf("%s, %s, flags%s%s%s%s:", host,
	    fam == AF_UNSPEC ? "any"
	    : fam == AF_INET ? "IPv4"
	                     : "IPv6",
	    flags & AI_V4MAPPED ? " AI_V4MAPPED" : "", flags & AI_ALL ? " AI_ALL" : "",
	    flags & AI_NUMERICHOST ? " AI_NUMERICHOST" : "",
	    flags & AI_ADDRCONFIG ? " AI_ADDRCONFIG" : "");
	switch (e) {
	case 0:
		for (struct addrinfo *a = list; a != NULL; a = a->ai_next) {
			char text[INET6_ADDRSTRLEN];
			const struct sockaddr_in *in = (const struct sockaddr_in *)a->ai_addr;
			const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)a->ai_addr;
			printf(" %s", a->ai_family == AF_INET
			                  ? inet_ntop(AF_INET, &in->sin_addr, text, sizeof text)
			                  : inet_ntop(AF_INET6, &in6->sin6_addr, text, sizeof text));
		}
		printf("\n");
		freeaddrinfo(list);
		break;
	case EAI_NONAME:
#ifdef EAI_NODATA /* removed from POSIX.1-2008 */
	case EAI_NODATA:
#endif
#ifdef EAI_ADDRFAMILY
	case EAI_ADDRFAMILY:
#endif
		printf(" there is none\n");
		break;
	case EAI_AGAIN:
		printf(" EAI_AGAIN\n");
		break;
	case EAI_FAIL:
		printf(" EAI_FAIL\n");
		break;
	default:
		printf(" %d\n", e);
	}
}

/* WAMR's sock_addr_resolve does not distinguish a name without an address of the family from a name
 * that does not exist. */
static void host(const char *name, int fam)
{
	const struct hostent *h = fam == AF_UNSPEC ? gethostbyname(name) : gethostbyname2(name, fam);

	printf("host %s:", name);
	if (h == NULL)
		printf(" %s", h_errno == HOST_NOT_FOUND || h_errno == NO_DATA ? "there is none"
		              : h_errno == TRY_AGAIN                          ? "TRY_AGAIN"
		                                                              : "another error");
	else
		for (char **a = h->h_addr_list; *a != NULL; a++) {
			char text[INET6_ADDRSTRLEN];
			printf(" %s", inet_ntop(h->h_addrtype, *a, text, sizeof text));
		}
	printf("\n");
}

static void transcript(void)
{
	static const char *const names[] = {"both.test", "four.test", "six.test", "many.test",
	    "alias.test", "chain.test", "nobody.test", "BOTH.test", "both.test.", "local.test",
	    "failing.test"};
	static const char *const invalid[] = {"a b", "..", "a..b.test", "both.test..", ".both.test",
	    "a\n", "a/b", "$(a)", "-\xff\xfe",
	    "a23456789012345678901234567890123456789012345678901234567890abcdef.test"};
	char longest[1200];

	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		lookup(names[i], AF_UNSPEC, 0);
		lookup(names[i], AF_INET, 0);
		lookup(names[i], AF_INET6, 0);
		lookup(names[i], AF_INET6, AI_V4MAPPED);
		lookup(names[i], AF_UNSPEC, AI_NUMERICHOST);
	}
	for (size_t i = 0; i < sizeof invalid / sizeof *invalid; i++)
		lookup(invalid[i], AF_UNSPEC, 0);
	for (size_t i = 0; i < sizeof longest; i++)
		longest[i] = i % 20 == 19 ? '.' : 'a';
	longest[sizeof longest - 1] = '\0';
	lookup(longest, AF_UNSPEC, 0);
	longest[300] = '\0';
	lookup(longest, AF_UNSPEC, 0);
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		if (strcmp(names[i], "many.test") == 0)
			continue; /* glibc sorts only the results of getaddrinfo (RFC 6724) */
		host(names[i], AF_UNSPEC);
		host(names[i], AF_INET6);
	}
}
