/* udp_client ADDR PORT TEXT: sends the text, and prints the datagram that comes back. */
#include "guest.h"

int main(int argc, char **argv)
{
	set_line_buffering();
	if (argc != 4)
		usage("udp_client ADDR PORT TEXT");
	struct address to = parse_address(argv[1], argv[2]), from = {.len = sizeof from.u};
	int fd = socket(to.u.sa.sa_family, SOCK_DGRAM, 0);
	static char buf[65537];
	ssize_t n;

	if (fd < 0)
		fail("socket");
	if (sendto(fd, argv[3], strlen(argv[3]), 0, &to.u.sa, to.len) < 0)
		fail("sendto");
	n = recvfrom(fd, buf, sizeof buf - 1, 0, &from.u.sa, &from.len);
	if (n < 0)
		fail("recvfrom");
	buf[n] = '\0';
	printf("received %s from %s\n", buf, format_address(&from));
	return 0;
}
