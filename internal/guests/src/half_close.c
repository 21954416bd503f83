/*
 * half_close server ADDR: reads until the peer has finished, then answers, then closes.
 * half_close client ADDR PORT: sends, finishes, and reads the answer; then finishes reading.
 */
#include "guest.h"

static size_t read_to_end(int fd, char *buf, size_t size)
{
	size_t got = 0;
	ssize_t n;
	while ((n = recv(fd, buf + got, size - 1 - got, 0)) > 0)
		got += (size_t)n;
	if (n < 0)
		fail("recv");
	buf[got] = '\0';
	return got;
}

int main(int argc, char **argv)
{
	char buf[4096];

	set_line_buffering();
	if (argc == 3 && strcmp(argv[1], "server") == 0) {
		struct address at = parse_address(argv[2], "0");
		int fd = accept(open_listener(&at), NULL, NULL);
		if (fd < 0)
			fail("accept");
		read_to_end(fd, buf, sizeof buf);
		printf("received %s\n", buf);
		send_all(fd, "answer", 6);
		close(fd);
		return 0;
	}
	if (argc != 4 || strcmp(argv[1], "client") != 0)
		usage("half_close server ADDR | client ADDR PORT");

	struct address to = parse_address(argv[2], argv[3]);
	int fd = open_connected(&to);
	send_all(fd, "question", 8);
	if (shutdown(fd, SHUT_WR) != 0)
		fail("shutdown");
	ssize_t n = send(fd, "more", 4, MSG_NOSIGNAL);
	printf("send after SHUT_WR %s\n", errno_name(n < 0 ? errno : 0));
	read_to_end(fd, buf, sizeof buf);
	printf("received %s\n", buf);

	fd = open_connected(&to);
	if (shutdown(fd, SHUT_RD) != 0)
		fail("shutdown");
	printf("recv after SHUT_RD %zd\n", recv(fd, buf, sizeof buf, 0));
	send_all(fd, "still sending", 13);
	printf("shutdown 99 %s\n", errno_name(shutdown(fd, 99) == 0 ? 0 : errno));
	close(fd);
	return 0;
}
