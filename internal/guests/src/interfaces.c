/* interfaces: prints the interfaces that the guest may know of, by getifaddrs and by name and
 * index. */
#include "guest.h"
#include <ifaddrs.h>
#include <net/if.h>

int main(void)
{
	struct ifaddrs *all;
	struct if_nameindex *names;
	char name[IF_NAMESIZE];

	set_line_buffering();
	if (getifaddrs(&all) != 0)
		fail("getifaddrs");
	for (struct ifaddrs *i = all; i != NULL; i = i->ifa_next) {
		struct address a = {0}, mask = {0};
		if (i->ifa_addr == NULL ||
		    (i->ifa_addr->sa_family != AF_INET && i->ifa_addr->sa_family != AF_INET6))
			continue;
		size_t size = i->ifa_addr->sa_family == AF_INET ? sizeof a.u.in : sizeof a.u.in6;
		memcpy(&a.u, i->ifa_addr, size);
		memcpy(&mask.u, i->ifa_netmask, size);
		printf("address %s %s mask %s%s%s\n", i->ifa_name, format_address(&a),
		    format_address(&mask), i->ifa_flags & IFF_UP ? " up" : "",
		    i->ifa_flags & IFF_LOOPBACK ? " loopback" : "");
	}
	freeifaddrs(all);
	names = if_nameindex();
	if (names == NULL)
		fail("if_nameindex");
	for (struct if_nameindex *i = names; i->if_index != 0; i++) {
		check(if_nametoindex(i->if_name) == i->if_index, "if_nametoindex");
		check(if_indextoname(i->if_index, name) != NULL && strcmp(name, i->if_name) == 0,
		    "if_indextoname");
		printf("index %u %s\n", i->if_index, i->if_name);
	}
	if_freenameindex(names);
	unsigned int none = if_nametoindex("no-such-if");
	printf("unknown %u %s\n", none, errno_name(errno));
	return 0;
}
