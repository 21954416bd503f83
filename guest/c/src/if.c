#include "sock.h"

#include <ifaddrs.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>

int32_t __wasport_interfaces(wasport_interface **list, uint32_t *count)
{
	*list = NULL;
	*count = 0;
#if WASPORT_EXT
	/* Interfaces may be added between two calls, so the list may not fit the second time either. */
	for (uint32_t room = 16;; room = *count) {
		int32_t err;
		wasport_interface *more = realloc(*list, room * sizeof *more);
		if (more == NULL)
			err = ENOMEM;
		else
			err = wasport_sock_interfaces(*list = more, room, count);
		if (err != 0) {
			free(*list);
			*list = NULL;
			return err;
		}
		if (*count <= room)
			break;
	}
#endif
	return 0;
}

unsigned int if_nametoindex(const char *name)
{
	wasport_interface *list;
	uint32_t count;
	unsigned int index = 0;

	if (result(__wasport_interfaces(&list, &count)) != 0)
		return 0;
	for (uint32_t i = 0; i < count && index == 0; i++)
		if (strcmp(list[i].name, name) == 0)
			index = list[i].index;
	free(list);
	if (index == 0)
		errno = ENODEV;
	return index;
}

char *if_indextoname(unsigned int index, char *name)
{
	wasport_interface *list;
	uint32_t count;
	bool found = false;

	if (result(__wasport_interfaces(&list, &count)) != 0)
		return NULL;
	for (uint32_t i = 0; i < count && !found; i++)
		if (list[i].index == index && strlen(list[i].name) < IF_NAMESIZE) {
			strcpy(name, list[i].name);
			found = true;
		}
	free(list);
	if (!found) {
		errno = ENXIO;
		return NULL;
	}
	return name;
}

/* One block: the array, ended by an entry of zeros, and the names after it. */
struct if_nameindex *if_nameindex(void)
{
	wasport_interface *list;
	uint32_t count, used = 0;
	struct if_nameindex *all;
	char *names;

	if (result(__wasport_interfaces(&list, &count)) != 0)
		return NULL;
	all = calloc(count + 1, sizeof *all + sizeof list->name);
	if (all == NULL) {
		free(list);
		errno = ENOBUFS;
		return NULL;
	}
	names = (char *)(all + count + 1);
	for (uint32_t i = 0; i < count; i++) {
		if (used > 0 && all[used - 1].if_index == list[i].index)
			continue;
		all[used].if_index = list[i].index;
		all[used].if_name = names + used * sizeof list->name;
		strcpy(all[used].if_name, list[i].name);
		used++;
	}
	free(list);
	return all;
}

void if_freenameindex(struct if_nameindex *all)
{
	free(all);
}

static unsigned int iff_flags(uint32_t flags)
{
	static const struct {
		uint32_t abi;
		unsigned int posix;
	} pairs[] = {
		{WASPORT_IF_UP, IFF_UP | IFF_RUNNING},
		{WASPORT_IF_LOOPBACK, IFF_LOOPBACK},
		{WASPORT_IF_MULTICAST, IFF_MULTICAST},
		{WASPORT_IF_BROADCAST, IFF_BROADCAST},
		{WASPORT_IF_POINTTOPOINT, IFF_POINTOPOINT},
	};
	unsigned int result = 0;
	for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
		if (flags & pairs[i].abi)
			result |= pairs[i].posix;
	return result;
}

/* An entry of getifaddrs(3) and all that it points to. The entry comes first, so that freeing it
 * frees all. */
struct entry {
	struct ifaddrs head;
	struct sockaddr_storage addr, mask, broadcast;
	char name[sizeof((wasport_interface *)NULL)->name];
};

static void fill_entry(struct entry *e, const wasport_interface *from)
{
	socklen_t len = sizeof e->addr;
	uint8_t *mask, *broadcast;
	uint32_t octets;

	memcpy(e->name, from->name, sizeof e->name);
	e->head.ifa_name = e->name;
	e->head.ifa_flags = iff_flags(from->flags);
	__wasport_decode(&from->addr, (struct sockaddr *)&e->addr, &len);
	e->mask.ss_family = e->addr.ss_family;
	memcpy(&e->broadcast, &e->addr, sizeof e->broadcast);
	if (from->addr.kind == WASPORT_INET4) {
		mask = (uint8_t *)&((struct sockaddr_in *)&e->mask)->sin_addr;
		broadcast = (uint8_t *)&((struct sockaddr_in *)&e->broadcast)->sin_addr;
		octets = 4;
	} else {
		struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&e->addr;
		if (IN6_IS_ADDR_LINKLOCAL(&in6->sin6_addr))
			in6->sin6_scope_id = from->index;
		mask = ((struct sockaddr_in6 *)&e->mask)->sin6_addr.s6_addr;
		broadcast = NULL;
		octets = 16;
	}
	for (uint32_t bit = 0; bit < octets * 8; bit++) {
		uint8_t one = (uint8_t)(0x80 >> bit % 8);
		if (bit < from->prefix)
			mask[bit / 8] |= one;
		else if (broadcast != NULL)
			broadcast[bit / 8] |= one;
	}
	e->head.ifa_addr = (struct sockaddr *)&e->addr;
	e->head.ifa_netmask = (struct sockaddr *)&e->mask;
	if (broadcast != NULL && (from->flags & WASPORT_IF_BROADCAST))
		e->head.ifa_broadaddr = (struct sockaddr *)&e->broadcast;
}

int getifaddrs(struct ifaddrs **all)
{
	wasport_interface *list;
	uint32_t count;
	struct ifaddrs **last = all;

	*all = NULL;
	if (result(__wasport_interfaces(&list, &count)) != 0)
		return -1;
	for (uint32_t i = 0; i < count; i++) {
		struct entry *e = calloc(1, sizeof *e);
		if (e == NULL) {
			free(list);
			freeifaddrs(*all);
			*all = NULL;
			return result(ENOMEM);
		}
		fill_entry(e, &list[i]);
		*last = &e->head;
		last = &e->head.ifa_next;
	}
	free(list);
	return 0;
}

void freeifaddrs(struct ifaddrs *all)
{
	while (all != NULL) {
		struct ifaddrs *next = all->ifa_next;
		free(all);
		all = next;
	}
}
