/* demo_tcp_server ADDR: answers one connection. */
#include "demo.h"

int main(int argc, char **argv)
{
	struct sockaddr_storage peer;
	socklen_t len = sizeof peer;
	char line[256];
	int listener = open_server(argc > 1 ? argv[1] : "127.0.0.1", SOCK_STREAM);
	int fd = accept(listener, (struct sockaddr *)&peer, &len);

	if (fd < 0)
		die("accept");
	printf("%s has connected\n", format_address((struct sockaddr *)&peer, len));
	ssize_t n = recv(fd, line, sizeof line, 0);
	if (n < 0)
		die("recv");
	if (n > 0 && line[n - 1] == '\n')
		n--; /* The component ends its line, the module does not. */
	printf("it says: %.*s\n", (int)n, line);
	if (send(fd, "welcome to the sandbox", 22, 0) != 22)
		die("send");
	/* The rest is read first: a close with unread bytes resets the connection (RFC 2525, 2.17). */
	shutdown(fd, SHUT_WR);
	while (recv(fd, line, sizeof line, 0) > 0)
		;
	close(fd);
	return 0;
}
