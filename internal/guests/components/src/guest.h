/*
 * Memory, output and arguments for guests without a C library. A guest includes this file and
 * defines run(), which returns 0 for ok and 1 for error.
 */
#pragma once
#include "wasi.h"

EXPORT("wasi:cli/run@0.2.12#run") u32 run(void);

/*
 * Memory grows upwards from the heap's base and is never freed one by one. A loop takes the mark
 * before what it needs, and goes back to it afterwards.
 */
extern u8 __heap_base;
static u8 *heap_next = &__heap_base;

static inline u8 *heap_mark(void) { return heap_next; }
static inline void heap_reset(u8 *mark) { heap_next = mark; }

static void *allocate(u32 align, u32 size) {
	u8 *p = (u8 *)(((u32)heap_next + align - 1) & -align);
	u32 end = (u32)p + size, have = __builtin_wasm_memory_size(0) << 16;
	if (end < (u32)p || (end > have &&
		__builtin_wasm_memory_grow(0, ((end - have) + 0xffff) >> 16) == (unsigned long)-1))
		__builtin_trap();
	heap_next = p + size;
	return p;
}

#ifndef OWN_REALLOC
EXPORT("cabi_realloc") void *cabi_realloc(void *old, u32 old_size, u32 align, u32 size) {
	if (old_size)
		__builtin_trap(); /* The host gives each value its size at once. */
	(void)old;
	return allocate(align, size);
}
#endif

void *memcpy(void *to, const void *from, unsigned long size) {
	for (unsigned long i = 0; i < size; i++)
		((u8 *)to)[i] = ((const u8 *)from)[i];
	return to;
}
void *memset(void *to, int c, unsigned long size) {
	for (unsigned long i = 0; i < size; i++)
		((volatile u8 *)to)[i] = c;
	return to;
}

static inline u32 length(const char *s) {
	u32 n = 0;
	while (s[n])
		n++;
	return n;
}

/* Standard output. Its first use takes a handle, which is kept. */
static handle out_stream;

static void print_bytes(const void *data, u32 len) {
	struct write_result r;
	if (!out_stream)
		out_stream = get_stdout();
	for (u32 n; len; data = (const u8 *)data + n, len -= n) {
		n = len < 4096 ? len : 4096;
		output_blocking_write_and_flush(out_stream, data, n, &r);
		if (r.failed)
			exit_result(1);
	}
}
static inline void print(const char *s) { print_bytes(s, length(s)); }
static inline void print_list(struct list l) { print_bytes(l.data, l.len); }
static inline void print_number(u64 n) {
	char digits[20];
	u32 i = 20;
	do
		digits[--i] = '0' + n % 10;
	while (n /= 10);
	print_bytes(digits + i, 20 - i);
}

/* The arguments after the program's name. The result is empty if there are fewer. */
static inline struct list argument(u32 i) {
	static struct list_list args;
	if (!args.data)
		get_arguments(&args);
	struct list none = {(u8 *)"", 0};
	return i < args.len ? args.data[i] : none;
}
static inline u64 number(struct list l) {
	u64 n = 0;
	for (u32 i = 0; i < l.len && l.data[i] >= '0' && l.data[i] <= '9'; i++)
		n = n * 10 + l.data[i] - '0';
	return n;
}
static inline int equal(struct list l, const char *s) {
	if (l.len != length(s))
		return 0;
	for (u32 i = 0; i < l.len; i++)
		if (l.data[i] != (u8)s[i])
			return 0;
	return 1;
}

/* Waits for a pollable and drops it. */
static inline void wait_for(handle pollable) {
	pollable_block(pollable);
	pollable_drop(pollable);
}

/* Ends the guest with the name of the step that failed, and its error code. */
static inline void fail(const char *step, u32 code) {
	print(step);
	print(": error ");
	print_number(code);
	print("\n");
	exit_result(1);
	__builtin_trap();
}
static inline void need(const char *step, struct code_result r) {
	if (r.failed)
		fail(step, r.code);
}

/* The address in two arguments, such as 127.0.0.1 or ::1, and 80. */
static inline struct address parse_address(struct list ip, struct list port) {
	struct address a = {0};
	u16 groups[8];
	u32 n = 0, gap = 8, i = 0;

	a.v4.port = number(port);
	for (; i < ip.len && ip.data[i] != ':'; i++)
		;
	if (i == ip.len) {
		for (i = 0; i < 4; i++) {
			a.v4.address[i] = number(ip);
			while (ip.len && *ip.data++ != '.')
				ip.len--;
			ip.len -= ip.len != 0;
		}
		return a;
	}
	a.family = IPV6;
	for (i = 0; i < ip.len && n < 8; i++) {
		u32 value = 0, digits = 0;
		for (; i < ip.len && ip.data[i] != ':'; i++, digits++)
			value = value << 4 | ((ip.data[i] & 15) + (ip.data[i] > '9' ? 9 : 0));
		if (digits)
			groups[n++] = value;
		else if (gap == 8)
			gap = n;
	}
	for (i = 0; i < n; i++)
		a.v6.address[i < gap ? i : 8 - n + i] = groups[i];
	return a;
}

static inline void print_hex(u32 n) {
	char digits[8];
	u32 i = 8;
	do
		digits[--i] = "0123456789abcdef"[n & 15];
	while (n >>= 4);
	print_bytes(digits + i, 8 - i);
}

/* Prints 127.0.0.1, or ::1 with the longest run of zero groups left out (RFC 5952). */
static inline void print_ip(u32 family, const u8 *v4, const u16 *v6) {
	u32 from = 8, most = 1;
	if (family == IPV4) {
		for (u32 i = 0; i < 4; i++) {
			if (i)
				print(".");
			print_number(v4[i]);
		}
		return;
	}
	for (u32 i = 0; i < 8; i++) {
		u32 n = 0;
		while (i + n < 8 && v6[i + n] == 0)
			n++;
		if (n > most) {
			most = n;
			from = i;
		}
	}
	for (u32 i = 0; i < 8; i++) {
		if (i == from) {
			print("::");
			i += most - 1;
			continue;
		}
		if (i && i != from + most)
			print(":");
		print_hex(v6[i]);
	}
}
static inline void print_address(const struct address *a) {
	print_ip(a->family, a->v4.address, a->v6.address);
	print(" ");
	print_number(a->v4.port);
}
