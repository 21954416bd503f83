/* Datagrams: connected or not, empty, longer than the buffer, longer than UDP allows, and to a
 * closed port. */
#include "transcript.h"

static void unconnected(void)
{
	struct sockaddr_storage sa, from;
	socklen_t len = sizeof sa;
	char buf[16] = "";
	int fd = open_socket(SOCK_DGRAM);

	TRY(getsockname(fd, (struct sockaddr *)&sa, &len));
	print_addr("unbound", &sa, len);
	TRY(getpeername(fd, (struct sockaddr *)&sa, &len));
	TRY(send(fd, "x", 1, 0));
	TRY(listen(fd, 1));
	TRY(accept(fd, NULL, NULL));
	TRY(recv(fd, buf, 1, MSG_DONTWAIT));
	TRY(sendto(fd, "hello", 5, 0, (struct sockaddr *)&sa, loopback(&sa, udp_echo)));
	len = sizeof from;
	TRY(recvfrom(fd, buf, sizeof buf, 0, (struct sockaddr *)&from, &len));
	print_addr("from", &from, len);
	printf("%s\n", buf);
	len = sizeof sa;
	TRY(getsockname(fd, (struct sockaddr *)&sa, &len));
	print_addr("bound by sending", &sa, len);

	/* An empty datagram is received as one. */
	TRY(sendto(fd, "", 0, 0, (struct sockaddr *)&sa, loopback(&sa, udp_echo)));
	len = sizeof from;
	TRY(recvfrom(fd, buf, sizeof buf, 0, (struct sockaddr *)&from, &len));
	print_addr("from", &from, len);

	TRY(sendto(fd, "abcdefgh", 8, MSG_DONTWAIT, (struct sockaddr *)&sa, loopback(&sa, udp_echo)));
	await(fd, POLLIN);
	TRY(recv(fd, buf, 3, MSG_PEEK));
	TRY(recv(fd, buf, 3, MSG_PEEK | MSG_TRUNC));
	TRY(recv(fd, buf, 0, MSG_PEEK | MSG_DONTWAIT));
	len = 2;
	TRY(recvfrom(fd, buf, 3, MSG_TRUNC, (struct sockaddr *)&from, &len));
	printf("%.3s, sender's length %s\n", buf, len > 2 ? "told" : "cut");
	TRY(recv(fd, buf, 3, MSG_DONTWAIT));
	TRY(recv(fd, buf, 3, MSG_DONTWAIT | MSG_TRUNC));
	close(fd);
}

static void connected(void)
{
	static char huge[70000];
	struct sockaddr_storage sa, other;
	socklen_t len, other_len;
	char buf[16];
	int fd = open_socket(SOCK_DGRAM), third;

	TRY(connect(fd, (struct sockaddr *)&sa, loopback(&sa, udp_echo)));
	len = sizeof sa;
	TRY(getpeername(fd, (struct sockaddr *)&sa, &len));
	print_addr("peer", &sa, len);
	TRY(send(fd, "one", 3, 0));
	TRY(recv(fd, buf, sizeof buf, 0));
	TRY(write(fd, "four", 4));
	TRY(read(fd, buf, sizeof buf));
	TRY(send(fd, huge, sizeof huge, 0));
	TRY(send(fd, huge, 65507 + 1 + 20, 0));
	TRY(send(fd, "", 0, 0));
	TRY(recv(fd, buf, sizeof buf, 0));

	/* It receives from its peer only, and sends elsewhere if given an address. */
	third = bound(SOCK_DGRAM, &other, &other_len);
	len = sizeof sa;
	MUST(getsockname(fd, (struct sockaddr *)&sa, &len));
	TRY(sendto(third, "x", 1, 0, (struct sockaddr *)&sa, len));
	TRY(recv(fd, buf, sizeof buf, MSG_DONTWAIT));
	TRY(sendto(fd, "yy", 2, 0, (struct sockaddr *)&other, other_len));
	TRY(recv(third, buf, sizeof buf, 0));
	TRY(connect(fd, (struct sockaddr *)&other, other_len));
	TRY(send(fd, "zzz", 3, 0));
	TRY(recv(third, buf, sizeof buf, 0));
	TRY(shutdown(fd, SHUT_WR));
	TRY(send(fd, "x", 1, MSG_NOSIGNAL));
	close(third);
	close(fd);
}

/* Prints the result of a call. Without wasport's own imports there is none. */
#define RELEASED(call) tell("released: " #call, (errno = 0, (long)(call)))

/* connect with AF_UNSPEC dissolves the association (connect(2)). */
static void release(void)
{
	struct sockaddr_storage sa, own, other;
	struct sockaddr none = {.sa_family = AF_UNSPEC};
	socklen_t len, other_len;
	char buf[16];
	int fd = open_socket(SOCK_DGRAM), third = bound(SOCK_DGRAM, &other, &other_len);

	if (RELEASED(connect(fd, &none, sizeof none)) != 0)
		return;
	MUST(connect(fd, (struct sockaddr *)&other, other_len));
	RELEASED(connect(fd, &none, sizeof none.sa_family - 1));
	RELEASED(connect(fd, &none, sizeof none));
	RELEASED(connect(fd, &none, sizeof none));
	len = sizeof sa;
	RELEASED(getpeername(fd, (struct sockaddr *)&sa, &len));
	RELEASED(send(fd, "x", 1, 0));
	len = sizeof own;
	RELEASED(getsockname(fd, (struct sockaddr *)&own, &len));
	printf("released: port %s\n", port_name(port_of(&own)));
	RELEASED(sendto(fd, "one", 3, 0, (struct sockaddr *)&other, other_len));
	RELEASED(recv(third, buf, sizeof buf, MSG_DONTWAIT));
	/* It receives from any sender again. */
	close(fd);
	fd = bound(SOCK_DGRAM, &own, &len);
	MUST(connect(fd, (struct sockaddr *)&sa, loopback(&sa, udp_echo)));
	RELEASED(sendto(third, "two", 3, 0, (struct sockaddr *)&own, len));
	RELEASED(recv(fd, buf, sizeof buf, MSG_DONTWAIT));
	RELEASED(connect(fd, &none, sizeof none));
	RELEASED(bind(fd, (struct sockaddr *)&own, len));
	MUST(getsockname(fd, (struct sockaddr *)&own, &len));
	print_addr("released: bound", &own, len);
	RELEASED(sendto(third, "two", 3, 0, (struct sockaddr *)&own, len));
	RELEASED(recv(fd, buf, sizeof buf, 0));
	MUST(connect(fd, (struct sockaddr *)&other, other_len));
	RELEASED(send(fd, "three", 5, 0));
	RELEASED(recv(third, buf, sizeof buf, 0));
	close(fd);
	close(third);
	RELEASED(connect(fd, &none, sizeof none));
}

static void nobody(void)
{
	struct sockaddr_storage sa;
	char byte;
	int fd = open_socket(SOCK_DGRAM);

	MUST(connect(fd, (struct sockaddr *)&sa, loopback(&sa, refused)));
	TRY(send(fd, "x", 1, 0));
	TRY(recv(fd, &byte, 1, 0));
	TRY(send(fd, "x", 1, 0));
	await(fd, POLLIN);
	printf("pending: %s\n", errno_name(option(fd, SOL_SOCKET, SO_ERROR)));
	TRY(recv(fd, &byte, 1, MSG_DONTWAIT));
	TRY(send(fd, "x", 1, 0));
	await(fd, POLLIN);
	TRY(send(fd, "x", 1, 0));
	close(fd);
}

static void addresses(void)
{
	struct sockaddr_storage sa;
	socklen_t len;
	int fd = open_socket(SOCK_DGRAM), second;

	TRY(shutdown(fd, SHUT_WR));
	close(fd);
	fd = bound(SOCK_DGRAM, &sa, &len);
	second = open_socket(SOCK_DGRAM);

	TRY(bind(fd, (struct sockaddr *)&sa, len));
	TRY(bind(second, (struct sockaddr *)&sa, len));
	close(fd);
	TRY(bind(second, (struct sockaddr *)&sa, len));
	close(second);
	fd = open_socket(SOCK_DGRAM);
	len = loopback(&sa, 0);
	TRY(connect(fd, (struct sockaddr *)&sa, len));
	TRY(sendto(fd, "x", 1, 0, (struct sockaddr *)&sa, 0));
	TRY(sendto(fd, "x", 1, 0, (struct sockaddr *)&sa, 3));
	TRY(sendto(fd, "x", 1, 0, NULL, 0));
	close(fd);
}

static void transcript(void)
{
	unconnected();
	connected();
	release();
	addresses();
	nobody();
}
