/*
 * answers IP PORT SCRIPT: connects twice, and carries a script out on the output streams. What each
 * step gave is printed at the end, or by a step "." before. A step is a letter, and the stream, 0
 * or 1, where it needs one:
 *
 *   c s   check-write           w s   write of 1,000 bytes    W s   write of 65,537 bytes
 *   f s   flush                 F s   blocking-flush          b s   blocking-write-and-flush
 *   S s   shut down             d s   drop                    p s   subscribe, wait and drop
 *   0 s   write of no bytes     z s   write-zeroes            e s   write until it fails
 *   r s   blocking-read         R s   the same; realloc calls check-write
 *   n     take a pollable       h     check-write of handle 0
 *   m s   check-write to a place that is not aligned          M s   flush, the same
 *   o s   check-write to a place at the end of memory         O s   flush, the same
 *   g     grow the memory       l s   check-write and flush for ever
 */
#define OWN_REALLOC
#include "sockets.h"

static struct connection streams[2];
static u8 data[65537];
static u32 asking; /* The stream that realloc asks, and 1. */

EXPORT("cabi_realloc") void *cabi_realloc(void *old, u32 old_size, u32 align, u32 size) {
	struct count_result r;
	(void)old;
	(void)old_size;
	if (asking)
		output_check_write(streams[asking - 1].out, &r);
	return allocate(align, size);
}

static char said[4096];
static u32 said_len;

static void say(const char *s) {
	while (*s && said_len < sizeof said)
		said[said_len++] = *s++;
}
static void flush_said(void) {
	print_bytes(said, said_len);
	said_len = 0;
}
static void say_error(u8 closed) { say(closed ? "closed " : "failed "); }
static void say_write(struct write_result w) { w.failed ? say_error(w.error.closed) : say("ok "); }
static void say_count(struct count_result r) {
	if (r.failed)
		say_error(r.error.closed);
	else
		say(r.ok == 65536 ? "all " : r.ok ? "some " : "none ");
}

static void write_until_it_fails(handle out) {
	struct count_result room;
	struct write_result w;
	for (;;) {
		output_check_write(out, &room);
		if (room.failed) {
			say("check-write: ");
			say_count(room);
			return;
		}
		if (room.ok)
			output_write(out, data, 1, &w);
		if (room.ok && w.failed) {
			say_write(w);
			return;
		}
		output_flush(out, &w);
		if (w.failed) {
			say("flush: ");
			say_write(w);
			return;
		}
	}
}

static void read_one(handle in) {
	struct read_result r;
	input_blocking_read(in, 1, &r);
	r.failed ? say_error(r.error.closed) : say("byte ");
}

static void check_for_ever(handle out) {
	struct count_result r;
	struct write_result w;
	for (;;) {
		output_check_write(out, &r);
		output_flush(out, &w);
	}
}

static u8 *memory_end(void) { return (u8 *)(__builtin_wasm_memory_size(0) << 16); }

static void on_stream(u8 step, struct connection *c) {
	/* In front of what the host writes to is nothing that it may change. */
	struct { u64 before; struct count_result r; } count = {7, {2, {0}}};
	struct { u64 before; struct write_result w; } result = {7, {2, {0, 0}}};
	struct code_result code;

	switch (step) {
	case 'c': output_check_write(c->out, &count.r); say_count(count.r); break;
	case 'm': output_check_write(c->out, (void *)((u8 *)&count.r - 4)); break;
	case 'o': output_check_write(c->out, (void *)(memory_end() - 8)); break;
	case 'w': output_write(c->out, data, 1000, &result.w); say_write(result.w); break;
	case 'W': output_write(c->out, data, sizeof data, &result.w); say_write(result.w); break;
	case '0': output_write(c->out, data, 0, &result.w); say_write(result.w); break;
	case 'b':
		output_blocking_write_and_flush(c->out, data, 1000, &result.w);
		say_write(result.w);
		break;
	case 'z': output_write_zeroes(c->out, 10, &result.w); say_write(result.w); break;
	case 'f': output_flush(c->out, &result.w); say_write(result.w); break;
	case 'F': output_blocking_flush(c->out, &result.w); say_write(result.w); break;
	case 'M': output_flush(c->out, (void *)((u8 *)&result.w - 2)); break;
	case 'O': output_flush(c->out, (void *)(memory_end() - 8)); break;
	case 'S': tcp_shutdown(c->socket, SEND, &code); say(code.failed ? "failed " : "shut "); break;
	case 'd': output_drop(c->out); break;
	case 'p': wait_for(output_subscribe(c->out)); break;
	case 'e': write_until_it_fails(c->out); break;
	case 'R': asking = 1 + (c == &streams[1]); /* fall through */
	case 'r': read_one(c->in); break;
	case 'l': check_for_ever(c->out);
	}
	if (count.before != 7 || result.before != 7)
		say("overwritten ");
}

u32 run(void) {
	struct address to = parse_address(argument(1), argument(2));
	struct list script = argument(3);
	struct count_result none;

	for (u32 i = 0; i < sizeof data; i++)
		data[i] = (u8)i;
	streams[0] = tcp_connect(&to);
	streams[1] = tcp_connect(&to);
	out_stream = get_stdout();
	while (script.len) {
		u8 step = *script.data++;
		script.len--;
		switch (step) {
		case '.': flush_said(); continue;
		case 'n': output_subscribe(out_stream); continue;
		case 'h': output_check_write(0, &none); continue;
		case 'g': __builtin_wasm_memory_grow(0, 1); continue;
		}
		if (!script.len)
			break;
		on_stream(step, &streams[*script.data++ & 1]);
		script.len--;
	}
	flush_said();
	return 0;
}
