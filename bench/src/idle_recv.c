/* idle_recv: waits for a datagram that does not come. */
#include "bench.h"

int main(void)
{
	char byte;
	int fd = open_bound(SOCK_DGRAM, 0);
	print_port(fd);
	recv(fd, &byte, 1, 0);
	return 1;
}
