/*
 * block KIND [ARGUMENT...]: says "blocking" and then blocks in one call for ever.
 *
 *   accept | recvfrom | poll | select | read | sleep
 *   connect ADDR PORT      to an address that does not answer
 *   recv ADDR PORT         from a peer that sends nothing
 *   send ADDR PORT         to a peer that reads nothing; "blocking" comes when the buffers are full
 *   resolve NAME           through a name server that does not answer
 *
 * If the call returns after all, its errno is printed and the exit status is 1.
 */
#include "guest.h"
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <sys/select.h>

static void say_blocking(void)
{
	printf("blocking\n");
}

static void block_in_send(int fd)
{
	static char block[65536];
	int flags = fcntl(fd, F_GETFL);
	struct pollfd p = {.fd = fd, .events = POLLOUT};

	/* The peer's buffers grow for a while. They are full once nothing was sent for a while. */
	if (fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0)
		fail("fcntl");
	do {
		while (send(fd, block, sizeof block, 0) > 0)
			;
		if (errno != EAGAIN)
			fail("send");
	} while (poll(&p, 1, 200) > 0);
	if (fcntl(fd, F_SETFL, flags & ~O_NONBLOCK) != 0)
		fail("fcntl");
	say_blocking();
	for (;;)
		send_all(fd, block, sizeof block);
}

int main(int argc, char **argv)
{
	const char *kind = argc > 1 ? argv[1] : "";
	struct address here = loopback_address("4");
	char byte;

	set_line_buffering();
	if (argc == 2 && strcmp(kind, "accept") == 0) {
		int fd = open_listener(&here);
		say_blocking();
		accept(fd, NULL, NULL);
	} else if (argc == 2 && strcmp(kind, "recvfrom") == 0) {
		int fd = open_bound(&here, SOCK_DGRAM);
		say_blocking();
		recvfrom(fd, &byte, 1, 0, &here.u.sa, &here.len);
	} else if (argc == 2 && strcmp(kind, "poll") == 0) {
		struct pollfd p = {.fd = open_bound(&here, SOCK_DGRAM), .events = POLLIN};
		say_blocking();
		poll(&p, 1, -1);
	} else if (argc == 2 && strcmp(kind, "select") == 0) {
		fd_set set;
		int fd = open_listener(&here);
		FD_ZERO(&set);
		FD_SET(fd, &set);
		say_blocking();
		select(fd + 1, &set, NULL, NULL, NULL);
	} else if (argc == 2 && strcmp(kind, "read") == 0) {
		say_blocking();
		read(0, &byte, 1);
	} else if (argc == 2 && strcmp(kind, "sleep") == 0) {
		struct timespec ts = {.tv_sec = 1000000};
		say_blocking();
		nanosleep(&ts, NULL);
	} else if (argc == 4 && strcmp(kind, "connect") == 0) {
		struct address to = parse_address(argv[2], argv[3]);
		int fd = socket(to.u.sa.sa_family, SOCK_STREAM, 0);
		say_blocking();
		connect(fd, &to.u.sa, to.len);
	} else if (argc == 4 && strcmp(kind, "recv") == 0) {
		struct address to = parse_address(argv[2], argv[3]);
		int fd = open_connected(&to);
		say_blocking();
		recv(fd, &byte, 1, 0);
	} else if (argc == 4 && strcmp(kind, "send") == 0) {
		struct address to = parse_address(argv[2], argv[3]);
		block_in_send(open_connected(&to));
	} else if (argc == 3 && strcmp(kind, "resolve") == 0) {
		struct addrinfo *all;
		say_blocking();
		printf("resolve %s\n", gai_strerror(getaddrinfo(argv[2], NULL, NULL, &all)));
	} else {
		usage("block accept|recvfrom|poll|select|read|sleep | connect|recv|send ADDR PORT | "
		      "resolve NAME");
	}
	fail("blocked no more");
}
