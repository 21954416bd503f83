/*
 * Functions that the workloads share. They call as wasi-libc does for blocking sockets: a send
 * checks, writes and flushes; a receive reads, and waits only if nothing is there.
 */
#pragma once
#include "sockets.h"

struct link { handle socket, in, out, readable; };

static inline void print_result(u64 units, u64 since) {
	u64 ns = monotonic_now() - since;
	print("result ");
	print_number(units);
	print(" ");
	print_number(ns);
	print("\n");
}

static inline struct address loopback_address(u16 port) {
	struct address a = {0};
	a.v4.port = port;
	a.v4.address[0] = 127;
	a.v4.address[3] = 1;
	return a;
}

static inline void print_port(void (*local)(handle, struct address_result *), handle socket) {
	struct address_result at;
	local(socket, &at);
	if (at.failed)
		fail("local-address", at.code);
	print("port ");
	print_number(at.ok.v4.port);
	print("\n");
}

static inline struct link link_of(struct connection c) {
	return (struct link){c.socket, c.in, c.out, input_subscribe(c.in)};
}

static inline struct link open_connected(struct list port) {
	struct address to = loopback_address(number(port));
	return link_of(tcp_connect(&to));
}

static inline struct link accept_one(void) {
	struct address any = loopback_address(0);
	handle listener = tcp_listen(&any);
	print_port(tcp_local_address, listener);
	return link_of(tcp_accept_one(listener));
}

static inline void send_all(struct link l, const u8 *data, u32 len) {
	struct count_result room;
	struct write_result w;
	while (len) {
		output_check_write(l.out, &room);
		if (room.failed)
			fail("check-write", room.error.closed);
		u32 n = len < room.ok ? len : room.ok;
		if (n)
			output_write(l.out, data, n, &w);
		if (n && w.failed)
			fail("write", w.error.closed);
		output_blocking_flush(l.out, &w);
		if (w.failed)
			fail("blocking-flush", w.error.closed);
		data += n;
		len -= n;
	}
}

/* Receives up to size bytes, which lie on the heap; 0 at the end. */
static inline u32 receive(struct link l, u32 size) {
	struct read_result r;
	for (;;) {
		input_read(l.in, size, &r);
		if (r.failed && !r.error.closed)
			fail("read", 0);
		if (r.failed)
			return 0;
		if (r.ok.len)
			return r.ok.len;
		pollable_block(l.readable);
	}
}

/* Receives exactly size bytes; returns 0 if the stream ends before. */
static inline int receive_all(struct link l, u32 size) {
	u8 *mark = heap_mark();
	while (size) {
		u32 n = receive(l, size);
		if (!n)
			return 0;
		size -= n;
		heap_reset(mark);
	}
	return 1;
}
