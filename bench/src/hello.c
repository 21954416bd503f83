/* hello: opens a socket, closes it, and ends. */
#include "bench.h"

int main(void)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	if (fd < 0)
		fail("socket");
	close(fd);
	printf("hello\n");
	return 0;
}
