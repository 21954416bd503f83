/* unix connect PATH LINE: sends the line to a Unix-domain socket, and prints the line that comes
 * back. unix listen PATH COUNT: makes the socket, and echoes COUNT connections one after the
 * other. */
#include "guest.h"

#include <sys/un.h>

static struct sockaddr_un path_address(const char *path)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	snprintf(un.sun_path, sizeof un.sun_path, "%s", path);
	return un;
}

static const char *path_of(int fd, int (*get)(int, struct sockaddr *, socklen_t *))
{
	static struct sockaddr_un un;
	socklen_t len = sizeof un;
	if (get(fd, (struct sockaddr *)&un, &len) != 0)
		fail("name");
	check(un.sun_family == AF_UNIX, "family");
	return len > 2 ? un.sun_path : "unnamed";
}

/* Sends everything back, and returns the number of bytes. */
static size_t echo(int fd)
{
	char buf[4096];
	size_t total = 0;
	ssize_t n;
	while ((n = recv(fd, buf, sizeof buf, 0)) > 0) {
		send_all(fd, buf, (size_t)n);
		total += (size_t)n;
	}
	if (n < 0)
		fail("recv");
	return total;
}

int main(int argc, char **argv)
{
	set_line_buffering();
	if (argc != 4)
		usage("unix connect PATH LINE | unix listen PATH COUNT");
	struct sockaddr_un at = path_address(argv[2]);
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	if (fd < 0)
		fail("socket");
	if (strcmp(argv[1], "listen") == 0) {
		if (bind(fd, (struct sockaddr *)&at, sizeof at) != 0)
			fail("bind");
		if (listen(fd, 0) != 0)
			fail("listen");
		printf("listening %s\n", path_of(fd, getsockname));
		for (int left = atoi(argv[3]); left > 0; left--) {
			int c = accept(fd, NULL, NULL);
			if (c < 0)
				fail("accept");
			printf("accepted at %s from %s\n", path_of(c, getsockname), path_of(c, getpeername));
			printf("closed %zu bytes\n", echo(c));
			close(c);
		}
		return 0;
	}
	if (connect(fd, (struct sockaddr *)&at, sizeof at) != 0)
		fail("connect");
	printf("connected %s\n", path_of(fd, getpeername));
	send_all(fd, argv[3], strlen(argv[3]));
	shutdown(fd, SHUT_WR);
	char line[4096];
	size_t got = 0;
	ssize_t n;
	while ((n = recv(fd, line + got, sizeof line - got, 0)) > 0)
		got += (size_t)n;
	if (n < 0)
		fail("recv");
	printf("received %.*s\n", (int)got, line);
	return 0;
}
