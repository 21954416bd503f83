/*
 * The twin of ../idle.c for WASI 0.2: waits for a connection that does not come. It would answer
 * what that sends, as a server does, and so imports the functions of streams.
 */
#include "bench.h"

u32 run(void) {
	static u8 buf[64];
	struct link l = accept_one();

	if (receive_all(l, sizeof buf))
		send_all(l, buf, sizeof buf);
	return 1;
}
