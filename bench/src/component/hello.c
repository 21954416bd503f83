/* The twin of ../hello.c for WASI 0.2: opens a socket, drops it, and ends. */
#include "bench.h"

u32 run(void) {
	tcp_drop(tcp_socket(IPV4));
	print("hello\n");
	return 0;
}
