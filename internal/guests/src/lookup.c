/* lookup NAME SERVICE FAMILY SOCKTYPE [FLAGS]: prints what getaddrinfo finds. "-" is NULL; family
 * any|4|6, type any|tcp|udp. */
#include "guest.h"
#include <netdb.h>

static const char *eai_name(int code)
{
	static const struct {
		int code;
		const char *name;
	} names[] = {
		{EAI_BADFLAGS, "EAI_BADFLAGS"},
		{EAI_NONAME, "EAI_NONAME"},
		{EAI_AGAIN, "EAI_AGAIN"},
		{EAI_FAIL, "EAI_FAIL"},
		{EAI_FAMILY, "EAI_FAMILY"},
		{EAI_SOCKTYPE, "EAI_SOCKTYPE"},
		{EAI_SERVICE, "EAI_SERVICE"},
		{EAI_ADDRFAMILY, "EAI_ADDRFAMILY"},
		{EAI_MEMORY, "EAI_MEMORY"},
		{EAI_SYSTEM, "EAI_SYSTEM"},
	};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (names[i].code == code)
			return names[i].name;
	return "?";
}

static int pick(const char *arg, const char *one, int its, const char *other, int others)
{
	return strcmp(arg, one) == 0 ? its : strcmp(arg, other) == 0 ? others : 0;
}

static const char *or_null(const char *arg)
{
	return strcmp(arg, "-") == 0 ? NULL : arg;
}

int main(int argc, char **argv)
{
	struct addrinfo hints = {0}, *all, *i;

	set_line_buffering();
	if (argc != 5 && argc != 6)
		usage("lookup NAME SERVICE any|4|6 any|tcp|udp [passive|canon|numeric|mapped|all]");
	hints.ai_family = pick(argv[3], "4", AF_INET, "6", AF_INET6);
	hints.ai_socktype = pick(argv[4], "tcp", SOCK_STREAM, "udp", SOCK_DGRAM);
	if (argc == 6)
		hints.ai_flags = pick(argv[5], "passive", AI_PASSIVE, "canon", AI_CANONNAME) |
			pick(argv[5], "numeric", AI_NUMERICHOST, "mapped", AI_V4MAPPED) |
			pick(argv[5], "all", AI_V4MAPPED | AI_ALL, "", 0);
	int err = getaddrinfo(or_null(argv[1]), or_null(argv[2]), &hints, &all);
	if (err != 0) {
		printf("error %s errno=%d %s: %s\n", eai_name(err), errno, errno_name(errno),
		    gai_strerror(err));
		return 1;
	}
	if (all->ai_canonname != NULL)
		printf("canonical %s\n", all->ai_canonname);
	for (i = all; i != NULL; i = i->ai_next) {
		struct address a = {.len = i->ai_addrlen};
		memcpy(&a.u, i->ai_addr, i->ai_addrlen);
		printf("%s %s\n", format_address(&a), i->ai_socktype == SOCK_STREAM ? "stream" : "dgram");
	}
	freeaddrinfo(all);
	return 0;
}
