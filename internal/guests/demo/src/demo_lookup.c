/* demo_lookup NAME: prints the addresses of a name. */
#include "demo.h"

int main(int argc, char **argv)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *all;

	if (argc != 2) {
		printf("usage: demo_lookup NAME\n");
		return 2;
	}
	int err = getaddrinfo(argv[1], "http", &hints, &all);
	if (err != 0) {
		printf("%s: %s\n", argv[1], gai_strerror(err));
		return 1;
	}
	for (struct addrinfo *i = all; i != NULL; i = i->ai_next)
		printf("%s is at %s\n", argv[1], format_address(i->ai_addr, i->ai_addrlen));
	freeaddrinfo(all);
	return 0;
}
