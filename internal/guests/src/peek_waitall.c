/*
 * peek_waitall ADDR: accepts one connection. The peer sends "abcd", and after the line "waiting"
 * six bytes in as many pieces as it likes, then "wxyz" and closes.
 */
#include "guest.h"

static void take(int fd, size_t size, int flags, const char *what)
{
	char buf[64] = {0};
	ssize_t n = recv(fd, buf, size, flags);
	if (n < 0)
		fail(what);
	printf("%s %zd %s\n", what, n, buf);
}

int main(int argc, char **argv)
{
	set_line_buffering();
	if (argc != 2)
		usage("peek_waitall ADDR");
	struct address at = parse_address(argv[1], "0");
	int fd = accept(open_listener(&at), NULL, NULL);
	if (fd < 0)
		fail("accept");
	take(fd, 4, MSG_PEEK | MSG_WAITALL, "peek");
	take(fd, 2, MSG_PEEK, "peek");
	take(fd, 4, 0, "recv");
	ssize_t n = recv(fd, &(char){0}, 1, MSG_DONTWAIT);
	printf("dontwait %s\n", errno_name(n < 0 ? errno : 0));
	printf("waiting\n");
	take(fd, 6, MSG_WAITALL, "waitall");
	take(fd, 10, MSG_WAITALL, "waitall");
	take(fd, 10, MSG_WAITALL, "waitall");
	return 0;
}
