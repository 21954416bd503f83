#include "guest.h"

#include <stdarg.h>

/* --- memory --- */

extern unsigned char __heap_base;
static struct lock taking;
static uintptr_t taken_to;

enum { PAGE = 65536 };

static void *allocate_locked(size_t size)
{
	if (!taken_to)
		taken_to = (uintptr_t)&__heap_base;
	uintptr_t at = (taken_to + 15) & ~(uintptr_t)15;
	uintptr_t end = at + size, have = (uintptr_t)__builtin_wasm_memory_size(0) * PAGE;
	if (end > have && __builtin_wasm_memory_grow(0, (end - have + PAGE - 1) / PAGE) == (size_t)-1)
		__builtin_trap();
	taken_to = end;
	return (void *)at;
}

void *allocate(size_t size)
{
	lock(&taking);
	void *p = allocate_locked(size);
	unlock(&taking);
	return p;
}

/* --- locks and threads --- */

void lock(struct lock *l)
{
	int32_t is_free = 0;
	if (atomic_compare_exchange_strong(&l->state, &is_free, 1))
		return;
	while (atomic_exchange(&l->state, 2))
		wait_on(&l->state, 2, -1);
}

void unlock(struct lock *l)
{
	if (atomic_exchange(&l->state, 0) == 2)
		wake(&l->state, 1);
}

__attribute__((import_module("wasi"), import_name("thread-spawn"))) int32_t thread_spawn(
    struct thread *);

enum { BLOCK = 16 << 10 }; /* size of a thread's stack, with its struct thread above */

static struct lock listing;
static struct thread *unused;

struct thread *thread_start(void (*run)(void *), void *argument)
{
	lock(&listing);
	struct thread *t = unused;
	if (t)
		unused = t->next;
	unlock(&listing);
	if (!t) {
		char *block = allocate(BLOCK);
		t = (struct thread *)(block + BLOCK - (sizeof(struct thread) + 15) / 16 * 16);
		t->stack = t;
	}
	t->run = run;
	t->argument = argument;
	t->ended = 0;
	int32_t id = thread_spawn(t);
	if (id > 0)
		return t;
	if (id != -EAGAIN)
		fail("thread-spawn: %d", id);
	t->ended = 1;
	thread_join(t);
	return NULL;
}

struct thread *thread_must_start(void (*run)(void *), void *argument)
{
	_Atomic int32_t nothing = 0;
	for (;;) {
		struct thread *t = thread_start(run, argument);
		if (t)
			return t;
		wait_on(&nothing, 0, 100000);
	}
}

void thread_main(int32_t id, struct thread *t)
{
	t->id = id;
	t->run(t->argument);
	/* From here on another thread may use the stack. */
	set_and_wake(&t->ended, 1);
}

void thread_join(struct thread *t)
{
	wait_until_equal(&t->ended, 1);
	lock(&listing);
	t->next = unused;
	unused = t;
	unlock(&listing);
}

/* --- text --- */

static size_t length(const char *s)
{
	size_t n = 0;
	while (s[n])
		n++;
	return n;
}

bool same(const char *a, const char *b)
{
	while (*a && *a == *b)
		a++, b++;
	return *a == *b;
}

int number(const char *s)
{
	int n = 0;
	while (*s >= '0' && *s <= '9')
		n = n * 10 + *s++ - '0';
	return n;
}

void say(const char *format, ...)
{
	char line[256];
	size_t n = 0;
	va_list args;
	va_start(args, format);
	for (; *format && n < sizeof line - 1; format++) {
		char digits[12];
		const char *s = digits;
		size_t len;
		if (format[0] == '%' && format[1] == 's') {
			s = va_arg(args, const char *);
			len = length(s);
			format++;
		} else if (format[0] == '%' && format[1] == 'd') {
			int v = va_arg(args, int);
			unsigned u = v < 0 ? -(unsigned)v : (unsigned)v;
			char *d = digits + sizeof digits;
			do
				*--d = '0' + u % 10;
			while (u /= 10);
			if (v < 0)
				*--d = '-';
			s = d;
			len = digits + sizeof digits - d;
			format++;
		} else {
			digits[0] = *format;
			len = 1;
		}
		for (; len && n < sizeof line - 1; len--)
			line[n++] = *s++;
	}
	va_end(args);
	line[n++] = '\n';
	fd_write(1, &(struct vec){line, n}, 1, &n);
}

/* --- sockets --- */

int open_bound(int type, struct address *at)
{
	int fd;
	*at = (struct address){.ip = {127, 0, 0, 1}};
	check(sock_open(-1, 0, type, &fd));
	check(sock_bind(fd, at));
	if (type == STREAM)
		check(sock_listen(fd, 1024));
	check(sock_addr_local(fd, at));
	return fd;
}

void connected(int ends[2])
{
	struct address at;
	int listener = open_bound(STREAM, &at);
	check(sock_open(-1, 0, STREAM, &ends[0]));
	check(sock_connect(ends[0], &at));
	check(sock_accept(listener, 0, &ends[1]));
	check(fd_close(listener));
}

int receive(int fd, void *buf, size_t len, size_t *got)
{
	uint16_t flags;
	return sock_recv(fd, &(struct vec){buf, len}, 1, 0, got, &flags);
}

int receive_all(int fd, void *buf, size_t len)
{
	size_t got;
	for (; len; buf = (char *)buf + got, len -= got) {
		int error = receive(fd, buf, len, &got);
		if (error)
			return error;
		if (!got)
			return EPIPE;
	}
	return 0;
}

int transmit(int fd, const void *buf, size_t len)
{
	size_t sent;
	return sock_send(fd, &(struct vec){(void *)buf, len}, 1, 0, &sent);
}

int poll_readable(int fd, int *error)
{
	struct subscription s = {.type = 1, .fd = fd};
	struct event e;
	size_t n;
	int status = poll_oneoff(&s, &e, 1, &n);
	*error = e.error;
	return status;
}

/* --- entry --- */

__attribute__((export_name("_start"))) void _start(void)
{
	size_t argc, size;
	check(args_sizes_get(&argc, &size));
	char **argv = allocate((argc + 1) * sizeof *argv);
	check(args_get(argv, allocate(size)));
	int status = program(argc, argv);
	if (status)
		proc_exit(status);
}
