/*
 * The twin of ../datagram.c for WASI 0.2:
 * datagram send PORT SIZE COUNT | recv SIZE
 *
 * It sends one datagram in each call and receives up to 16, as sendto and recvfrom of wasi-libc
 * would with and without a queue of their own.
 */
#include "bench.h"

static u8 buf[65536];

static void send_many(struct list port, u32 size, u64 count) {
	struct address to = loopback_address(number(port)), any = loopback_address(0);
	struct pair_result streams = udp_associate(udp_bound(&any), 0);
	handle out = streams.ok[1], writable = outgoing_subscribe(out);
	struct outgoing d = {{buf, size}, 1, to};
	struct u64_result r;
	u64 start = monotonic_now();

	for (u64 sent = 0; sent < count;) {
		outgoing_check_send(out, &r);
		if (!r.failed && !r.ok) {
			pollable_block(writable);
			continue;
		}
		if (!r.failed)
			outgoing_send(out, &d, 1, &r);
		if (r.failed)
			fail("send", r.code);
		sent += r.ok;
	}
	print_result(count, start);
}

static void receive_many(void) {
	struct address any = loopback_address(0);
	handle socket = udp_bound(&any);
	struct pair_result streams = udp_associate(socket, 0);
	handle in = streams.ok[0], readable = incoming_subscribe(in);
	struct receive_result r;
	u64 count = 0, start = 0;
	u8 *mark = heap_mark();

	print_port(udp_local_address, socket);
	for (int end = 0; !end; heap_reset(mark)) {
		incoming_receive(in, 16, &r);
		if (r.failed)
			fail("receive", r.code);
		if (!r.ok.len)
			pollable_block(readable);
		for (u32 i = 0; i < r.ok.len; i++) {
			end = end || r.ok.data[i].data.len == 1;
			count += !end;
			if (count == 1)
				start = monotonic_now();
		}
	}
	print_result(count, start);
}

u32 run(void) {
	if (equal(argument(1), "send"))
		send_many(argument(2), number(argument(3)), number(argument(4)));
	else
		receive_many();
	return 0;
}
