/* reset ADDR: accepts one connection, which the peer resets after it has read the line "ready". */
#include "guest.h"

int main(int argc, char **argv)
{
	set_line_buffering();
	if (argc != 2)
		usage("reset ADDR");
	struct address at = parse_address(argv[1], "0");
	int fd = accept(open_listener(&at), NULL, NULL);
	char buf[64];
	ssize_t n;

	if (fd < 0)
		fail("accept");
	send_all(fd, "ready\n", 6);
	while ((n = recv(fd, buf, sizeof buf, 0)) > 0)
		;
	printf("recv %s\n", errno_name(n < 0 ? errno : 0));
	n = send(fd, "x", 1, MSG_NOSIGNAL);
	printf("send %s\n", errno_name(n < 0 ? errno : 0));
	n = write(fd, "x", 1);
	printf("write %s\n", errno_name(n < 0 ? errno : 0));
	n = recv(fd, buf, sizeof buf, 0);
	printf("recv %s\n", errno_name(n < 0 ? errno : 0));
	return 0;
}
