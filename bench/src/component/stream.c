/*
 * The twin of ../stream.c for WASI 0.2:
 * stream send PORT BUFFER TOTAL | recv PORT BUFFER
 */
#include "bench.h"

static u8 buf[65536];

static u64 drain(struct link l, u32 size) {
	u64 total = 0;
	u8 *mark = heap_mark();
	for (u32 n; (n = receive(l, size)) > 0; total += n)
		heap_reset(mark);
	return total;
}

u32 run(void) {
	struct code_result r;
	if (equal(argument(1), "send")) {
		struct link l = open_connected(argument(2));
		u64 total = number(argument(4)), size = number(argument(3)), start = monotonic_now();
		for (u64 left = total; left > 0; left -= size)
			send_all(l, buf, size);
		tcp_shutdown(l.socket, SEND, &r);
		need("shutdown", r);
		drain(l, 1);
		print_result(total, start);
	} else {
		struct link l = open_connected(argument(2));
		u64 start = monotonic_now();
		print_result(drain(l, number(argument(3))), start);
	}
	return 0;
}
