/*
 * timeouts recv 4|6 MICROSECONDS: an unconnected datagram socket that nobody sends to.
 * timeouts accept 4|6 MICROSECONDS: a listener that nobody connects to.
 * timeouts stream ADDR PORT MICROSECONDS: a peer that sends nothing.
 * timeouts send ADDR PORT MICROSECONDS: a peer that reads nothing.
 * Prints the time that was set as a get gives it, how the call ended, and how long it took.
 */
#include "guest.h"
#include <sys/time.h>

static void set_timeout(int fd, int name, const char *microseconds)
{
	int64_t us = atoll(microseconds);
	struct timeval tv = {.tv_sec = us / 1000000, .tv_usec = us % 1000000};
	socklen_t len = sizeof tv;

	if (setsockopt(fd, SOL_SOCKET, name, &tv, sizeof tv) != 0)
		fail("setsockopt");
	memset(&tv, 0xff, sizeof tv);
	if (getsockopt(fd, SOL_SOCKET, name, &tv, &len) != 0)
		fail("getsockopt");
	printf("timeout %lld us\n", (long long)tv.tv_sec * 1000000 + tv.tv_usec);
}

static void report(const char *what, ssize_t status, int64_t began)
{
	int err = status < 0 ? errno : 0;
	int64_t elapsed = microseconds() - began;
	printf("%s errno=%d %s elapsed_us=%lld\n", what, err, errno_name(err), (long long)elapsed);
}

/* Sends until it fails; a timeout may also cut a send short. */
static void fill(int fd)
{
	static char block[65536];
	size_t total = 0;
	int64_t began;
	ssize_t n;
	do {
		began = microseconds();
		n = send(fd, block, sizeof block, 0);
		if (n > 0)
			total += (size_t)n;
	} while (n > 0);
	report("send", n, began);
	printf("sent %zu bytes\n", total);
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	char byte;
	int64_t began;

	set_line_buffering();
	if (argc == 4 && strcmp(what, "recv") == 0) {
		struct address at = loopback_address(argv[2]);
		int fd = open_bound(&at, SOCK_DGRAM);
		set_timeout(fd, SO_RCVTIMEO, argv[3]);
		began = microseconds();
		report("recv", recv(fd, &byte, 1, 0), began);
		began = microseconds();
		report("recvfrom", recvfrom(fd, &byte, 1, 0, &at.u.sa, &at.len), began);
		began = microseconds();
		report("read", read(fd, &byte, 1), began);
	} else if (argc == 4 && strcmp(what, "accept") == 0) {
		struct address at = loopback_address(argv[2]);
		int fd = open_listener(&at);
		set_timeout(fd, SO_RCVTIMEO, argv[3]);
		began = microseconds();
		report("accept", accept(fd, NULL, NULL), began);
	} else if (argc == 5 && strcmp(what, "stream") == 0) {
		struct address to = parse_address(argv[2], argv[3]);
		int fd = open_connected(&to);
		set_timeout(fd, SO_RCVTIMEO, argv[4]);
		began = microseconds();
		report("recv", recv(fd, &byte, 1, 0), began);
		began = microseconds();
		report("recv", recv(fd, &byte, 1, MSG_WAITALL), began);
	} else if (argc == 5 && strcmp(what, "send") == 0) {
		struct address to = parse_address(argv[2], argv[3]);
		int fd = open_connected(&to);
		set_timeout(fd, SO_SNDTIMEO, argv[4]);
		fill(fd);
	} else {
		usage("timeouts recv|accept 4|6 MICROSECONDS | stream|send ADDR PORT MICROSECONDS");
	}
	return 0;
}
