/*
 * imports COMMAND [/ COMMAND]...: calls imports with arguments that a test chooses, and prints the
 * memory that they wrote. Commands use a buffer of 64 KiB, zero at first.
 *
 *   NAME ARG...        calls the import: prints NAME and the errno it returned
 *   poke AT HEX        writes octets
 *   word AT ARG        writes a 32-bit number
 *   iovec AT ARG ARG   writes an iovec: where, how long
 *   addr AT IP PORT    writes an address
 *   peek AT SIZE       prints octets
 *
 * AT is an offset into the buffer. ARG is a number; @AT, a pointer to offset AT; *AT, the 32-bit
 * number at offset AT; "text, a pointer to the text; bad, a pointer beyond the memory; or end-N,
 * the address N octets before the end of the memory.
 */
#include "guest.h"
#include <wasport.h>

static uint8_t memory[65536];

static const struct import {
	const char *name;
	const char *params; /* i or I, as in the ABI */
	void *call; /* a function, of any type */
} imports[] = {
#define I(name, params) {#name, params, (void *)wasport_##name}
	I(sock_open, "iiii"),
	I(sock_bind, "ii"),
	I(sock_listen, "ii"),
	I(sock_accept, "iii"),
	I(sock_connect, "ii"),
	I(sock_send, "iiiii"),
	I(sock_send_to, "iiiiii"),
	I(sock_recv, "iiiiii"),
	I(sock_recv_from, "iiiiii"),
	I(sock_shutdown, "ii"),
	I(sock_close, "i"),
	I(sock_addr_local, "ii"),
	I(sock_addr_remote, "ii"),
	I(sock_addr_resolve, "iiiiii"),
	I(sock_get_reuse_addr, "ii"),
	I(sock_set_reuse_addr, "ii"),
	I(sock_get_reuse_port, "ii"),
	I(sock_set_reuse_port, "ii"),
	I(sock_get_keep_alive, "ii"),
	I(sock_set_keep_alive, "ii"),
	I(sock_get_broadcast, "ii"),
	I(sock_set_broadcast, "ii"),
	I(sock_get_linger, "iii"),
	I(sock_set_linger, "iii"),
	I(sock_get_recv_buf_size, "ii"),
	I(sock_set_recv_buf_size, "ii"),
	I(sock_get_send_buf_size, "ii"),
	I(sock_set_send_buf_size, "ii"),
	I(sock_get_recv_timeout, "ii"),
	I(sock_set_recv_timeout, "iI"),
	I(sock_get_send_timeout, "ii"),
	I(sock_set_send_timeout, "iI"),
	I(sock_get_tcp_no_delay, "ii"),
	I(sock_set_tcp_no_delay, "ii"),
	I(sock_get_tcp_quick_ack, "ii"),
	I(sock_set_tcp_quick_ack, "ii"),
	I(sock_get_tcp_fastopen_connect, "ii"),
	I(sock_set_tcp_fastopen_connect, "ii"),
	I(sock_get_tcp_keep_idle, "ii"),
	I(sock_set_tcp_keep_idle, "ii"),
	I(sock_get_tcp_keep_intvl, "ii"),
	I(sock_set_tcp_keep_intvl, "ii"),
	I(sock_get_ip_ttl, "ii"),
	I(sock_set_ip_ttl, "ii"),
	I(sock_get_ip_multicast_ttl, "ii"),
	I(sock_set_ip_multicast_ttl, "ii"),
	I(sock_get_ip_multicast_loop, "iii"),
	I(sock_set_ip_multicast_loop, "iii"),
	I(sock_get_ipv6_only, "ii"),
	I(sock_set_ipv6_only, "ii"),
	I(sock_set_ip_add_membership, "iii"),
	I(sock_set_ip_drop_membership, "iii"),
	I(sock_get_option, "iii"),
	I(sock_set_option, "iiI"),
	I(sock_recv_msg, "iiiiiii"),
	I(sock_send_msg, "iiiiii"),
	I(sock_interfaces, "iii"),
#undef I
};

static void complain(const char *what)
{
	printf("FAIL %s\n", what);
	exit(2);
}

static size_t place(const char *text, size_t size)
{
	size_t at = strtoul(text, NULL, 0);
	if (at > sizeof memory || size > sizeof memory - at)
		complain(text);
	return at;
}

static uint64_t value(const char *arg)
{
	uint32_t word;
	switch (*arg) {
	case '@':
		return (uint32_t)(uintptr_t)(memory + place(arg + 1, 0));
	case '*':
		memcpy(&word, memory + place(arg + 1, sizeof word), sizeof word);
		return word;
	case '"':
		return (uint32_t)(uintptr_t)(arg + 1);
	}
	if (strcmp(arg, "bad") == 0)
		return 0xfffffff0;
	if (strncmp(arg, "end-", 4) == 0)
		return (uint32_t)(__builtin_wasm_memory_size(0) * 65536 - strtoul(arg + 4, NULL, 0));
	return strtoull(arg, NULL, 0);
}

static int32_t call(const struct import *f, const uint64_t *v)
{
#define A(i) (uint32_t)v[i]
	typedef uint32_t u;
	if (strcmp(f->params, "i") == 0)
		return ((int32_t(*)(u))f->call)(A(0));
	if (strcmp(f->params, "ii") == 0)
		return ((int32_t(*)(u, u))f->call)(A(0), A(1));
	if (strcmp(f->params, "iI") == 0)
		return ((int32_t(*)(u, uint64_t))f->call)(A(0), v[1]);
	if (strcmp(f->params, "iii") == 0)
		return ((int32_t(*)(u, u, u))f->call)(A(0), A(1), A(2));
	if (strcmp(f->params, "iiI") == 0)
		return ((int32_t(*)(u, u, uint64_t))f->call)(A(0), A(1), v[2]);
	if (strcmp(f->params, "iiii") == 0)
		return ((int32_t(*)(u, u, u, u))f->call)(A(0), A(1), A(2), A(3));
	if (strcmp(f->params, "iiiii") == 0)
		return ((int32_t(*)(u, u, u, u, u))f->call)(A(0), A(1), A(2), A(3), A(4));
	if (strcmp(f->params, "iiiiii") == 0)
		return ((int32_t(*)(u, u, u, u, u, u))f->call)(A(0), A(1), A(2), A(3), A(4), A(5));
	return ((int32_t(*)(u, u, u, u, u, u, u))f->call)(A(0), A(1), A(2), A(3), A(4), A(5), A(6));
#undef A
}

static void call_import(char **words, int count)
{
	uint64_t v[7] = {0};
	for (size_t i = 0; i < sizeof imports / sizeof *imports; i++) {
		if (strcmp(imports[i].name, words[0]) != 0)
			continue;
		if ((size_t)count - 1 != strlen(imports[i].params))
			complain(words[0]);
		for (int n = 1; n < count; n++)
			v[n - 1] = value(words[n]);
		int32_t err = call(&imports[i], v);
		printf("%s %d %s\n", words[0], err, errno_name(err));
		return;
	}
	complain(words[0]);
}

static void poke(const char *at, const char *hex)
{
	size_t size = strlen(hex) / 2, to = place(at, size);
	for (size_t i = 0; i < size; i++) {
		char octet[3] = {hex[2 * i], hex[2 * i + 1], 0};
		memory[to + i] = (uint8_t)strtoul(octet, NULL, 16);
	}
}

static void peek(const char *at, const char *size)
{
	size_t n = strtoul(size, NULL, 0), from = place(at, n);
	printf("peek ");
	for (size_t i = 0; i < n; i++)
		printf("%02x", memory[from + i]);
	printf("\n");
}

static void write_word(const char *at, uint64_t word)
{
	uint32_t w = (uint32_t)word;
	memcpy(memory + place(at, sizeof w), &w, sizeof w);
}

static void write_iovec(const char *at, uint64_t buf, uint64_t len)
{
	uint32_t words[2] = {(uint32_t)buf, (uint32_t)len};
	memcpy(memory + place(at, sizeof words), words, sizeof words);
}

static void write_address(const char *at, const char *ip, const char *port)
{
	struct address a = parse_address(ip, port);
	wasport_addr to = {0};
	if (a.u.sa.sa_family == AF_INET) {
		to.kind = WASPORT_INET4;
		memcpy(to.u.v4.ip, &a.u.in.sin_addr, sizeof to.u.v4.ip);
		to.u.v4.port = ntohs(a.u.in.sin_port);
	} else {
		to.kind = WASPORT_INET6;
		for (int i = 0; i < 8; i++)
			to.u.v6.ip[i] = ntohs(a.u.in6.sin6_addr.s6_addr16[i]);
		to.u.v6.port = ntohs(a.u.in6.sin6_port);
	}
	memcpy(memory + place(at, sizeof to), &to, sizeof to);
}

static void run(char **words, int count)
{
	if (count == 3 && strcmp(words[0], "poke") == 0)
		poke(words[1], words[2]);
	else if (count == 3 && strcmp(words[0], "word") == 0)
		write_word(words[1], value(words[2]));
	else if (count == 4 && strcmp(words[0], "iovec") == 0)
		write_iovec(words[1], value(words[2]), value(words[3]));
	else if (count == 4 && strcmp(words[0], "addr") == 0)
		write_address(words[1], words[2], words[3]);
	else if (count == 3 && strcmp(words[0], "peek") == 0)
		peek(words[1], words[2]);
	else
		call_import(words, count);
}

int main(int argc, char **argv)
{
	int from = 1;

	set_line_buffering();
	for (int i = 1; i <= argc; i++) {
		if (i < argc && strcmp(argv[i], "/") != 0)
			continue;
		if (i > from)
			run(argv + from, i - from);
		from = i + 1;
	}
	return 0;
}
