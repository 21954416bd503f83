/* options 4|6: prints the value of every option of both types of socket, then sets it and prints what a get gives. */
#include "guest.h"
#include <netinet/tcp.h>
#include <sys/time.h>

struct option {
	const char *name;
	int level, number;
	int value; /* to set; -1: cannot be set */
	char family; /* '4' or '6'; 0: both */
};

static const struct option ints[] = {
	{"SO_TYPE", SOL_SOCKET, SO_TYPE, -1, 0},
	{"SO_DOMAIN", SOL_SOCKET, SO_DOMAIN, -1, 0},
	{"SO_PROTOCOL", SOL_SOCKET, SO_PROTOCOL, -1, 0},
	{"SO_ERROR", SOL_SOCKET, SO_ERROR, -1, 0},
	{"SO_ACCEPTCONN", SOL_SOCKET, SO_ACCEPTCONN, -1, 0},
	{"SO_REUSEADDR", SOL_SOCKET, SO_REUSEADDR, 1, 0},
	{"SO_REUSEPORT", SOL_SOCKET, SO_REUSEPORT, 1, 0},
	{"SO_KEEPALIVE", SOL_SOCKET, SO_KEEPALIVE, 1, 0},
	{"SO_BROADCAST", SOL_SOCKET, SO_BROADCAST, 1, 0},
	{"SO_RCVBUF", SOL_SOCKET, SO_RCVBUF, 32768, 0},
	{"SO_SNDBUF", SOL_SOCKET, SO_SNDBUF, 16384, 0},
	{"TCP_NODELAY", IPPROTO_TCP, TCP_NODELAY, 1, 0},
	{"TCP_QUICKACK", IPPROTO_TCP, TCP_QUICKACK, 0, 0},
	{"TCP_FASTOPEN_CONNECT", IPPROTO_TCP, TCP_FASTOPEN_CONNECT, 1, 0},
	{"TCP_KEEPIDLE", IPPROTO_TCP, TCP_KEEPIDLE, 123, 0},
	{"TCP_KEEPINTVL", IPPROTO_TCP, TCP_KEEPINTVL, 45, 0},
	{"TCP_KEEPCNT", IPPROTO_TCP, TCP_KEEPCNT, 6, 0},
	{"TCP_MAXSEG", IPPROTO_TCP, TCP_MAXSEG, 1000, 0},
	{"IP_TTL", IPPROTO_IP, IP_TTL, 42, '4'},
	{"IP_TOS", IPPROTO_IP, IP_TOS, 0x10, '4'},
	{"IP_MULTICAST_TTL", IPPROTO_IP, IP_MULTICAST_TTL, 7, '4'},
	{"IP_MULTICAST_LOOP", IPPROTO_IP, IP_MULTICAST_LOOP, 0, '4'},
	{"IPV6_V6ONLY", IPPROTO_IPV6, IPV6_V6ONLY, 1, '6'},
	{"IPV6_UNICAST_HOPS", IPPROTO_IPV6, IPV6_UNICAST_HOPS, 43, '6'},
	{"IPV6_MULTICAST_HOPS", IPPROTO_IPV6, IPV6_MULTICAST_HOPS, 8, '6'},
	{"IPV6_MULTICAST_LOOP", IPPROTO_IPV6, IPV6_MULTICAST_LOOP, 0, '6'},
	{"IPV6_MULTICAST_IF", IPPROTO_IPV6, IPV6_MULTICAST_IF, 1, '6'},
	{"IPV6_TCLASS", IPPROTO_IPV6, IPV6_TCLASS, 0x20, '6'},
};

/* " what=NUMBER", or the error that took its place. */
static void say(const char *what, int status, long long value)
{
	if (status == 0)
		printf(" %s=%lld", what, value);
	else
		printf(" %s=%s", what, errno_name(errno));
}

static void try_int(int fd, const char *type, const struct option *o)
{
	int value = 0x7f7f7f7f;
	socklen_t len = sizeof value;

	printf("%s %s", type, o->name);
	say("default", getsockopt(fd, o->level, o->number, &value, &len), value);
	if (o->value >= 0) {
		say("set", setsockopt(fd, o->level, o->number, &o->value, sizeof o->value), o->value);
		value = 0x7f7f7f7f;
		len = sizeof value;
		say("get", getsockopt(fd, o->level, o->number, &value, &len), value);
	}
	printf("\n");
}

static void try_linger(int fd, const char *type)
{
	struct linger linger = {7, 7}, wanted = {1, 9};
	socklen_t len = sizeof linger;

	printf("%s SO_LINGER", type);
	say("default", getsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, &len), linger.l_onoff);
	say("set", setsockopt(fd, SOL_SOCKET, SO_LINGER, &wanted, sizeof wanted), wanted.l_linger);
	len = sizeof linger;
	say("get", getsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, &len), linger.l_onoff ? linger.l_linger : -1);
	printf("\n");
}

static void try_timeout(int fd, const char *type, const char *name, int number)
{
	struct timeval tv = {7, 7}, wanted = {2, 500000};
	socklen_t len = sizeof tv;

	printf("%s %s", type, name);
	say("default", getsockopt(fd, SOL_SOCKET, number, &tv, &len), (long long)tv.tv_sec * 1000000 + tv.tv_usec);
	say("set", setsockopt(fd, SOL_SOCKET, number, &wanted, sizeof wanted), 2500000);
	len = sizeof tv;
	say("get", getsockopt(fd, SOL_SOCKET, number, &tv, &len), (long long)tv.tv_sec * 1000000 + tv.tv_usec);
	printf("\n");
}

static void try_multicast_interface(int fd, const char *type)
{
	struct in_addr addr = {0}, wanted = {htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof addr;

	printf("%s IP_MULTICAST_IF", type);
	say("default", getsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &addr, &len), ntohl(addr.s_addr));
	say("set", setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &wanted, sizeof wanted), ntohl(wanted.s_addr));
	len = sizeof addr;
	say("get", getsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &addr, &len), ntohl(addr.s_addr));
	printf("\n");
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int type;
	} types[] = {{"tcp", SOCK_STREAM}, {"udp", SOCK_DGRAM}};

	speak_by_lines();
	if (argc != 2 || (strcmp(argv[1], "4") != 0 && strcmp(argv[1], "6") != 0))
		usage("options 4|6");
	for (int t = 0; t < 2; t++) {
		int fd = socket(argv[1][0] == '6' ? AF_INET6 : AF_INET, types[t].type, 0);
		if (fd < 0)
			fail("socket");
		for (size_t i = 0; i < sizeof ints / sizeof *ints; i++)
			if (ints[i].family == 0 || ints[i].family == argv[1][0])
				try_int(fd, types[t].name, &ints[i]);
		try_linger(fd, types[t].name);
		try_timeout(fd, types[t].name, "SO_RCVTIMEO", SO_RCVTIMEO);
		try_timeout(fd, types[t].name, "SO_SNDTIMEO", SO_SNDTIMEO);
		if (argv[1][0] == '4')
			try_multicast_interface(fd, types[t].name);
		close(fd);
	}
	return 0;
}
