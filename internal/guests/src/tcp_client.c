/* tcp_client ADDR PORT LINE: sends the line, and prints the line that comes back. */
#include "guest.h"

int main(int argc, char **argv)
{
	set_line_buffering();
	if (argc != 4)
		usage("tcp_client ADDR PORT LINE");
	struct address to = parse_address(argv[1], argv[2]), peer = {.len = sizeof peer.u};
	int fd = open_connected(&to);
	char line[4096];
	size_t got = 0;

	if (getpeername(fd, &peer.u.sa, &peer.len) != 0)
		fail("getpeername");
	printf("connected %s\n", format_address(&peer));
	snprintf(line, sizeof line, "%s\n", argv[3]);
	send_all(fd, line, strlen(line));
	memset(line, 0, sizeof line);
	while (got < sizeof line - 1 && strchr(line, '\n') == NULL) {
		ssize_t n = recv(fd, line + got, sizeof line - 1 - got, 0);
		if (n < 0)
			fail("recv");
		if (n == 0)
			break;
		got += (size_t)n;
	}
	printf("received %s", line);
	close(fd);
	return 0;
}
