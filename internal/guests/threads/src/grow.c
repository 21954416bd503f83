/* grow ROUNDS: a thread receives into the last bytes of the memory, others print, start threads and
 * compute, while the memory grows. Prints "tick" now and then, and at the end "grown N", the number
 * of pages added. */
#include "guest.h"

enum { PAGE = 65536 };

static int ends[2], rounds;
static _Atomic int32_t over;

static void receive_at_the_end(void *unused)
{
	(void)unused;
	for (int i = 0; i < rounds; i++) {
		/* The last page of the memory before it grows. */
		unsigned char *last =
		    (unsigned char *)(uintptr_t)(__builtin_wasm_memory_size(0) * PAGE - 100);
		check(receive_all(ends[0], last, 100));
		for (int n = 0; n < 100; n++)
			if (last[n] != (unsigned char)(i + n))
				fail("round %d: byte %d is %d", i, n, last[n]);
		check(transmit(ends[0], last, 100));
	}
}

static void print(void *unused)
{
	(void)unused;
	while (!over)
		say("tick");
}

static void nothing(void *unused)
{
	(void)unused;
}

static void start(void *unused)
{
	(void)unused;
	while (!over)
		thread_join(thread_must_start(nothing, NULL));
}

int program(int argc, char **argv)
{
	if (argc != 2)
		return 1;
	rounds = number(argv[1]);
	__builtin_wasm_memory_grow(
	    0, 16); /* enough for the threads' stacks, so that none lies in the last page */
	connected(ends);
	struct thread *t[] = {
		thread_must_start(receive_at_the_end, NULL),
		thread_must_start(print, NULL),
		thread_must_start(start, NULL),
	};
	unsigned char text[100];
	size_t before = __builtin_wasm_memory_size(0);
	for (int i = 0; i < rounds; i++) {
		__builtin_wasm_memory_grow(0, 1);
		unsigned char *fresh =
		    (unsigned char *)(uintptr_t)((__builtin_wasm_memory_size(0) - 1) * PAGE);
		if (*fresh)
			fail("new memory is not zero");
		for (int n = 0; n < 100; n++)
			text[n] = i + n;
		check(transmit(ends[1], text, sizeof text));
		check(receive_all(ends[1], text, sizeof text));
		for (int n = 0; n < 100; n++)
			if (text[n] != (unsigned char)(i + n))
				fail("round %d: byte %d came back as %d", i, n, text[n]);
	}
	size_t grown = __builtin_wasm_memory_size(0) - before;
	over = 1;
	for (int i = 0; i < 3; i++)
		thread_join(t[i]);
	say("grown %d", (int)grown);
	return 0;
}
