/* demo_udp_client ADDR PORT: sends a datagram to demo_udp_server. */
#include "demo.h"

int main(int argc, char **argv)
{
	char data[256];

	if (argc != 3) {
		printf("usage: demo_udp_client ADDR PORT\n");
		return 2;
	}
	struct addrinfo *to = resolve_literal(argv[1], argv[2], SOCK_DGRAM);
	int fd = socket(to->ai_family, to->ai_socktype, 0);
	if (fd < 0)
		die("socket");
	if (sendto(fd, "ping", 4, 0, to->ai_addr, to->ai_addrlen) != 4)
		die("sendto");
	printf("sent ping to %s\n", format_address(to->ai_addr, to->ai_addrlen));
	ssize_t n = recvfrom(fd, data, sizeof data, 0, NULL, NULL);
	if (n < 0)
		die("recvfrom");
	printf("received %.*s\n", (int)n, data);
	return 0;
}
