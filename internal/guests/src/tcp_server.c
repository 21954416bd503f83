/* tcp_server ADDR COUNT: echoes COUNT connections, one after the other. */
#include "guest.h"

int main(int argc, char **argv)
{
	set_line_buffering();
	if (argc != 3)
		usage("tcp_server ADDR COUNT");
	struct address at = parse_address(argv[1], "0");
	int listener = open_listener(&at);

	for (int left = atoi(argv[2]); left > 0; left--) {
		struct address peer = {.len = sizeof peer.u};
		char buf[4096];
		size_t total = 0;
		ssize_t n;
		int fd = accept(listener, &peer.u.sa, &peer.len);
		if (fd < 0)
			fail("accept");
		printf("accepted %s\n", format_address(&peer));
		while ((n = recv(fd, buf, sizeof buf, 0)) > 0) {
			send_all(fd, buf, (size_t)n);
			total += (size_t)n;
		}
		if (n < 0)
			fail("recv");
		close(fd);
		printf("closed %zu bytes\n", total);
	}
	return 0;
}
