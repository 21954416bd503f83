/* fdnum [DIR]: shows that a new descriptor takes the lowest number that is free. */
#include "guest.h"
#include <fcntl.h>

static int open_one(void)
{
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	if (fd < 0)
		fail("socket");
	return fd;
}

int main(int argc, char **argv)
{
	set_line_buffering();
	if (argc > 2)
		usage("fdnum [DIR]");
	int a = open_one(), b = open_one(), c = open_one();
	printf("opened %d %d %d\n", a, b, c);
	close(b);
	printf("reused %d\n", open_one());
	close(a);
	close(c);
	int d = open_one(), e = open_one(), f = open_one();
	printf("reused %d %d, then %d\n", d, e, f);
	close(d);
	int status = close(d);
	printf("closed twice %s\n", errno_name(status == 0 ? 0 : errno));
	ssize_t n = send(d, "x", 1, 0);
	printf("send on it %s\n", errno_name(n < 0 ? errno : 0));
	if (argc == 2) {
		int dir = open(argv[1], O_RDONLY | O_DIRECTORY);
		printf("directory %d\n", dir);
	}
	return 0;
}
