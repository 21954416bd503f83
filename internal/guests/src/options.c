/* options 4|6: prints the value of every option of both types of socket, then sets it and prints
 * what a get gives. */
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
	{"TCP_USER_TIMEOUT", IPPROTO_TCP, TCP_USER_TIMEOUT, 30000, 0},
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

/* One sort of value: how to read it as a number, and how to set it. */
typedef int getter(int fd, int level, int number, long long *value);
typedef int setter(int fd, int level, int number, long long value);

static void attempt(int fd, const char *type, const struct option *o, getter *get, setter *set)
{
	long long value = 0;
	int status = get(fd, o->level, o->number, &value);

	printf("%s %s", type, o->name);
	say("default", status, value);
	if (o->value >= 0) {
		status = set(fd, o->level, o->number, o->value);
		say("set", status, o->value);
		status = get(fd, o->level, o->number, &value);
		say("get", status, value);
	}
	printf("\n");
}

static int get_int(int fd, int level, int number, long long *value)
{
	/* Bytes that getsockopt does not write show. */
	int v = 0x7f7f7f7f;
	socklen_t len = sizeof v;
	int status = getsockopt(fd, level, number, &v, &len);
	*value = v;
	return status;
}

static int set_int(int fd, int level, int number, long long value)
{
	int v = (int)value;
	return setsockopt(fd, level, number, &v, sizeof v);
}

/* Seconds, or -1 when it is off. */
static int get_linger(int fd, int level, int number, long long *value)
{
	struct linger v = {7, 7};
	socklen_t len = sizeof v;
	int status = getsockopt(fd, level, number, &v, &len);
	*value = v.l_onoff ? v.l_linger : -1;
	return status;
}

static int set_linger(int fd, int level, int number, long long value)
{
	struct linger v = {1, (int)value};
	return setsockopt(fd, level, number, &v, sizeof v);
}

/* Microseconds. */
static int get_time(int fd, int level, int number, long long *value)
{
	struct timeval v = {7, 7};
	socklen_t len = sizeof v;
	int status = getsockopt(fd, level, number, &v, &len);
	*value = (long long)v.tv_sec * 1000000 + v.tv_usec;
	return status;
}

static int set_time(int fd, int level, int number, long long value)
{
	struct timeval v = {.tv_sec = value / 1000000, .tv_usec = value % 1000000};
	return setsockopt(fd, level, number, &v, sizeof v);
}

static int get_address(int fd, int level, int number, long long *value)
{
	struct in_addr v = {0};
	socklen_t len = sizeof v;
	int status = getsockopt(fd, level, number, &v, &len);
	*value = ntohl(v.s_addr);
	return status;
}

static int set_address(int fd, int level, int number, long long value)
{
	struct in_addr v = {htonl((uint32_t)value)};
	return setsockopt(fd, level, number, &v, sizeof v);
}

static const struct {
	struct option option;
	getter *get;
	setter *set;
} others[] = {
    {{"SO_LINGER", SOL_SOCKET, SO_LINGER, 9, 0}, get_linger, set_linger},
    {{"SO_RCVTIMEO", SOL_SOCKET, SO_RCVTIMEO, 2500000, 0}, get_time, set_time},
    {{"SO_SNDTIMEO", SOL_SOCKET, SO_SNDTIMEO, 2500000, 0}, get_time, set_time},
    {{"IP_MULTICAST_IF", IPPROTO_IP, IP_MULTICAST_IF, INADDR_LOOPBACK, '4'}, get_address,
        set_address},
};

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int type;
	} types[] = {{"tcp", SOCK_STREAM}, {"udp", SOCK_DGRAM}};

	set_line_buffering();
	if (argc != 2 || (strcmp(argv[1], "4") != 0 && strcmp(argv[1], "6") != 0))
		usage("options 4|6");
	for (int t = 0; t < 2; t++) {
		int fd = socket(argv[1][0] == '6' ? AF_INET6 : AF_INET, types[t].type, 0);
		if (fd < 0)
			fail("socket");
		for (size_t i = 0; i < sizeof ints / sizeof *ints; i++)
			if (ints[i].family == 0 || ints[i].family == argv[1][0])
				attempt(fd, types[t].name, &ints[i], get_int, set_int);
		for (size_t i = 0; i < sizeof others / sizeof *others; i++)
			if (others[i].option.family == 0 || others[i].option.family == argv[1][0])
				attempt(fd, types[t].name, &others[i].option, others[i].get, others[i].set);
		close(fd);
	}
	return 0;
}
