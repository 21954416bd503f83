/*
 * Prints a line and blocks in the call that its first argument names. Sockets connect to the
 * address and port that follow, or listen at that address.
 */
#include "sockets.h"

static void wait_in(struct list call) {
	struct read_result r;

	if (equal(call, "poll")) {
		handle never = subscribe_duration(~0ull);
		struct list_u32 ready;
		poll(&never, 1, &ready);
	} else if (equal(call, "block")) {
		pollable_block(subscribe_instant(~0ull));
	} else if (equal(call, "stdin")) {
		input_blocking_read(get_stdin(), 1, &r);
	} else if (equal(call, "skip")) {
		struct count_result n;
		input_blocking_skip(get_stdin(), 1, &n);
	} else if (equal(call, "splice")) {
		struct count_result n;
		output_blocking_splice(get_stdout(), get_stdin(), 1, &n);
	} else if (equal(call, "accept")) {
		struct address at = parse_address(argument(2), argument(3));
		handle listener = tcp_listen(&at);
		print_local(tcp_local_address, listener);
		tcp_accept_one(listener);
	} else if (equal(call, "read")) {
		struct address to = parse_address(argument(2), argument(3));
		input_blocking_read(tcp_connect(&to).in, 1, &r);
	} else if (equal(call, "write")) {
		struct address to = parse_address(argument(2), argument(3));
		static u8 zeros[4096];
		struct write_result w;
		for (handle out = tcp_connect(&to).out;;)
			output_blocking_write_and_flush(out, zeros, sizeof zeros, &w);
	} else if (equal(call, "flush")) {
		struct address to = parse_address(argument(2), argument(3));
		static u8 zeros[65536];
		struct count_result room;
		struct write_result w;
		for (handle out = tcp_connect(&to).out;;) {
			output_check_write(out, &room);
			output_write(out, zeros, room.ok, &w);
			output_blocking_flush(out, &w);
		}
	} else if (equal(call, "receive")) {
		struct address at = parse_address(argument(2), argument(3));
		receive_one(udp_associate(udp_bound(&at), 0).ok[0]);
	}
}

u32 run(void) {
	print("blocking\n");
	wait_in(argument(1));
	print("the call returned\n");
	return 1;
}
