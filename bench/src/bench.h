/*
 * Functions that the workloads share. A program that listens prints "port N"; each prints "result
 * UNITS NANOSECONDS" when its work is done: the units of work, and the time from its first to its
 * last call.
 */
#ifndef BENCH_H
#define BENCH_H

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static inline _Noreturn void fail(const char *what)
{
	fprintf(stderr, "%s: %s\n", what, strerror(errno));
	exit(1);
}

static inline int64_t now(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static inline void print_result(int64_t units, int64_t since)
{
	int64_t ns = now() - since;
	printf("result %lld %lld\n", (long long)units, (long long)ns);
	fflush(stdout);
}

static inline struct sockaddr_in loopback_address(int port)
{
	struct sockaddr_in a;
	memset(&a, 0, sizeof a);
	a.sin_family = AF_INET;
	a.sin_port = htons((uint16_t)port);
	a.sin_addr.s_addr = htonl(0x7f000001);
	return a;
}

static inline int open_bound(int type, int port)
{
	struct sockaddr_in a = loopback_address(port);
	int fd = socket(AF_INET, type, 0);
	if (fd < 0)
		fail("socket");
	if (bind(fd, (struct sockaddr *)&a, sizeof a) != 0)
		fail("bind");
	return fd;
}

static inline void print_port(int fd)
{
	struct sockaddr_in a;
	socklen_t len = sizeof a;
	if (getsockname(fd, (struct sockaddr *)&a, &len) != 0)
		fail("getsockname");
	printf("port %d\n", ntohs(a.sin_port));
	fflush(stdout);
}

static inline int open_listener(void)
{
	int fd = open_bound(SOCK_STREAM, 0);
	if (listen(fd, 4096) != 0)
		fail("listen");
	print_port(fd);
	return fd;
}

static inline int accept_one(int listener)
{
	int fd = accept(listener, NULL, NULL);
	if (fd < 0)
		fail("accept");
	return fd;
}

static inline int open_connected(int type, const char *port)
{
	struct sockaddr_in a = loopback_address(atoi(port));
	int fd = socket(AF_INET, type, 0);
	if (fd < 0)
		fail("socket");
	if (connect(fd, (struct sockaddr *)&a, sizeof a) != 0)
		fail("connect");
	return fd;
}

static inline void set_nodelay(int fd)
{
	int on = 1;
	if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) != 0)
		fail("TCP_NODELAY");
}

static inline void send_all(int fd, const char *data, size_t size)
{
	while (size > 0) {
		ssize_t n = send(fd, data, size, 0);
		if (n < 0)
			fail("send");
		data += n;
		size -= (size_t)n;
	}
}

/* Receives exactly size bytes; returns 0 if the stream ends before. */
static inline int recv_all(int fd, char *data, size_t size)
{
	while (size > 0) {
		ssize_t n = recv(fd, data, size, 0);
		if (n < 0)
			fail("recv");
		if (n == 0)
			return 0;
		data += n;
		size -= (size_t)n;
	}
	return 1;
}

static inline int equals(const char *a, const char *b)
{
	return strcmp(a, b) == 0;
}

static inline _Noreturn void usage(const char *text)
{
	fprintf(stderr, "usage: %s\n", text);
	exit(2);
}

#endif
