/* demo_refused ADDR PORT: connects to an address that the policy denies, and succeeds if the host
 * refuses it. */
#include "demo.h"

int main(int argc, char **argv)
{
	if (argc != 3) {
		printf("usage: demo_refused ADDR PORT\n");
		return 2;
	}
	struct addrinfo *to = resolve_literal(argv[1], argv[2], SOCK_STREAM);
	int fd = socket(to->ai_family, to->ai_socktype, 0);
	if (fd < 0)
		die("socket");
	if (connect(fd, to->ai_addr, to->ai_addrlen) == 0) {
		printf("connect to %s succeeded\n", format_address(to->ai_addr, to->ai_addrlen));
		return 1;
	}
	int why = errno;
	printf("connect to %s: %s\n", format_address(to->ai_addr, to->ai_addrlen), strerror(why));
	return why == EACCES ? 0 : 1;
}
