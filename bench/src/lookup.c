/* lookup NAME COUNT: asks for the addresses of a name. */
#include "bench.h"
#include <netdb.h>

int main(int argc, char **argv)
{
	if (argc != 3)
		usage("lookup NAME COUNT");
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *all;
	int64_t count = atoll(argv[2]), start = now();
	for (int64_t i = 0; i < count; i++) {
		int err = getaddrinfo(argv[1], "80", &hints, &all);
		if (err != 0) {
			fprintf(stderr, "%s: %s\n", argv[1], gai_strerror(err));
			return 1;
		}
		freeaddrinfo(all);
	}
	print_result(count, start);
	return 0;
}
