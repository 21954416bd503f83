/* Functions that the demonstration programs share. Each is an ordinary program for Unix; nothing in
 * it depends on WebAssembly. */
#ifndef DEMO_H
#define DEMO_H

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Prints the failed call with its error, and exits. */
static inline _Noreturn void die(const char *what)
{
	printf("%s: %s\n", what, strerror(errno));
	exit(1);
}

/* Resolves an address literal and a port. The caller frees the result. */
static inline struct addrinfo *resolve_literal(const char *host, const char *port, int type)
{
	struct addrinfo hints = {.ai_socktype = type, .ai_flags = AI_NUMERICHOST}, *found;
	int err = getaddrinfo(host, port, &hints, &found);
	if (err != 0) {
		printf("%s: %s\n", host, gai_strerror(err));
		exit(1);
	}
	return found;
}

/* Formats an address, in a static buffer. */
static inline const char *format_address(const struct sockaddr *sa, socklen_t len)
{
	static char whole[80];
	char host[64], port[8];
	if (getnameinfo(
	        sa, len, host, sizeof host, port, sizeof port, NI_NUMERICHOST | NI_NUMERICSERV) != 0)
		return "?";
	snprintf(whole, sizeof whole, strchr(host, ':') != NULL ? "[%s]:%s" : "%s:%s", host, port);
	return whole;
}

/* Binds a socket to a port that the system chooses, and prints the port on a line. */
static inline int open_server(const char *host, int type)
{
	struct addrinfo *at = resolve_literal(host, "0", type);
	struct sockaddr_storage bound;
	socklen_t len = sizeof bound;
	char port[8];
	int fd = socket(at->ai_family, type, 0);

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (fd < 0)
		die("socket");
	if (bind(fd, at->ai_addr, at->ai_addrlen) != 0)
		die("bind");
	if (type == SOCK_STREAM && listen(fd, 5) != 0)
		die("listen");
	if (getsockname(fd, (struct sockaddr *)&bound, &len) != 0)
		die("getsockname");
	getnameinfo((struct sockaddr *)&bound, len, NULL, 0, port, sizeof port, NI_NUMERICSERV);
	printf("listening %s %s\n", host, port);
	freeaddrinfo(at);
	return fd;
}

#endif
