/* demo_udp_server ADDR: answers one datagram. */
#include "demo.h"

int main(int argc, char **argv)
{
	struct sockaddr_storage peer;
	socklen_t len = sizeof peer;
	char data[256];
	int fd = open_server(argc > 1 ? argv[1] : "127.0.0.1", SOCK_DGRAM);
	ssize_t n = recvfrom(fd, data, sizeof data, 0, (struct sockaddr *)&peer, &len);

	if (n < 0)
		die("recvfrom");
	printf("%s sent: %.*s\n", format_address((struct sockaddr *)&peer, len), (int)n, data);
	if (sendto(fd, "pong", 4, 0, (struct sockaddr *)&peer, len) != 4)
		die("sendto");
	return 0;
}
