/* Ending one direction of a connection, or both. */
#include "transcript.h"

static void transcript(void)
{
	struct sockaddr_storage sa;
	socklen_t len;
	char buf[16] = "";
	int fd, fds[2];

	/* The server sends everything back once it has seen the end. */
	fd = connect_to(SOCK_STREAM, tcp_echo);
	TRY(send(fd, "the last words", 14, 0));
	TRY(shutdown(fd, SHUT_WR));
	TRY(send(fd, "x", 1, MSG_NOSIGNAL));
	TRY(write(fd, "x", 1));
	TRY(recv(fd, buf, 14, MSG_WAITALL));
	printf("%s\n", buf);
	TRY(recv(fd, buf, 1, 0));
	TRY(recv(fd, buf, 1, MSG_PEEK));
	close(fd);

	pair(fds);
	TRY(shutdown(fds[0], SHUT_RD));
	TRY(recv(fds[0], buf, 1, 0));
	TRY(send(fds[0], "out", 3, 0));
	TRY(recv(fds[1], buf, 3, MSG_WAITALL));
	TRY(shutdown(fds[1], SHUT_RDWR));
	TRY(send(fds[1], "x", 1, MSG_NOSIGNAL));
	TRY(recv(fds[1], buf, 1, 0));
	await(fds[0], POLLIN);
	TRY(recv(fds[0], buf, 1, 0));
	TRY(shutdown(fds[0], SHUT_WR));
	close(fds[0]);
	close(fds[1]);

	/* Data sent before the shutdown is received after it. */
	pair(fds);
	MUST(send(fds[0], "kept", 4, 0));
	await(fds[1], POLLIN);
	TRY(shutdown(fds[1], SHUT_RD));
	TRY(recv(fds[1], buf, 4, 0));
	TRY(recv(fds[1], buf, 4, 0));
	close(fds[0]);
	close(fds[1]);

	fd = open_socket(SOCK_STREAM);
	TRY(shutdown(fd, SHUT_RD));
	TRY(shutdown(fd, SHUT_WR));
	TRY(shutdown(fd, SHUT_RDWR));
	TRY(shutdown(fd, SHUT_RDWR + 1));
	TRY(shutdown(fd, -1));
	close(fd);
	TRY(shutdown(fd, SHUT_RD));
	TRY(shutdown(1, SHUT_RD));

	fd = bound(SOCK_STREAM, &sa, &len);
	MUST(listen(fd, 1));
	TRY(shutdown(fd, SHUT_RD));
	TRY(accept(fd, NULL, NULL));
	close(fd);
}
