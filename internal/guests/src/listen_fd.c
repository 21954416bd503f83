/* listen_fd [FD]: serves one connection on a listener that the host opened, by default on
 * descriptor 3: sends a line back. */
#include "guest.h"

int main(int argc, char **argv)
{
	struct address peer = {.len = sizeof peer.u};
	char buf[1024];

	set_line_buffering();
	int listener = argc > 1 ? atoi(argv[1]) : 3;
	print_listening(listener);
	int fd = accept(listener, &peer.u.sa, &peer.len);
	if (fd < 0)
		fail("accept");
	printf("accepted %s\n", format_address(&peer));
	ssize_t n = read(fd, buf, sizeof buf);
	if (n < 0)
		fail("read");
	check(write(fd, buf, (size_t)n) == n, "write");
	close(fd);
	return 0;
}
