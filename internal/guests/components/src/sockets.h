/* Sockets for guests: TCP connections and listeners, bound and associated UDP sockets. */
#pragma once
#include "guest.h"

struct connection { handle socket, in, out; };

static handle the_network;

static inline handle network(void) {
	if (!the_network)
		the_network = instance_network();
	return the_network;
}

static inline handle need_handle(const char *step, struct handle_result r) {
	if (r.failed)
		fail(step, r.code);
	return r.ok;
}

static inline handle tcp_socket(u32 family) {
	struct handle_result r;
	create_tcp_socket(family, &r);
	return need_handle("create-tcp-socket", r);
}

static inline struct connection tcp_connect(const struct address *to) {
	struct connection c = {tcp_socket(to->family), 0, 0};
	struct code_result r;
	struct pair_result streams;

	tcp_start_connect(c.socket, network(), FLAT(to), &r);
	need("start-connect", r);
	wait_for(tcp_subscribe(c.socket));
	tcp_finish_connect(c.socket, &streams);
	if (streams.failed)
		fail("finish-connect", streams.code);
	c.in = streams.ok[0];
	c.out = streams.ok[1];
	return c;
}

static inline void print_local(void (*local)(handle, struct address_result *), handle socket) {
	struct address_result at;
	local(socket, &at);
	if (at.failed)
		fail("local-address", at.code);
	print("listening ");
	print_address(&at.ok);
	print("\n");
}

static inline handle tcp_listen(const struct address *at) {
	handle s = tcp_socket(at->family);
	struct code_result r;

	tcp_start_bind(s, network(), FLAT(at), &r);
	need("start-bind", r);
	tcp_finish_bind(s, &r);
	need("finish-bind", r);
	tcp_start_listen(s, &r);
	need("start-listen", r);
	tcp_finish_listen(s, &r);
	need("finish-listen", r);
	return s;
}

static inline struct connection tcp_accept_one(handle listener) {
	struct triple_result r;
	for (;;) {
		tcp_accept(listener, &r);
		if (!r.failed)
			return (struct connection){r.ok[0], r.ok[1], r.ok[2]};
		if (r.code != WOULD_BLOCK)
			fail("accept", r.code);
		wait_for(tcp_subscribe(listener));
	}
}

static inline void close_connection(struct connection c) {
	input_drop(c.in);
	output_drop(c.out);
	tcp_drop(c.socket);
}

/* Writes all, in pieces that the stream permits. */
static inline void write_all(handle out, const void *data, u32 len) {
	struct write_result w;
	while (len) {
		struct count_result room;
		output_check_write(out, &room);
		if (room.failed)
			fail("check-write", room.error.closed);
		if (room.ok == 0) {
			wait_for(output_subscribe(out));
			continue;
		}
		u32 n = len < room.ok ? len : room.ok;
		output_write(out, data, n, &w);
		if (w.failed)
			fail("write", w.error.closed);
		data = (const u8 *)data + n;
		len -= n;
	}
	output_blocking_flush(out, &w);
	if (w.failed)
		fail("blocking-flush", w.error.closed);
}

/* Reads what there is, and waits for it. The list is empty at the end. */
static inline struct list read_some(handle in) {
	struct read_result r;
	input_blocking_read(in, 65536, &r);
	if (r.failed && !r.error.closed)
		fail("blocking-read", 0);
	struct list end = {0, 0};
	return r.failed ? end : r.ok;
}

static inline struct pair_result udp_associate(handle socket, const struct address *peer) {
	struct address none = {0};
	struct pair_result r;
	udp_stream(socket, peer != 0, FLAT(peer ? peer : &none), &r);
	if (r.failed)
		fail("stream", r.code);
	return r;
}

static inline handle udp_bound(const struct address *at) {
	struct handle_result s;
	struct code_result r;

	create_udp_socket(at->family, &s);
	handle socket = need_handle("create-udp-socket", s);
	udp_start_bind(socket, network(), FLAT(at), &r);
	need("start-bind", r);
	udp_finish_bind(socket, &r);
	need("finish-bind", r);
	return socket;
}

static inline struct incoming receive_one(handle in) {
	struct receive_result r;
	for (;;) {
		incoming_receive(in, 1, &r);
		if (r.failed)
			fail("receive", r.code);
		if (r.ok.len)
			return r.ok.data[0];
		wait_for(incoming_subscribe(in));
	}
}

/* Sends a datagram, to the peer of the association if to is null. */
static inline void send_one(handle out, struct list data, const struct address *to) {
	struct outgoing d = {data, to != 0, {0}};
	struct u64_result r;

	if (to)
		d.to = *to;
	do {
		wait_for(outgoing_subscribe(out));
		outgoing_check_send(out, &r);
		if (r.failed)
			fail("check-send", r.code);
	} while (!r.ok);
	outgoing_send(out, &d, 1, &r);
	if (r.failed || r.ok != 1)
		fail("send", r.failed ? r.code : 0);
}
