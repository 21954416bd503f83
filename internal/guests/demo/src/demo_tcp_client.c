/* demo_tcp_client ADDR PORT: talks to demo_tcp_server. */
#include "demo.h"

int main(int argc, char **argv)
{
	char line[256];
	size_t got = 0;
	ssize_t n;

	if (argc != 3) {
		printf("usage: demo_tcp_client ADDR PORT\n");
		return 2;
	}
	struct addrinfo *to = resolve_literal(argv[1], argv[2], SOCK_STREAM);
	int fd = socket(to->ai_family, to->ai_socktype, 0);
	if (fd < 0)
		die("socket");
	if (connect(fd, to->ai_addr, to->ai_addrlen) != 0)
		die("connect");
	printf("connected to %s\n", format_address(to->ai_addr, to->ai_addrlen));
	if (send(fd, "hello from WebAssembly", 22, 0) != 22)
		die("send");
	while ((n = recv(fd, line + got, sizeof line - got, 0)) > 0)
		got += (size_t)n;
	if (n < 0)
		die("recv");
	printf("the server says: %.*s\n", (int)got, line);
	return 0;
}
