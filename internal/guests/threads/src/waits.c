/* waits WHAT: tests memory.atomic.wait and notify of WebAssembly's threads proposal. WHAT is
 *   results                               their results; prints "ok"
 *   unaligned32, unaligned64, unalignedN  traps at unaligned addresses
 *   beyond32, beyond64, beyondN           traps beyond the memory
 *   offset                                a trap where only the sum of address and offset is beyond
 */
#include "guest.h"

static _Atomic int32_t word, asleep;
static _Atomic int64_t wide;
static int woken;

static void sleep(void *timeout)
{
	asleep++;
	wake(&asleep, -1);
	int r = wait_on(&word, 5, (intptr_t)timeout);
	if (r)
		fail("a thread that was notified got %d", r);
	asleep--;
	wake(&asleep, -1);
}

static void sleep64(void *unused)
{
	(void)unused;
	asleep++;
	wake(&asleep, -1);
	int r = __builtin_wasm_memory_atomic_wait64((int64_t *)&wide, -3, -1);
	if (r)
		fail("a thread that was notified got %d", r);
	asleep--;
	wake(&asleep, -1);
}

#define expect(what, got, want) \
	do { \
		int is = (got); \
		if (is != (want)) \
			fail("%s: %d", what, is); \
	} while (0)

/* Notifies until so many have been woken in all: those that said that they sleep may be about to.
 */
static void wake_in_all(_Atomic int32_t *p, unsigned at_once, int count)
{
	for (woken = 0; woken < count;) {
		unsigned n = wake(p, at_once);
		if (n > at_once)
			fail("%d woken of %d", (int)n, (int)at_once);
		woken += n;
	}
	expect("woken in all", woken, count);
	wait_until_equal(&asleep, 0);
	expect("left over", wake(p, -1), 0);
}

static uint64_t now(void)
{
	uint64_t ns;
	check(clock_time_get(1, 1, &ns));
	return ns;
}

static void results(void)
{
	word = 5;
	wide = -3;
	expect("nobody there", wake(&word, 1), 0);
	expect("other number", wait_on(&word, 4, -1), 1);
	expect("other number, at once", wait_on(&word, 4, 0), 1);
	expect("no time", wait_on(&word, 5, 0), 2);
	uint64_t start = now();
	expect("some time", wait_on(&word, 5, 3000000), 2);
	if (now() - start < 3000000)
		fail("the time was short");
	expect("other wide number", __builtin_wasm_memory_atomic_wait64((int64_t *)&wide, -4, -1), 1);
	expect("same lower half", __builtin_wasm_memory_atomic_wait64((int64_t *)&wide, 0xfffffffd, -1),
	    1);
	expect("no time, wide", __builtin_wasm_memory_atomic_wait64((int64_t *)&wide, -3, 0), 2);

	struct thread *t[6];
	for (int i = 0; i < 6; i++)
		t[i] = thread_must_start(sleep, (void *)(intptr_t)(i % 2 ? -1 : 0x7fffffff));
	wait_until_equal(&asleep, 6);
	wake_in_all(&word, 1, 6);
	for (int i = 0; i < 6; i++) {
		thread_join(t[i]);
		t[i] = thread_must_start(i % 2 ? sleep : sleep64, (void *)-1);
	}
	wait_until_equal(&asleep, 6);
	for (woken = 0; woken < 3;)
		woken += wake(&word, -1);
	wait_until_equal(&asleep, 3); /* waiters at the other address are not woken */
	wake_in_all((_Atomic int32_t *)&wide, 2, 3);
	for (int i = 0; i < 6; i++)
		thread_join(t[i]);
}

static int wait32(uintptr_t p)
{
	return wait_on((_Atomic int32_t *)p, 0, 0);
}

static int wait64(uintptr_t p)
{
	return __builtin_wasm_memory_atomic_wait64((int64_t *)p, 0, 0);
}

int program(int argc, char **argv)
{
	if (argc != 2)
		return 1;
	const char *what = argv[1];
	uintptr_t end = __builtin_wasm_memory_size(0) * 65536;
	int r = 0;
	if (same(what, "results"))
		results();
	else if (same(what, "unaligned32"))
		r = wait32((uintptr_t)&wide + 2);
	else if (same(what, "unaligned64"))
		r = wait64((uintptr_t)&wide + 4);
	else if (same(what, "unalignedN"))
		r = wake((_Atomic int32_t *)((uintptr_t)&wide + 1), 1);
	else if (same(what, "beyond32"))
		r = wait32(end);
	else if (same(what, "beyond64"))
		r = wait64(end);
	else if (same(what, "beyondN"))
		r = wake((_Atomic int32_t *)end, 1);
	else if (same(what, "offset")) {
		/* The address that a program computes wraps around; that of an instruction with an offset
		 * does not. */
		uintptr_t p = -4u;
		__asm__ volatile("local.get %1\ni32.const 1\nmemory.atomic.notify 8\nlocal.set %0"
		                 : "=r"(r)
		                 : "r"(p));
	} else
		return 1;
	say(r ? "no trap" : "ok");
	return 0;
}
