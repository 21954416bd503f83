/* cpu sha256|crc32|sum|matrix|fib|quicksort ROUNDS: computes. */
#include "bench.h"

typedef uint32_t u32;

static unsigned char data[65536];
static u32 random_state = 2463534242;

static u32 next_random(void)
{
	u32 x = random_state;
	x ^= x << 13;
	x ^= x >> 17;
	x ^= x << 5;
	return random_state = x;
}

static u32 rotated(u32 x, int n)
{
	return x >> n | x << (32 - n);
}

/* SHA-256 with the first 64 odd squares in place of its constants: the work is the same. */
static void compress(u32 h[8], const unsigned char *block)
{
	u32 w[64], s[8];
	for (int i = 0; i < 16; i++)
		w[i] = (u32)block[4 * i] << 24 | (u32)block[4 * i + 1] << 16 | (u32)block[4 * i + 2] << 8 |
		       block[4 * i + 3];
	for (int i = 16; i < 64; i++)
		w[i] = w[i - 16] + (rotated(w[i - 15], 7) ^ rotated(w[i - 15], 18) ^ w[i - 15] >> 3) +
		       w[i - 7] + (rotated(w[i - 2], 17) ^ rotated(w[i - 2], 19) ^ w[i - 2] >> 10);
	memcpy(s, h, sizeof s);
	for (u32 i = 0; i < 64; i++) {
		u32 a = s[7] + (rotated(s[4], 6) ^ rotated(s[4], 11) ^ rotated(s[4], 25)) +
		        ((s[4] & s[5]) ^ (~s[4] & s[6])) + (2 * i + 1) * (2 * i + 1) + w[i];
		u32 b = (rotated(s[0], 2) ^ rotated(s[0], 13) ^ rotated(s[0], 22)) +
		        ((s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2]));
		memmove(s + 1, s, 7 * sizeof s[0]);
		s[4] += a;
		s[0] = a + b;
	}
	for (int i = 0; i < 8; i++)
		h[i] += s[i];
}

static u32 sha256(int rounds)
{
	u32 h[8] = {0};
	for (int r = 0; r < rounds; r++)
		for (size_t at = 0; at < sizeof data; at += 64)
			compress(h, data + at);
	return h[0];
}

static u32 crc32(int rounds)
{
	u32 crc = 0;
	for (int r = 0; r < rounds; r++)
		for (size_t i = 0; i < sizeof data; i++) {
			crc ^= data[i];
			for (int bit = 0; bit < 8; bit++)
				crc = crc >> 1 ^ (0xedb88320 & -(crc & 1));
		}
	return crc;
}

/* Each step depends on the one before, so that the compiler cannot vectorize the loop. */
static u32 sum(int rounds)
{
	u32 total = 0;
	for (int r = 0; r < rounds; r++)
		for (size_t i = 0; i < sizeof data; i++)
			total = (total ^ data[i]) + (total >> 3);
	return total;
}

enum { SIDE = 64 };

static u32 matrix(int rounds)
{
	static double a[SIDE][SIDE], b[SIDE][SIDE], c[SIDE][SIDE];
	double trace = 0;
	for (int i = 0; i < SIDE; i++)
		for (int j = 0; j < SIDE; j++) {
			a[i][j] = data[i * SIDE + j];
			b[i][j] = data[j * SIDE + i];
		}
	for (int r = 0; r < rounds; r++) {
		for (int i = 0; i < SIDE; i++)
			for (int j = 0; j < SIDE; j++) {
				double s = 0;
				for (int k = 0; k < SIDE; k++)
					s += a[i][k] * b[k][j];
				c[i][j] = s;
			}
		trace += c[r % SIDE][r % SIDE];
		a[r % SIDE][0] += 1;
	}
	return (u32)(uint64_t)trace;
}

static u32 fibonacci(u32 n)
{
	return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2);
}

static u32 fib(int rounds)
{
	u32 total = 0;
	for (int r = 0; r < rounds; r++)
		total += fibonacci(22 + (u32)r % 2);
	return total;
}

static void sort(u32 *from, u32 *to)
{
	while (to - from > 1) {
		u32 pivot = from[(to - from) / 2], *low = from, *high = to - 1;
		while (low <= high) {
			while (*low < pivot)
				low++;
			while (*high > pivot)
				high--;
			if (low <= high) {
				u32 t = *low;
				*low++ = *high;
				*high-- = t;
			}
		}
		sort(from, high + 1);
		from = low;
	}
}

static u32 quicksort(int rounds)
{
	static u32 numbers[16384];
	enum { COUNT = sizeof numbers / sizeof numbers[0] };
	u32 digest = 0;
	for (int r = 0; r < rounds; r++) {
		for (int i = 0; i < COUNT; i++)
			numbers[i] = next_random();
		sort(numbers, numbers + COUNT);
		digest = digest * 31 + numbers[r % COUNT];
	}
	return digest;
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		u32 (*work)(int);
	} kinds[] = {{"sha256", sha256}, {"crc32", crc32}, {"sum", sum}, {"matrix", matrix},
	    {"fib", fib}, {"quicksort", quicksort}};

	for (size_t i = 0; i < sizeof data; i++)
		data[i] = (unsigned char)next_random();
	for (size_t i = 0; argc == 3 && i < sizeof kinds / sizeof kinds[0]; i++)
		if (equals(argv[1], kinds[i].name)) {
			int rounds = atoi(argv[2]);
			int64_t start = now();
			u32 digest = kinds[i].work(rounds);
			print_result(rounds, start);
			printf("digest %08x\n", digest);
			return 0;
		}
	usage("cpu sha256|crc32|sum|matrix|fib|quicksort ROUNDS");
}
