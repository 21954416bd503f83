/* Groups, joined and left in every way, and datagrams to them that stay on the loopback interface.
 */
#include "transcript.h"
#include <net/if.h>

static unsigned lo;

static struct sockaddr_storage group_address(const char *text, unsigned short port, socklen_t *len)
{
	struct sockaddr_storage sa;

	*len = loopback(&sa, port);
	if (family == AF_INET)
		MUST(inet_pton(AF_INET, text, &((struct sockaddr_in *)&sa)->sin_addr) - 1);
	else
		MUST(inet_pton(AF_INET6, text, &((struct sockaddr_in6 *)&sa)->sin6_addr) - 1);
	return sa;
}

enum how { BY_ADDRESS, BY_INDEX, BY_GROUP };

static int change(int fd, bool join, enum how how, const char *group, unsigned index)
{
	socklen_t len;
	struct sockaddr_storage sa = group_address(group, 0, &len);
	int level = family == AF_INET ? IPPROTO_IP : IPPROTO_IPV6;

	if (how == BY_GROUP) {
		struct group_req request = {.gr_interface = index, .gr_group = sa};
		return setsockopt(
		    fd, level, join ? MCAST_JOIN_GROUP : MCAST_LEAVE_GROUP, &request, sizeof request);
	}
	if (family == AF_INET6) {
		struct ipv6_mreq request = {
		    .ipv6mr_multiaddr = ((struct sockaddr_in6 *)&sa)->sin6_addr, .ipv6mr_interface = index};
		return setsockopt(
		    fd, level, join ? IPV6_JOIN_GROUP : IPV6_LEAVE_GROUP, &request, sizeof request);
	}
	if (how == BY_ADDRESS) {
		struct ip_mreq request = {.imr_multiaddr = ((struct sockaddr_in *)&sa)->sin_addr,
		    .imr_interface.s_addr = htonl(INADDR_LOOPBACK)};
		return setsockopt(
		    fd, level, join ? IP_ADD_MEMBERSHIP : IP_DROP_MEMBERSHIP, &request, sizeof request);
	}
	struct ip_mreqn request = {
	    .imr_multiaddr = ((struct sockaddr_in *)&sa)->sin_addr, .imr_ifindex = (int)index};
	return setsockopt(
	    fd, level, join ? IP_ADD_MEMBERSHIP : IP_DROP_MEMBERSHIP, &request, sizeof request);
}

static void memberships(const char *group)
{
	int fd = open_socket(SOCK_DGRAM), stream = open_socket(SOCK_STREAM);
	int level = family == AF_INET ? IPPROTO_IP : IPPROTO_IPV6;
	int number = 0;

	for (enum how how = BY_ADDRESS; how <= BY_GROUP; how++) {
		printf("way %d\n", how);
		TRY(change(fd, false, how, group, lo));
		TRY(change(fd, true, how, group, lo));
		TRY(change(fd, true, how, group, lo));
		TRY(change(fd, false, how, group, lo));
		TRY(change(fd, false, how, group, lo));
		TRY(change(fd, true, how, family == AF_INET ? "192.0.2.1" : "2001:db8::1", lo));
		if (how != BY_GROUP) /* which Linux allows on a stream */
			TRY(change(stream, true, how, group, lo));
		if (how != BY_ADDRESS || family == AF_INET6)
			TRY(change(fd, true, how, group, 1000000));
	}
	printf("mixed\n");
	TRY(change(fd, true, BY_ADDRESS, group, lo));
	TRY(change(fd, true, BY_GROUP, group, lo));
	TRY(change(fd, false, BY_INDEX, group, lo));
	TRY(change(fd, false, BY_GROUP, group, lo));
	TRY(setsockopt(fd, level, family == AF_INET ? IP_ADD_MEMBERSHIP : IPV6_JOIN_GROUP, &number,
	    sizeof number));
	TRY(setsockopt(fd, level, MCAST_JOIN_GROUP, &number, sizeof number));
	MUST(close(fd));
	MUST(close(stream));
}

static void options(void)
{
	int fd = open_socket(SOCK_DGRAM), level = family == AF_INET ? IPPROTO_IP : IPPROTO_IPV6;
	int hops = family == AF_INET ? IP_MULTICAST_TTL : IPV6_MULTICAST_HOPS,
	    loop = family == AF_INET ? IP_MULTICAST_LOOP : IPV6_MULTICAST_LOOP;

	for (int i = -2; i <= 257; i += i < 2 ? 1 : i < 254 ? 252 : 1) {
		printf("hops %d\n", i);
		TRY(setsockopt(fd, level, hops, &i, sizeof i));
		TRY(option(fd, level, hops));
	}
	for (int i = -1; i <= 2; i++) {
		printf("loop %d\n", i);
		TRY(setsockopt(fd, level, loop, &i, sizeof i));
		TRY(option(fd, level, loop));
	}
	if (family == AF_INET) {
		struct in_addr in = {htonl(INADDR_LOOPBACK)}, got = {0};
		struct ip_mreqn request = {.imr_ifindex = (int)lo};
		socklen_t len = sizeof got;

		MUST(getsockopt(fd, level, IP_MULTICAST_IF, &got, &len));
		printf("from %s\n", inet_ntoa(got));
		TRY(setsockopt(fd, level, IP_MULTICAST_IF, &in, sizeof in));
		MUST(getsockopt(fd, level, IP_MULTICAST_IF, &got, &len));
		printf("from %s\n", inet_ntoa(got));
		TRY(setsockopt(fd, level, IP_MULTICAST_IF, &request, sizeof request));
		in.s_addr = htonl(0xc0000263);
		TRY(setsockopt(fd, level, IP_MULTICAST_IF, &in, sizeof in));
		in.s_addr = 0;
		TRY(setsockopt(fd, level, IP_MULTICAST_IF, &in, sizeof in));
		MUST(getsockopt(fd, level, IP_MULTICAST_IF, &got, &len));
		printf("from %s\n", inet_ntoa(got));
		TRY(setsockopt(fd, level, IP_MULTICAST_IF, &in, 2));
	} else {
		int index = (int)lo;

		TRY(option(fd, level, IPV6_MULTICAST_IF));
		TRY(setsockopt(fd, level, IPV6_MULTICAST_IF, &index, sizeof index));
		printf("from %s\n", option(fd, level, IPV6_MULTICAST_IF) == index ? "lo" : "elsewhere");
		index = 1000000;
		TRY(setsockopt(fd, level, IPV6_MULTICAST_IF, &index, sizeof index));
		index = 0;
		TRY(setsockopt(fd, level, IPV6_MULTICAST_IF, &index, sizeof index));
		TRY(option(fd, level, IPV6_MULTICAST_IF));
		TRY(setsockopt(fd, level, IPV6_MULTICAST_IF, &index, 2));
	}
	MUST(close(fd));
}

static void from_lo(int fd)
{
	struct in_addr in = {htonl(INADDR_LOOPBACK)};

	if (family == AF_INET)
		MUST(setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &in, sizeof in));
	else
		MUST(setsockopt(fd, IPPROTO_IPV6, IPV6_MULTICAST_IF, &lo, sizeof lo));
}

/* Sends to the group, and prints what a member receives. */
static void datagrams(const char *group)
{
	struct sockaddr_storage any, to, from;
	socklen_t len = loopback(&any, 0), fromlen = sizeof from;
	int member = open_socket(SOCK_DGRAM), stranger = open_socket(SOCK_DGRAM),
	    sender = open_socket(SOCK_DGRAM), on = 1, off = 0;
	int level = family == AF_INET ? IPPROTO_IP : IPPROTO_IPV6,
	    loop = family == AF_INET ? IP_MULTICAST_LOOP : IPV6_MULTICAST_LOOP;
	char buf[64];

	if (family == AF_INET)
		((struct sockaddr_in *)&any)->sin_addr.s_addr = INADDR_ANY;
	else
		((struct sockaddr_in6 *)&any)->sin6_addr = in6addr_any;
	MUST(setsockopt(member, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on));
	MUST(setsockopt(stranger, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on));
	if (family == AF_INET6) { /* a dual-stack socket shares no port with an IPv4 one */
		MUST(setsockopt(member, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on));
		MUST(setsockopt(stranger, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on));
	}
	MUST(bind(member, (struct sockaddr *)&any, len));
	MUST(getsockname(member, (struct sockaddr *)&any, &len));
	MUST(bind(stranger, (struct sockaddr *)&any, len));
	MUST(change(member, true, BY_ADDRESS, group, lo));
	from_lo(sender);
	from_lo(member);
	set_nonblocking(stranger);

	to = group_address(group, port_of(&any), &len);
	if (TRY(sendto(sender, "to all", 6, 0, (struct sockaddr *)&to, len)) == 6) {
		await(member, POLLIN);
		TRY(recvfrom(member, buf, sizeof buf, 0, (struct sockaddr *)&from, &fromlen));
		print_addr("from", &from, fromlen);
		TRY(sendto(member, "to myself", 9, 0, (struct sockaddr *)&to, len));
		await(member, POLLIN);
		TRY(recv(member, buf, sizeof buf, 0));
		MUST(setsockopt(sender, level, loop, &off, sizeof off));
		TRY(sendto(sender, "to others", 9, 0, (struct sockaddr *)&to, len));
		MUST(setsockopt(sender, level, loop, &on, sizeof on));
		TRY(sendto(sender, "", 0, 0, (struct sockaddr *)&to, len));
		await(member, POLLIN);
		TRY(recv(member, buf, sizeof buf, 0));
		MUST(change(member, false, BY_ADDRESS, group, lo));
		set_nonblocking(member);
		TRY(sendto(sender, "to nobody", 9, 0, (struct sockaddr *)&to, len));
		TRY(recv(member, buf, sizeof buf, 0));
	}
	MUST(close(member));
	MUST(close(stranger));
	MUST(close(sender));
}

static void transcript(void)
{
	const char *group = family == AF_INET ? "239.255.77.9" : "ff01::4d:9";

	lo = if_nametoindex("lo");
	memberships(group);
	options();
	datagrams(group);
}
