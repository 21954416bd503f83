/* The interfaces of the host: those that have an address. */
#include "transcript.h"
#include <ifaddrs.h>
#include <net/if.h>

static void print_address(const char *what, const struct sockaddr *sa)
{
	char text[INET6_ADDRSTRLEN] = "-";

	if (sa != NULL && sa->sa_family == AF_INET)
		inet_ntop(AF_INET, &((const struct sockaddr_in *)sa)->sin_addr, text, sizeof text);
	else if (sa != NULL && sa->sa_family == AF_INET6)
		inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)sa)->sin6_addr, text, sizeof text);
	printf(" %s %s", what, text);
}

static void transcript(void)
{
	struct ifaddrs *list;
	struct if_nameindex *names;
	char name[IF_NAMESIZE];

	MUST(getifaddrs(&list));
	for (struct ifaddrs *a = list; a != NULL; a = a->ifa_next) {
		unsigned index;

		if (a->ifa_addr == NULL || a->ifa_addr->sa_family != family)
			continue;
		index = if_nametoindex(a->ifa_name);
		printf("%s %s", a->ifa_name,
		    index != 0 && strcmp(if_indextoname(index, name), a->ifa_name) == 0 ? "has an index"
		                                                                        : "has none");
		printf("%s%s%s", a->ifa_flags & IFF_UP ? " up" : "",
		    a->ifa_flags & IFF_LOOPBACK ? " loopback" : "",
		    a->ifa_flags & IFF_MULTICAST ? " multicast" : "");
		print_address("address", a->ifa_addr);
		print_address("mask", a->ifa_netmask);
		if (family == AF_INET6)
			printf(" scope %u", ((struct sockaddr_in6 *)a->ifa_addr)->sin6_scope_id != 0);
		printf("\n");

		names = if_nameindex();
		for (struct if_nameindex *n = names; n != NULL && n->if_index != 0; n++)
			if (strcmp(n->if_name, a->ifa_name) == 0)
				printf("listed %s\n", n->if_index == index ? "so" : "otherwise");
		if_freenameindex(names);
	}
	freeifaddrs(list);
	errno = 0;
	TRY(if_nametoindex("nonesuch"));
	printf("%s\n", errno_name(errno));
	errno = 0;
	printf("%s", if_indextoname(1000000, name) == NULL ? "NULL" : name);
	printf(" %s\n", errno_name(errno));
}
