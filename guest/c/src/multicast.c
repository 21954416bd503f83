#include "option.h"

#include <stdlib.h>
#include <string.h>

/* Finds the IPv4 address of the interface with an index, since the ABI selects an IPv4 interface by
 * its address. */
static int32_t interface_address(uint32_t index, struct in_addr *addr)
{
	wasport_interface *list;
	uint32_t count;
	int32_t err = __wasport_interfaces(&list, &count);
	if (err != 0)
		return err;
	err = ENODEV;
	for (uint32_t i = 0; i < count && err != 0; i++)
		if (list[i].index == index && list[i].addr.kind == WASPORT_INET4) {
			memcpy(addr, list[i].addr.u.v4.ip, sizeof *addr);
			err = 0;
		}
	free(list);
	return err;
}

int32_t __wasport_set_multicast_interface(int fd, const void *value, socklen_t len)
{
	struct ip_mreqn request;
	struct in_addr addr;
	int32_t err;

	memset(&request, 0, sizeof request);
	if (len >= sizeof(struct ip_mreq))
		memcpy(&request, value, len < sizeof request ? sizeof(struct ip_mreq) : sizeof request);
	else if (len >= sizeof addr)
		memcpy(&request.imr_address, value, sizeof addr);
	else
		return EINVAL;
	addr = request.imr_address;
	if (request.imr_ifindex != 0 &&
	    (err = interface_address((uint32_t)request.imr_ifindex, &addr)) != 0)
		return err;
	return __wasport_ext_set_option(fd, WASPORT_OPT_IP_MULTICAST_IF, ntohl(addr.s_addr));
}

static int32_t change_membership(int fd, bool join, const wasport_ip *group, uint32_t interface)
{
	if (join)
		return wasport_sock_set_ip_add_membership(fd, group, interface);
	return wasport_sock_set_ip_drop_membership(fd, group, interface);
}

static int32_t change_membership4(
    int fd, bool join, struct in_addr group, uint32_t index, struct in_addr interface)
{
	wasport_ip ip = {.kind = WASPORT_INET4};
	int32_t err;
	if (index != 0 && (err = interface_address(index, &interface)) != 0)
		return err;
	memcpy(ip.u.v4, &group, sizeof ip.u.v4);
	return change_membership(fd, join, &ip, interface.s_addr);
}

static int32_t change_membership6(int fd, bool join, const struct in6_addr *group, uint32_t index)
{
	wasport_ip ip = {.kind = WASPORT_INET6};
	__wasport_encode_ip6(group, ip.u.v6);
	return change_membership(fd, join, &ip, index);
}

int32_t __wasport_set_membership(int fd, int level, int name, const void *value, socklen_t len)
{
	if (name == MCAST_JOIN_GROUP || name == MCAST_LEAVE_GROUP) {
		struct group_req request;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
		if (len < sizeof request)
			return EINVAL;
		memcpy(&request, value, sizeof request);
		memcpy(&in, &request.gr_group, sizeof in);
		memcpy(&in6, &request.gr_group, sizeof in6);
		if (request.gr_group.ss_family != (level == IPPROTO_IP ? AF_INET : AF_INET6))
			return EADDRNOTAVAIL;
		if (level == IPPROTO_IP)
			return change_membership4(fd, name == MCAST_JOIN_GROUP, in.sin_addr,
			    request.gr_interface, (struct in_addr){0});
		return change_membership6(
		    fd, name == MCAST_JOIN_GROUP, &in6.sin6_addr, request.gr_interface);
	}
	if (level == IPPROTO_IP) {
		struct ip_mreqn request;
		if (len < sizeof(struct ip_mreq))
			return EINVAL;
		memset(&request, 0, sizeof request);
		memcpy(&request, value, len < sizeof request ? sizeof(struct ip_mreq) : sizeof request);
		return change_membership4(fd, name == IP_ADD_MEMBERSHIP, request.imr_multiaddr,
		    (uint32_t)request.imr_ifindex, request.imr_address);
	}
	struct ipv6_mreq request;
	if (len < sizeof request)
		return EINVAL;
	memcpy(&request, value, sizeof request);
	return change_membership6(
	    fd, name == IPV6_JOIN_GROUP, &request.ipv6mr_multiaddr, request.ipv6mr_interface);
}

bool __wasport_is_membership(int level, int name)
{
	if (level != IPPROTO_IP && level != IPPROTO_IPV6)
		return false;
	if (name == MCAST_JOIN_GROUP || name == MCAST_LEAVE_GROUP)
		return true;
	if (level == IPPROTO_IP)
		return name == IP_ADD_MEMBERSHIP || name == IP_DROP_MEMBERSHIP;
	return name == IPV6_JOIN_GROUP || name == IPV6_LEAVE_GROUP;
}
