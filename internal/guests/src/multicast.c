/*
 * multicast receive GROUP INTERFACE COUNT: joins, and prints COUNT datagrams; then leaves, joins
 * twice and leaves twice. multicast send GROUP PORT INTERFACE TEXT: sends the text to the group.
 * INTERFACE is an IPv4 address for IPv4 groups, and a name or an index for IPv6 groups.
 */
#include "guest.h"
#include <net/if.h>

static unsigned int index_of(const char *interface)
{
	unsigned int index = (unsigned int)atoi(interface);
	if (index == 0)
		index = if_nametoindex(interface);
	if (index == 0)
		fail("if_nametoindex");
	return index;
}

static int change(int fd, const struct address *group, const char *interface, bool join)
{
	if (group->u.sa.sa_family == AF_INET) {
		struct ip_mreq request = {.imr_multiaddr = group->u.in.sin_addr};
		inet_pton(AF_INET, interface, &request.imr_interface);
		return setsockopt(fd, IPPROTO_IP, join ? IP_ADD_MEMBERSHIP : IP_DROP_MEMBERSHIP, &request,
		    sizeof request);
	}
	struct ipv6_mreq request = {
	    .ipv6mr_multiaddr = group->u.in6.sin6_addr, .ipv6mr_interface = index_of(interface)};
	return setsockopt(
	    fd, IPPROTO_IPV6, join ? IPV6_JOIN_GROUP : IPV6_LEAVE_GROUP, &request, sizeof request);
}

static void say(const char *what, int status)
{
	printf("%s %s\n", what, errno_name(status == 0 ? 0 : errno));
}

static int receive(const char *group, const char *interface, int count)
{
	struct address to = parse_address(group, "0"),
	               any = parse_address(strchr(group, ':') != NULL ? "::" : "0.0.0.0", "0");
	int fd = open_bound(&any, SOCK_DGRAM);

	if (change(fd, &to, interface, true) != 0)
		fail("join");
	print_listening(fd);
	while (count-- > 0) {
		char buf[2048];
		struct address from = {.len = sizeof from.u};
		ssize_t n = recvfrom(fd, buf, sizeof buf - 1, 0, &from.u.sa, &from.len);
		if (n < 0)
			fail("recvfrom");
		buf[n] = '\0';
		printf("received %s from %s\n", buf, format_address(&from));
	}
	say("leave", change(fd, &to, interface, false));
	say("leave again", change(fd, &to, interface, false));
	say("join", change(fd, &to, interface, true));
	say("join again", change(fd, &to, interface, true));
	return 0;
}

static int transmit(const char *group, const char *port, const char *interface, const char *text)
{
	struct address to = parse_address(group, port);
	int fd = socket(to.u.sa.sa_family, SOCK_DGRAM, 0), status;

	if (fd < 0)
		fail("socket");
	if (to.u.sa.sa_family == AF_INET) {
		struct in_addr addr;
		inet_pton(AF_INET, interface, &addr);
		status = setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &addr, sizeof addr);
	} else {
		unsigned int index = index_of(interface);
		status = setsockopt(fd, IPPROTO_IPV6, IPV6_MULTICAST_IF, &index, sizeof index);
	}
	if (status != 0)
		fail("multicast interface");
	if (sendto(fd, text, strlen(text), 0, &to.u.sa, to.len) != (ssize_t)strlen(text))
		fail("sendto");
	printf("sent\n");
	return 0;
}

int main(int argc, char **argv)
{
	set_line_buffering();
	if (argc == 5 && strcmp(argv[1], "receive") == 0)
		return receive(argv[2], argv[3], atoi(argv[4]));
	if (argc == 6 && strcmp(argv[1], "send") == 0)
		return transmit(argv[2], argv[3], argv[4], argv[5]);
	usage("multicast receive GROUP INTERFACE COUNT | send GROUP PORT INTERFACE TEXT");
}
