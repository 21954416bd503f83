/* Every option: its default, its value after a set, and values that are refused. */
#include "transcript.h"

enum range { FLAG, HOPS, SECONDS, COUNT, MILLIS, CLASS, INTERFACE, BYTES, TOLD };

struct known {
	int level, name;
	const char *text;
	enum range range;
	bool datagrams; /* Linux differs between streams that have it */
};

#define O(level, name, range) {level, name, #name, range, false}
#define D(level, name, range) {level, name, #name, range, true}

/* Options with a number. */
static const struct known numbers[] = {
	O(SOL_SOCKET, SO_REUSEADDR, FLAG),
	O(SOL_SOCKET, SO_REUSEPORT, FLAG),
	O(SOL_SOCKET, SO_KEEPALIVE, FLAG),
	O(SOL_SOCKET, SO_BROADCAST, FLAG),
	O(SOL_SOCKET, SO_SNDBUF, BYTES),
	O(SOL_SOCKET, SO_RCVBUF, BYTES),
	O(SOL_SOCKET, SO_ERROR, TOLD),
	O(SOL_SOCKET, SO_ACCEPTCONN, TOLD),
	O(SOL_SOCKET, SO_TYPE, TOLD),
	O(SOL_SOCKET, SO_DOMAIN, TOLD),
	O(SOL_SOCKET, SO_PROTOCOL, TOLD),
	O(IPPROTO_TCP, TCP_NODELAY, FLAG),
	O(IPPROTO_TCP, TCP_QUICKACK, FLAG),
	O(IPPROTO_TCP, TCP_FASTOPEN_CONNECT, FLAG),
	O(IPPROTO_TCP, TCP_KEEPIDLE, SECONDS),
	O(IPPROTO_TCP, TCP_KEEPINTVL, SECONDS),
	O(IPPROTO_TCP, TCP_KEEPCNT, COUNT),
	O(IPPROTO_TCP, TCP_MAXSEG, BYTES),
	O(IPPROTO_TCP, TCP_USER_TIMEOUT, MILLIS),
	O(IPPROTO_IP, IP_TTL, HOPS),
	O(IPPROTO_IP, IP_TOS, CLASS),
	D(IPPROTO_IP, IP_MULTICAST_TTL, HOPS),
	D(IPPROTO_IP, IP_MULTICAST_LOOP, FLAG),
	O(IPPROTO_IPV6, IPV6_V6ONLY, FLAG),
	O(IPPROTO_IPV6, IPV6_UNICAST_HOPS, HOPS),
	D(IPPROTO_IPV6, IPV6_MULTICAST_HOPS, HOPS),
	D(IPPROTO_IPV6, IPV6_MULTICAST_LOOP, FLAG),
	D(IPPROTO_IPV6, IPV6_MULTICAST_IF, INTERFACE),
	O(IPPROTO_IPV6, IPV6_TCLASS, CLASS),
};

/* Values in each range and beyond it. */
static const int tried[][10] = {
	[FLAG] = {1, 0, 1},
	[HOPS] = {1, 64, 255, 256, 100000, -1, -2, INT32_MIN, 0},
	[SECONDS] = {1, 60, 32767, 32768, 65536, -1, INT32_MIN, 0},
	[COUNT] = {1, 9, 127, 128, 65536, -1, INT32_MIN, 0},
	[MILLIS] = {1, 30000, INT32_MAX, -1, INT32_MIN, 0},
	[CLASS] = {0x10, 0xb8, 255, 1, 0},
	[INTERFACE] = {1, 12345, 65536, 0},
	[BYTES] = {1000, 20000, 30000, 1},
	[TOLD] = {1},
};

static const char *symbol(const struct known *o, int value)
{
	static char text[16];

	if (o->name == SO_TYPE && o->level == SOL_SOCKET)
		return value == SOCK_STREAM ? "SOCK_STREAM" : value == SOCK_DGRAM ? "SOCK_DGRAM" : "?";
	if (o->name == SO_DOMAIN && o->level == SOL_SOCKET)
		return value == AF_INET ? "AF_INET" : value == AF_INET6 ? "AF_INET6" : "?";
	snprintf(text, sizeof text, "%d", value);
	return text;
}

/* For an option that the socket does not have, Linux returns the one errno or the other, depending
 * on the family. */
static const char *failure(void)
{
	return errno == ENOPROTOOPT || errno == EOPNOTSUPP ? "no such option" : errno_name(errno);
}

static void get(int fd, const struct known *o)
{
	int value = 0x55555555;
	socklen_t len = sizeof value;

	if (getsockopt(fd, o->level, o->name, &value, &len) != 0)
		printf("  get: %s\n", failure());
	else
		printf("  get %s, %d bytes\n", symbol(o, value), (int)len);
}

static void set(int fd, const struct known *o, int value)
{
	if (setsockopt(fd, o->level, o->name, &value, sizeof value) != 0)
		printf("  set %d: %s\n", value, failure());
	else
		printf("  set %d\n", value);
}

static void every_number(int type)
{
	for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
		const struct known *o = &numbers[i];
		int fd;

		if (o->datagrams && type != SOCK_DGRAM)
			continue;
		fd = open_socket(type);
		printf("%s\n", o->text);
		get(fd, o);
		for (int v = 0; v == 0 || tried[o->range][v - 1] != 0; v++) {
			set(fd, o, tried[o->range][v]);
			get(fd, o);
		}
		close(fd);
	}
}

/* Lengths of values that are too short or too long. */
static void lengths(int fd, int type)
{
	unsigned char room[16];
	int one = 1;

	for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
		const struct known *o = &numbers[i];

		if (o->datagrams && type != SOCK_DGRAM)
			continue;
		printf("%s\n", o->text);
		for (socklen_t size = 0; size <= 8; size++) {
			socklen_t len = size;
			int r;
			memset(room, 0x55, sizeof room);
			r = getsockopt(fd, o->level, o->name, room, &len);
			printf("  get %d: %s, %d bytes, then %s\n", (int)size, r != 0 ? failure() : "done",
			    (int)len, r == 0 && room[len] != 0x55 ? "more" : "nothing");
		}
		for (socklen_t size = 1; size < sizeof one; size++) {
			int r = setsockopt(fd, o->level, o->name, &one, size);
			printf("  set %d: %s\n", (int)size, r != 0 ? failure() : "done");
		}
	}
}

static void linger(int fd)
{
	static const struct linger values[] = {{1, 5}, {1, 0}, {0, 7}, {7, 3}, {0, 0}};
	struct linger l;
	socklen_t len = sizeof l;

	TRY(getsockopt(fd, SOL_SOCKET, SO_LINGER, &l, &len));
	printf("%d, %d bytes\n", l.l_onoff, (int)len);
	for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
		TRY(setsockopt(fd, SOL_SOCKET, SO_LINGER, &values[i], sizeof values[i]));
		TRY(getsockopt(fd, SOL_SOCKET, SO_LINGER, &l, &len));
		printf("%d %d\n", l.l_onoff, l.l_onoff ? l.l_linger : 0);
	}
	TRY(setsockopt(fd, SOL_SOCKET, SO_LINGER, &l, 4));
	len = 4;
	TRY(getsockopt(fd, SOL_SOCKET, SO_LINGER, &l, &len));
	printf("%d bytes\n", (int)len);
}

static void timeouts(int fd)
{
	/* Linux rounds a time-out up to a multiple of its tick. */
	static const struct timeval values[] = {{1, 0}, {2, 500000}, {0, 100000}, {0, 0}, {100000, 0}};
	static const struct timeval wrong[] = {{0, -1}, {0, 1000000}, {5, 2000000}};
	static const int names[] = {SO_RCVTIMEO, SO_SNDTIMEO};

	for (int n = 0; n < 2; n++) {
		struct timeval tv = {77, 77};
		socklen_t len = sizeof tv;

		TRY(getsockopt(fd, SOL_SOCKET, names[n], &tv, &len));
		printf(
		    "%ld %ld, %s\n", (long)tv.tv_sec, (long)tv.tv_usec, len == sizeof tv ? "whole" : "cut");
		for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
			TRY(setsockopt(fd, SOL_SOCKET, names[n], &values[i], sizeof values[i]));
			TRY(getsockopt(fd, SOL_SOCKET, names[n], &tv, &len));
			printf("%ld %ld\n", (long)tv.tv_sec, (long)tv.tv_usec);
		}
		for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
			TRY(setsockopt(fd, SOL_SOCKET, names[n], &wrong[i], sizeof wrong[i]));
		TRY(setsockopt(fd, SOL_SOCKET, names[n], &values[0], 4));
	}
}

/* Time-outs expire. */
static void timing_out(void)
{
	struct timeval tv = {0, 50000};
	struct sockaddr_storage sa;
	socklen_t len;
	char byte;
	int fds[2], fd;

	pair(fds);
	MUST(setsockopt(fds[0], SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof tv));
	TRY(recv(fds[0], &byte, 1, 0));
	TRY(read(fds[0], &byte, 1));
	close(fds[0]);
	close(fds[1]);
	fd = bound(SOCK_STREAM, &sa, &len);
	MUST(listen(fd, 1));
	MUST(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof tv));
	TRY(accept(fd, NULL, NULL));
	close(fd);
	fd = bound(SOCK_DGRAM, &sa, &len);
	MUST(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof tv));
	TRY(recv(fd, &byte, 1, 0));
	close(fd);
}

static void states(void)
{
	struct sockaddr_storage sa;
	socklen_t len;
	int fd = bound(SOCK_STREAM, &sa, &len), other = open_socket(SOCK_STREAM), one = 1;

	printf("SO_ACCEPTCONN %d\n", option(fd, SOL_SOCKET, SO_ACCEPTCONN));
	MUST(listen(fd, 1));
	printf("SO_ACCEPTCONN %d\n", option(fd, SOL_SOCKET, SO_ACCEPTCONN));
	TRY(bind(other, (struct sockaddr *)&sa, len));
	TRY(setsockopt(other, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one));
	TRY(bind(other, (struct sockaddr *)&sa, len));
	close(other);
	close(fd);
	fd = open_socket(SOCK_STREAM);
	other = open_socket(SOCK_STREAM);
	MUST(setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof one));
	MUST(setsockopt(other, SOL_SOCKET, SO_REUSEPORT, &one, sizeof one));
	len = loopback(&sa, 0);
	MUST(bind(fd, (struct sockaddr *)&sa, len));
	MUST(getsockname(fd, (struct sockaddr *)&sa, &len));
	TRY(bind(other, (struct sockaddr *)&sa, len));
	TRY(listen(fd, 1));
	TRY(listen(other, 1));
	close(other);
	close(fd);
}

static void wrong(int fd)
{
	int value = 1;
	socklen_t len = sizeof value, negative = (socklen_t)-1;

	TRY(getsockopt(fd, SOL_SOCKET, 9999, &value, &len));
	TRY(setsockopt(fd, SOL_SOCKET, 9999, &value, len));
	TRY(getsockopt(fd, IPPROTO_IP, 9999, &value, &len));
	TRY(setsockopt(fd, IPPROTO_IP, 9999, &value, len));
	TRY(getsockopt(fd, SOL_SOCKET, SO_TYPE, &value, &negative));
	TRY(setsockopt(fd, SOL_SOCKET, SO_TYPE, &value, len));
	TRY(setsockopt(fd, SOL_SOCKET, SO_ERROR, &value, len));
	TRY(setsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &value, len));
	TRY(getsockopt(fd, SOL_SOCKET, SO_TYPE, &value, NULL));
	TRY(getsockopt(1, SOL_SOCKET, SO_TYPE, &value, &len));
	TRY(setsockopt(1, SOL_SOCKET, SO_KEEPALIVE, &value, len));
	TRY(getsockopt(999, SOL_SOCKET, SO_TYPE, &value, &len));
	TRY(setsockopt(999, SOL_SOCKET, SO_KEEPALIVE, &value, len));
	TRY(setsockopt(-1, SOL_SOCKET, SO_KEEPALIVE, &value, len));
}

static void transcript(void)
{
	static const int types[] = {SOCK_STREAM, SOCK_DGRAM};

	for (int i = 0; i < 2; i++) {
		int fd = open_socket(types[i]);
		printf("%s\n", types[i] == SOCK_STREAM ? "STREAM" : "DGRAM");
		every_number(types[i]);
		lengths(fd, types[i]);
		linger(fd);
		timeouts(fd);
		wrong(fd);
		close(fd);
	}
	timing_out();
	states();
}
