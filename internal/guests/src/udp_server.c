/* udp_server ADDR COUNT: sends COUNT datagrams back to where they came from. */
#include "guest.h"

int main(int argc, char **argv)
{
	set_line_buffering();
	if (argc != 3)
		usage("udp_server ADDR COUNT");
	struct address at = parse_address(argv[1], "0");
	int fd = open_bound(&at, SOCK_DGRAM);
	print_listening(fd);

	for (int left = atoi(argv[2]); left > 0; left--) {
		static char buf[65536];
		struct address peer = {.len = sizeof peer.u};
		ssize_t n = recvfrom(fd, buf, sizeof buf, 0, &peer.u.sa, &peer.len);
		if (n < 0)
			fail("recvfrom");
		printf("from %s %zd bytes\n", format_address(&peer), n);
		if (sendto(fd, buf, (size_t)n, 0, &peer.u.sa, peer.len) != n)
			fail("sendto");
	}
	return 0;
}
