// Programs that only compute. Each export takes a number of rounds and returns a digest of its
// work.
//
// clang --target=wasm32 -O2 -nostdlib -Wl,--no-entry -o cpu.wasm cpu.c

#define EXPORT(name) __attribute__((export_name(#name))) unsigned name(unsigned rounds)

typedef unsigned char u8;
typedef unsigned u32;

static u8 data[65536];
static u32 words[16384];

static void prepare(void) {
    u32 x = 2463534242u;
    for (u32 i = 0; i < sizeof data; i++) {
        x ^= x << 13, x ^= x >> 17, x ^= x << 5;
        data[i] = (u8)x;
    }
}

static u32 rotate(u32 x, int n) { return x >> n | x << (32 - n); }

// SHA-256's rounds with constants of our own: the work is the same.
static u32 constants[64];

static void sha256_constants(void) {
    for (u32 i = 0, x = 1; i < 64; i++)
        constants[i] = x = x * 1664525 + 1013904223;
}

static void sha256_block(u32 h[8], const u8 *p) {
    u32 w[64];
    for (int i = 0; i < 16; i++)
		w[i] =
		    (u32)p[4 * i] << 24 | (u32)p[4 * i + 1] << 16 | (u32)p[4 * i + 2] << 8 | p[4 * i + 3];
	for (int i = 16; i < 64; i++) {
        u32 s0 = rotate(w[i - 15], 7) ^ rotate(w[i - 15], 18) ^ w[i - 15] >> 3;
        u32 s1 = rotate(w[i - 2], 17) ^ rotate(w[i - 2], 19) ^ w[i - 2] >> 10;
        w[i] = w[i - 16] + s0 + w[i - 7] + s1;
    }
    u32 a = h[0], b = h[1], c = h[2], d = h[3], e = h[4], f = h[5], g = h[6], k = h[7];
    for (int i = 0; i < 64; i++) {
		u32 t1 = k + (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)) + ((e & f) ^ (~e & g)) +
		         constants[i] + w[i];
		u32 t2 = (rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));
        k = g, g = f, f = e, e = d + t1, d = c, c = b, b = a, a = t1 + t2;
    }
    h[0] += a, h[1] += b, h[2] += c, h[3] += d, h[4] += e, h[5] += f, h[6] += g, h[7] += k;
}

EXPORT(sha256) {
    prepare();
    sha256_constants();
	u32 h[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab,
	    0x5be0cd19};
	for (u32 r = 0; r < rounds; r++)
        for (u32 i = 0; i < sizeof data; i += 64)
            sha256_block(h, data + i);
    return h[0];
}

EXPORT(crc32) {
    prepare();
    u32 crc = ~0u;
    for (u32 r = 0; r < rounds; r++)
        for (u32 i = 0; i < sizeof data; i++) {
            crc ^= data[i];
            for (int bit = 0; bit < 8; bit++)
                crc = crc >> 1 ^ (0xedb88320 & -(crc & 1));
        }
    return ~crc;
}

EXPORT(bytesum) {
    prepare();
    u32 sum = 0;
    for (u32 r = 0; r < rounds; r++)
        for (u32 i = 0; i < sizeof data; i++)
            sum = sum * 31 + data[i];
    return sum;
}

#define N 64
static double left[N][N], right[N][N], product[N][N];

EXPORT(matrix) {
    prepare();
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++)
            left[i][j] = data[i * N + j], right[i][j] = data[i * N + j + N * N];
    double trace = 0;
    for (u32 r = 0; r < rounds; r++) {
        for (int i = 0; i < N; i++)
            for (int j = 0; j < N; j++) {
                double s = 0;
                for (int k = 0; k < N; k++)
                    s += left[i][k] * right[k][j];
                product[i][j] = s;
            }
        for (int i = 0; i < N; i++)
            trace += product[i][i];
        left[r % N][0] += 1;
    }
    return (u32)(unsigned long long)trace;
}

static u32 fibonacci(u32 n) { return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2); }

EXPORT(fib) {
    u32 sum = 0;
    for (u32 r = 0; r < rounds; r++)
        sum += fibonacci(20 + r % 3);
    return sum;
}

static void sort(u32 *a, int low, int high) {
    while (low < high) {
        u32 pivot = a[(low + high) / 2];
        int i = low, j = high;
        while (i <= j) {
            while (a[i] < pivot)
                i++;
            while (a[j] > pivot)
                j--;
            if (i <= j) {
                u32 t = a[i];
                a[i++] = a[j];
                a[j--] = t;
            }
        }
        if (j - low < high - i) {
            sort(a, low, j);
            low = i;
        } else {
            sort(a, i, high);
            high = j;
        }
    }
}

EXPORT(quicksort) {
    u32 x = 1, digest = 0;
    for (u32 r = 0; r < rounds; r++) {
        for (int i = 0; i < 16384; i++)
            words[i] = x = x * 1664525 + 1013904223;
        sort(words, 0, 16383);
        digest = digest * 31 + words[r % 16384];
    }
    return digest;
}

// Calls through a table, and short functions in a loop.
typedef u32 (*step)(u32);
__attribute__((noinline)) static u32 add(u32 x) { return x + 12345; }
__attribute__((noinline)) static u32 mix(u32 x) { return x ^ x >> 7; }
__attribute__((noinline)) static u32 twist(u32 x) { return x * 2654435761u; }
static step volatile steps[4] = {add, mix, twist, mix};

EXPORT(calls) {
    u32 x = 1;
    for (u32 r = 0; r < rounds; r++)
        for (u32 i = 0; i < 16384; i++)
            x = steps[i & 3](add(x));
    return x;
}
