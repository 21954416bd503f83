/* What the programs share, since there is no C library with threads where they are built: threads,
 * locks and memory, and the calls to the host. They speak to their tests by lines on stdout. */
#ifndef GUEST_H
#define GUEST_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* --- threads --- */

struct thread {
	void *stack; /* start.s reads it */
	void (*run)(void *);
	void *argument;
	int32_t id;
	_Atomic int32_t ended;
	struct thread *next; /* the next in the list of free threads */
};

/* Starts a thread. Returns NULL if the host refuses another one. */
struct thread *thread_start(void (*run)(void *), void *argument);

/* Retries until a thread starts: a thread that has ended counts for a moment longer. */
struct thread *thread_must_start(void (*run)(void *), void *argument);

/* Waits for the end of a thread. */
void thread_join(struct thread *);

/* Waits while the word has the given value, until a time-out in ns, or -1. Returns 0 if woken, 1 if
 * the value differs, 2 at the time-out (memory.atomic.wait32). */
static inline int wait_on(_Atomic int32_t *p, int32_t value, int64_t timeout)
{
	return __builtin_wasm_memory_atomic_wait32((int32_t *)p, value, timeout);
}

/* Wakes up to count waiters, and returns their number (memory.atomic.notify). */
static inline unsigned wake(_Atomic int32_t *p, unsigned count)
{
	return __builtin_wasm_memory_atomic_notify((int32_t *)p, count);
}

/* Waits until the word has the given value. */
static inline void wait_until_equal(_Atomic int32_t *p, int32_t value)
{
	for (int32_t now; (now = *p) != value;)
		wait_on(p, now, -1);
}

/* Sets a word and wakes its waiters. */
static inline void set_and_wake(_Atomic int32_t *p, int32_t value)
{
	*p = value;
	wake(p, -1);
}

struct lock {
	_Atomic int32_t state; /* 0 free, 1 held, 2 held while others may wait */
};
void lock(struct lock *);
void unlock(struct lock *);

/* Allocates zeroed memory, which is never freed. Traps if there is none. */
void *allocate(size_t);

/* --- text --- */

/* Prints a line in one write. The format may have %s and %d. */
void say(const char *format, ...);
bool same(const char *, const char *);
int number(const char *);

/* Prints a line, and exits with status 1. */
#define fail(...) (say("FAIL " __VA_ARGS__), proc_exit(1))
#define check(call) \
	do { \
		int check_errno = (call); \
		if (check_errno) \
			fail(#call ": %d", check_errno); \
	} while (0)

/* --- the host --- */

enum { SUCCESS = 0, EAGAIN = 6, EBADF = 8, ECONNRESET = 15, EPIPE = 64 };
enum { DGRAM = 0, STREAM = 1 };

struct vec {
	void *base;
	size_t len;
};
struct address { /* IPv4 only */
	uint32_t kind;
	uint8_t ip[4];
	uint16_t port;
	uint8_t rest[14];
};
struct subscription {
	uint64_t userdata;
	uint64_t type; /* 0 clock, 1 read, 2 write */
	union {
		int32_t fd;
		uint32_t clock;
	};
	uint64_t timeout, precision, flags;
};
struct event {
	uint64_t userdata;
	uint16_t error;
	uint8_t type;
	uint64_t bytes, flags;
};

#define IMPORT(name)                                                                               \
	__attribute__((import_module("wasi_snapshot_preview1"), import_name(#name))) name
int IMPORT(args_get)(char **, char *);
int IMPORT(args_sizes_get)(size_t *, size_t *);
int IMPORT(clock_time_get)(int, int64_t, uint64_t *);
int IMPORT(fd_close)(int);
int IMPORT(fd_read)(int, const struct vec *, size_t, size_t *);
int IMPORT(fd_write)(int, const struct vec *, size_t, size_t *);
int IMPORT(poll_oneoff)(const struct subscription *, struct event *, size_t, size_t *);
_Noreturn void IMPORT(proc_exit)(int);
int IMPORT(sock_accept)(int, int, int *);
int IMPORT(sock_addr_local)(int, struct address *);
int IMPORT(sock_addr_remote)(int, struct address *);
int IMPORT(sock_bind)(int, const struct address *);
int IMPORT(sock_connect)(int, const struct address *);
int IMPORT(sock_listen)(int, int);
int IMPORT(sock_open)(int, int, int, int *);
int IMPORT(sock_recv)(int, const struct vec *, size_t, int, size_t *, uint16_t *);
int IMPORT(sock_recv_from)(int, const struct vec *, size_t, int, struct address *, size_t *);
int IMPORT(sock_send)(int, const struct vec *, size_t, int, size_t *);
int IMPORT(sock_send_to)(int, const struct vec *, size_t, int, const struct address *, size_t *);
int IMPORT(sock_shutdown)(int, int);
#undef IMPORT

/* --- sockets: these return an errno, but for those that cannot fail in a program that works --- */

/* Opens a socket on 127.0.0.1, and returns its address; a stream socket listens. A failure ends the
 * program. */
int open_bound(int type, struct address *);

/* Makes a connection, and returns both ends. */
void connected(int ends[2]);

int receive(int fd, void *, size_t, size_t *got);
int transmit(int fd, const void *, size_t);

/* Receives exactly as many bytes as the buffer has. */
int receive_all(int fd, void *, size_t);

/* Waits until a descriptor is readable. *error becomes the event's error. */
int poll_readable(int fd, int *error);

/* The program's entry, which start.s or the host calls. */
int program(int argc, char **argv);

#endif
