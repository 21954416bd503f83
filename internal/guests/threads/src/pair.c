/* pair MODE ROUNDS: two threads with a connection between them over 127.0.0.1.
 *   pingpong  they send 64 bytes to and fro, each at its own end
 *   stream    one sends ROUNDS times 1000 bytes, the other receives them
 *   duplex    on both ends at once one thread sends and another receives, on the same descriptor
 * What is received is compared. Prints "done US", the time that it took in µs. */
#include "guest.h"

static int ends[2], rounds;

/* Returns a byte of the data that a side sends. */
static unsigned char byte(int side, size_t i)
{
	return side + i * 7 + (i >> 8);
}

static void answer(void *unused)
{
	(void)unused;
	char buf[64];
	for (int i = 0; i < rounds; i++) {
		check(receive_all(ends[1], buf, sizeof buf));
		check(transmit(ends[1], buf, sizeof buf));
	}
}

static void pingpong(void)
{
	struct thread *t = thread_must_start(answer, NULL);
	unsigned char buf[64];
	for (int i = 0; i < rounds; i++) {
		for (size_t n = 0; n < sizeof buf; n++)
			buf[n] = byte(i, n);
		check(transmit(ends[0], buf, sizeof buf));
		check(receive_all(ends[0], buf, sizeof buf));
		for (size_t n = 0; n < sizeof buf; n++)
			if (buf[n] != byte(i, n))
				fail("round %d: byte %d is %d", i, (int)n, buf[n]);
	}
	thread_join(t);
}

static void send_all(void *end)
{
	int side = (intptr_t)end;
	unsigned char buf[1000];
	for (int i = 0; i < rounds; i++) {
		for (size_t n = 0; n < sizeof buf; n++)
			buf[n] = byte(side, i * sizeof buf + n);
		check(transmit(ends[side], buf, sizeof buf));
	}
	check(sock_shutdown(ends[side], 2));
}

static void receive_to_end(void *end)
{
	int side = (intptr_t)end;
	unsigned char buf[777];
	size_t total = 0, got;
	for (;; total += got) {
		check(receive(ends[side], buf, sizeof buf, &got));
		if (!got)
			break;
		for (size_t n = 0; n < got; n++)
			if (buf[n] != byte(!side, total + n))
				fail("byte %d is %d", (int)(total + n), buf[n]);
	}
	if (total != (size_t)rounds * 1000)
		fail("%d bytes came", (int)total);
}

static void pass(bool both)
{
	struct thread *t[4];
	int n = 0;
	for (intptr_t side = 0; side <= both; side++) {
		t[n++] = thread_must_start(receive_to_end, (void *)!side);
		t[n++] = thread_must_start(send_all, (void *)side);
	}
	while (n)
		thread_join(t[--n]);
}

int program(int argc, char **argv)
{
	if (argc != 3)
		return 1;
	rounds = number(argv[2]);
	connected(ends);
	uint64_t start, end;
	check(clock_time_get(1, 1, &start));
	if (same(argv[1], "pingpong"))
		pingpong();
	else
		pass(same(argv[1], "duplex"));
	check(clock_time_get(1, 1, &end));
	say("done %d", (int)((end - start) / 1000));
	return 0;
}
