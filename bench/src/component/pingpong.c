/*
 * The twin of ../pingpong.c for WASI 0.2:
 * pingpong client tcp|udp PORT ROUNDS | server tcp|udp
 */
#include "bench.h"

static u8 buf[64];

static void serve_stream(void) {
	struct link l = accept_one();
	u64 rounds = 0, start = monotonic_now();
	for (; receive_all(l, sizeof buf); rounds++)
		send_all(l, buf, sizeof buf);
	print_result(rounds, start);
}

static struct incoming receive_datagram(handle in, handle readable) {
	struct receive_result r;
	for (;;) {
		incoming_receive(in, 1, &r);
		if (r.failed)
			fail("receive", r.code);
		if (r.ok.len)
			return r.ok.data[0];
		pollable_block(readable);
	}
}

static void send_datagram(handle out, struct list data, const struct address *to) {
	struct outgoing d = {data, to != 0, {0}};
	struct u64_result r;
	if (to)
		d.to = *to;
	outgoing_check_send(out, &r);
	if (!r.failed)
		outgoing_send(out, &d, 1, &r);
	if (r.failed || r.ok != 1)
		fail("send", r.failed ? r.code : 0);
}

static void serve_datagrams(void) {
	struct address any = loopback_address(0);
	handle socket = udp_bound(&any);
	struct pair_result streams = udp_associate(socket, 0);
	handle in = streams.ok[0], out = streams.ok[1], readable = incoming_subscribe(in);
	u64 rounds = 0, start = 0;
	u8 *mark = heap_mark();

	print_port(udp_local_address, socket);
	for (;; rounds++, heap_reset(mark)) {
		struct incoming got = receive_datagram(in, readable);
		if (got.data.len == 0)
			break;
		if (rounds == 0)
			start = monotonic_now();
		send_datagram(out, got.data, &got.from);
	}
	print_result(rounds, start);
}

static void ask_datagrams(struct list port, u64 rounds) {
	struct address to = loopback_address(number(port)), any = loopback_address(0);
	struct pair_result streams = udp_associate(udp_bound(&any), &to);
	handle in = streams.ok[0], out = streams.ok[1], readable = incoming_subscribe(in);
	struct list data = {buf, sizeof buf}, end = {buf, 0};
	u64 start = monotonic_now();
	u8 *mark = heap_mark();

	for (u64 i = 0; i < rounds; i++, heap_reset(mark)) {
		send_datagram(out, data, 0);
		receive_datagram(in, readable);
	}
	print_result(rounds, start);
	send_datagram(out, end, 0);
}

static void ask_stream(struct list port, u64 rounds) {
	struct link l = open_connected(port);
	u64 start = monotonic_now();
	for (u64 i = 0; i < rounds; i++) {
		send_all(l, buf, sizeof buf);
		if (!receive_all(l, sizeof buf))
			fail("the server has gone", 0);
	}
	print_result(rounds, start);
}

u32 run(void) {
	int datagrams = equal(argument(2), "udp");
	if (equal(argument(1), "client"))
		datagrams ? ask_datagrams(argument(3), number(argument(4)))
			: ask_stream(argument(3), number(argument(4)));
	else
		datagrams ? serve_datagrams() : serve_stream();
	return 0;
}
