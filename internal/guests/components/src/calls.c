/*
 * calls NAME COUNT: calls a function of the host again and again, and prints how many nanoseconds
 * all calls took. The functions need nothing but the clock and standard output, and wait for
 * nothing.
 */
#include "guest.h"

static handle out, ready;

static void now(void) { monotonic_now(); }
static void resolution(void) { monotonic_resolution(); }
static void wall(void) {
	struct datetime t;
	wall_now(&t);
}
static void is_ready(void) { pollable_ready(ready); }
static void block(void) { pollable_block(ready); }
static void subscribe(void) { pollable_drop(output_subscribe(out)); }
static void check_write(void) {
	struct count_result r;
	output_check_write(out, &r);
}
static void write(void) {
	struct write_result r;
	output_write(out, "", 0, &r);
}
static void flush(void) {
	struct write_result r;
	output_flush(out, &r);
}
static void poll_one(void) {
	u8 *mark = heap_mark();
	struct list_u32 r;
	poll(&ready, 1, &r);
	heap_reset(mark);
}

static const struct { const char *name; void (*call)(void); } functions[] = {
	{"monotonic-clock.now", now},
	{"monotonic-clock.resolution", resolution},
	{"wall-clock.now", wall},
	{"pollable.ready", is_ready},
	{"pollable.block", block},
	{"output-stream.subscribe", subscribe},
	{"output-stream.check-write", check_write},
	{"output-stream.write", write},
	{"output-stream.flush", flush},
	{"poll", poll_one},
};

u32 run(void) {
	u64 count = number(argument(2)), since;
	out = get_stdout();
	ready = output_subscribe(out);
	for (u32 i = 0; i < sizeof functions / sizeof *functions; i++) {
		if (!equal(argument(1), functions[i].name))
			continue;
		since = monotonic_now();
		for (u64 n = 0; n < count; n++)
			functions[i].call();
		print_number(monotonic_now() - since);
		print("\n");
		return 0;
	}
	return 1;
}
