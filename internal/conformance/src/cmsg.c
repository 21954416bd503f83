/* Control messages of datagrams: the options that ask for them, what they tell, their truncation,
 * and what can be sent. */
#include "transcript.h"

#include <net/if.h>

static struct sockaddr_storage own;
static socklen_t own_len;

static const struct asked {
	int level, name;
	const char *text;
	int family;
} asked[] = {
#define A(level, name, family) {level, name, #name, family}
	A(SOL_SOCKET, SO_TIMESTAMP, 0),
	A(IPPROTO_IP, IP_PKTINFO, AF_INET),
	A(IPPROTO_IP, IP_RECVTTL, AF_INET),
	A(IPPROTO_IP, IP_RECVTOS, AF_INET),
	A(IPPROTO_IPV6, IPV6_RECVPKTINFO, AF_INET6),
	A(IPPROTO_IPV6, IPV6_RECVHOPLIMIT, AF_INET6),
	A(IPPROTO_IPV6, IPV6_RECVTCLASS, AF_INET6),
#undef A
};

/* Sets an option, which other hosts than Linux may lack. */
static int try_option(int fd, const struct asked *o, int value)
{
	int lacks = setsockopt(fd, o->level, o->name, &value, sizeof value) < 0;

	if (lacks)
		printf("%s is lacking: %s\n", o->text, errno_name(errno));
	return !lacks;
}

static void ask(int fd, int on)
{
	for (size_t i = 0; i < sizeof asked / sizeof *asked; i++)
		if (asked[i].family == 0 || asked[i].family == family)
			try_option(fd, &asked[i], on);
}

static void options(void)
{
	int fd = open_socket(SOCK_DGRAM), values[] = {0, 1, 5, -1};

	for (size_t i = 0; i < sizeof asked / sizeof *asked; i++) {
		if (asked[i].family != 0 && asked[i].family != family)
			continue;
		printf("%s is %d\n", asked[i].text, option(fd, asked[i].level, asked[i].name));
		for (int j = 0; j < 4; j++) {
			if (try_option(fd, &asked[i], values[j]))
				printf("%d: %d\n", values[j],
				    option(fd, asked[i].level, asked[i].name));
		}
	}
	close(fd);
}

static void print_info(const struct in_addr *addr, const struct in_addr *source, unsigned index)
{
	char text[INET_ADDRSTRLEN];
	char name[IF_NAMESIZE];

	printf("IP_PKTINFO to %s", inet_ntop(AF_INET, addr, text, sizeof text));
	printf(" from %s on %s\n", inet_ntop(AF_INET, source, text, sizeof text),
	    if_indextoname(index, name) != NULL ? name : "?");
}

static void print_message(const struct cmsghdr *c)
{
	size_t size = c->cmsg_len - CMSG_LEN(0);
	int number = 0;

	memcpy(&number, CMSG_DATA(c), size < sizeof number ? size : sizeof number);
	if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMP) {
		struct timeval tv, now;
		memcpy(&tv, CMSG_DATA(c), sizeof tv);
		MUST(gettimeofday(&now, NULL));
		printf("SCM_TIMESTAMP %s, %s\n", size == sizeof tv ? "whole" : "cut",
		    now.tv_sec - tv.tv_sec <= 60 && tv.tv_sec <= now.tv_sec ? "now" : "not now");
	} else if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
		struct in_pktinfo info;
		memset(&info, 0, sizeof info);
		memcpy(&info, CMSG_DATA(c), size);
		print_info(&info.ipi_addr, &info.ipi_spec_dst, (unsigned)info.ipi_ifindex);
	} else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
		struct in6_pktinfo info;
		char text[INET6_ADDRSTRLEN], name[IF_NAMESIZE];
		memset(&info, 0, sizeof info);
		memcpy(&info, CMSG_DATA(c), size);
		printf("IPV6_PKTINFO to %s on %s\n",
		    inet_ntop(AF_INET6, &info.ipi6_addr, text, sizeof text),
		    if_indextoname(info.ipi6_ifindex, name) != NULL ? name : "?");
	} else {
		printf("%s %d, %s\n",
		    c->cmsg_level == IPPROTO_IP     ? c->cmsg_type == IP_TTL   ? "IP_TTL"
		                                      : c->cmsg_type == IP_TOS ? "IP_TOS"
		                                                               : "IP ?"
		    : c->cmsg_level == IPPROTO_IPV6 ? c->cmsg_type == IPV6_HOPLIMIT ? "IPV6_HOPLIMIT"
		                                      : c->cmsg_type == IPV6_TCLASS ? "IPV6_TCLASS"
		                                                                    : "IPV6 ?"
		                                    : "?",
		    number,
		    size == 1              ? "a byte"
		    : size == sizeof(int)  ? "an int"
		                           : "oddly long");
	}
}

/* Receives a datagram with so much room for control messages. */
static void receive(int fd, size_t room, int flags)
{
	char byte = 0, control[512] = "";
	struct iovec iov = {&byte, 1};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1,
	    .msg_control = room > 0 ? control : NULL, .msg_controllen = room};

	TRY(recvmsg(fd, &msg, flags));
	printf("flags%s%s%s, control %s\n", msg.msg_flags == 0 ? " none" : "",
	    msg.msg_flags & MSG_TRUNC ? " TRUNC" : "", msg.msg_flags & MSG_CTRUNC ? " CTRUNC" : "",
	    msg.msg_controllen == 0      ? "none"
	    : msg.msg_controllen == room ? "full"
	                                 : "some");
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&msg); c != NULL; c = CMSG_NXTHDR(&msg, c))
		print_message(c);
}

static void receiving(void)
{
	int fd = bound(SOCK_DGRAM, &own, &own_len), to = open_socket(SOCK_DGRAM);
	int hops = 7, class = 0x10;
	struct mmsghdr list[2];
	struct iovec iov[2];
	char buf[2][4], control[2][256];

	if (family == AF_INET) {
		MUST(setsockopt(to, IPPROTO_IP, IP_TTL, &hops, sizeof hops));
		MUST(setsockopt(to, IPPROTO_IP, IP_TOS, &class, sizeof class));
	} else {
		MUST(setsockopt(to, IPPROTO_IPV6, IPV6_UNICAST_HOPS, &hops, sizeof hops));
		MUST(setsockopt(to, IPPROTO_IPV6, IPV6_TCLASS, &class, sizeof class));
	}
	for (int i = 0; i < 10; i++)
		MUST(sendto(to, "ab", 1 + i % 2, 0, (struct sockaddr *)&own, own_len));
	receive(fd, 512, 0);
	ask(fd, 1);
	receive(fd, 512, MSG_PEEK);
	receive(fd, 512, 0);
	/* Room for none, for no header, for a part of the first, and for that. */
	receive(fd, 0, 0);
	receive(fd, sizeof(struct cmsghdr) - 1, 0);
	receive(fd, CMSG_LEN(4), 0);
	receive(fd, CMSG_SPACE(sizeof(struct timeval)), 0);
	receive(fd, CMSG_SPACE(sizeof(struct timeval)) + CMSG_LEN(0) - 1, MSG_DONTWAIT);
	ask(fd, 0);
	receive(fd, 512, 0);

	ask(fd, 1);
	memset(list, 0, sizeof list);
	memset(control, 0, sizeof control);
	for (int i = 0; i < 2; i++) {
		iov[i] = (struct iovec){buf[i], sizeof buf[i]};
		list[i].msg_hdr = (struct msghdr){.msg_iov = &iov[i], .msg_iovlen = 1,
		    .msg_control = control[i], .msg_controllen = i == 0 ? sizeof control[i] : 1};
	}
	MUST(sendto(to, "x", 1, 0, (struct sockaddr *)&own, own_len));
	receive(fd, 512, 0);
	TRY(recvmmsg(fd, list, 2, 0, NULL));
	for (int i = 0; i < 2; i++) {
		printf("message %d: %u, flags%s%s\n", i, list[i].msg_len,
		    list[i].msg_hdr.msg_flags & MSG_TRUNC ? " TRUNC" : "",
		    list[i].msg_hdr.msg_flags & MSG_CTRUNC ? " CTRUNC" : "");
		for (struct cmsghdr *c = CMSG_FIRSTHDR(&list[i].msg_hdr); c != NULL;
		     c = CMSG_NXTHDR(&list[i].msg_hdr, c))
			print_message(c);
	}
	TRY(recvmmsg(fd, list, 2, MSG_DONTWAIT, NULL));

	/* Room for a part of the only one. */
	ask(fd, 0);
	try_option(fd, &asked[family == AF_INET ? 2 : 5], 1);
	MUST(sendto(to, "x", 1, 0, (struct sockaddr *)&own, own_len));
	receive(fd, CMSG_LEN(2), 0);
	close(to);
	close(fd);
}

static char out[128];
static struct msghdr sent;

static void *message(int level, int type, size_t size)
{
	struct cmsghdr *c = (struct cmsghdr *)out;

	memset(out, 0, sizeof out);
	c->cmsg_level = level;
	c->cmsg_type = type;
	c->cmsg_len = CMSG_LEN(size);
	sent.msg_control = out;
	sent.msg_controllen = CMSG_SPACE(size);
	return CMSG_DATA(c);
}

/* Sends an int as a control message, and shows what came. */
static void send_int(int fd, int to, int level, int type, int value)
{
	memcpy(message(level, type, sizeof value), &value, sizeof value);
	printf("%d: ", value);
	if (TRY(sendmsg(to, &sent, 0)) >= 0)
		receive(fd, 512, 0);
}

static void send_info(int to, const char *source, unsigned index)
{
	if (family == AF_INET) {
		struct in_pktinfo info = {.ipi_ifindex = (int)index};
		inet_pton(AF_INET, source, &info.ipi_spec_dst);
		memcpy(message(IPPROTO_IP, IP_PKTINFO, sizeof info), &info, sizeof info);
	} else {
		struct in6_pktinfo info = {.ipi6_ifindex = index};
		inet_pton(AF_INET6, source, &info.ipi6_addr);
		memcpy(message(IPPROTO_IPV6, IPV6_PKTINFO, sizeof info), &info, sizeof info);
	}
	printf("%s: ", source);
	TRY(sendmsg(to, &sent, 0));
}

static void sending(void)
{
	static const int values[] = {1, 64, 255, 256, 0, -1, -2};
	struct sockaddr_storage from;
	socklen_t len = sizeof from;
	struct iovec iov = {"x", 1};
	char byte;
	int fd = bound(SOCK_DGRAM, &own, &own_len), to = open_socket(SOCK_DGRAM);
	int level = family == AF_INET ? IPPROTO_IP : IPPROTO_IPV6;
	int hops = family == AF_INET ? IP_TTL : IPV6_HOPLIMIT;
	int class = family == AF_INET ? IP_TOS : IPV6_TCLASS;

	ask(fd, 1);
	memset(&sent, 0, sizeof sent);
	sent.msg_iov = &iov;
	sent.msg_iovlen = 1;
	sent.msg_name = &own;
	sent.msg_namelen = own_len;
	for (size_t i = 0; i < sizeof values / sizeof *values; i++)
		send_int(fd, to, level, hops, values[i]);
	for (size_t i = 0; i < sizeof values / sizeof *values; i++)
		send_int(fd, to, level, class, values[i]);
	send_int(fd, to, level, 0x7777, 1);
	send_int(fd, to, SOL_SOCKET, SCM_TIMESTAMP, 1);
	send_int(fd, to, 0x7777, 1, 1); /* a level that nobody knows is ignored */
	send_int(fd, to, level, family == AF_INET ? IP_PKTINFO : IPV6_PKTINFO, 1);
	message(level, hops, 8);
	TRY(sendmsg(to, &sent, 0));
	((struct cmsghdr *)out)->cmsg_len = 4;
	TRY(sendmsg(to, &sent, 0));
	((struct cmsghdr *)out)->cmsg_len = 1000;
	TRY(sendmsg(to, &sent, 0));

	send_info(to, family == AF_INET ? "127.0.0.1" : "::1", if_nametoindex("lo"));
	receive(fd, 512, 0);
	send_info(to, family == AF_INET ? "0.0.0.0" : "::", 0);
	receive(fd, 512, 0);
	send_info(to, family == AF_INET ? "192.0.2.1" : "2001:db8::1", 0);
	send_info(to, family == AF_INET ? "0.0.0.0" : "::", 123456);
	if (family == AF_INET) {
		send_info(to, "127.0.0.3", 0);
		MUST(recvfrom(fd, &byte, 1, 0, (struct sockaddr *)&from, &len));
		print_addr("from", &from, len);
	}
	close(to);
	close(fd);
}

static void transcript(void)
{
	options();
	receiving();
	sending();
}
