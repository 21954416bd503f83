/* pipe, pipe2, dup, dup2, dup3 and eventfd. */
#include "transcript.h"

#include <sys/eventfd.h>

#if O_NONBLOCK == 0 || O_APPEND == 0 || (O_CREAT | O_TRUNC) == O_CREAT
#error "POSIX wants flags that are distinct, in #if as well"
#endif

static char big[100000];

static void ask(const char *what, int fd, short events)
{
	struct pollfd p = {.fd = fd, .events = events};

	MUST(poll(&p, 1, 0));
	printf("%s:%s%s%s%s%s\n", what, p.revents & POLLIN ? " IN" : "",
	    p.revents & POLLOUT ? " OUT" : "", p.revents & POLLERR ? " ERR" : "",
	    p.revents & POLLHUP ? " HUP" : "", p.revents & POLLNVAL ? " NVAL" : "");
}

static int readable(int fd)
{
	int n = -1;

	MUST(ioctl(fd, FIONREAD, &n));
	return n;
}

static void pipes(void)
{
	int fds[2];
	char b[8];

	MUST(pipe(fds));
	ask("empty, to read", fds[0], POLLIN);
	ask("empty, to write", fds[1], POLLOUT);
	TRY(write(fds[1], "abcdef", 6));
	ask("data", fds[0], POLLIN);
	printf("readable: %d\n", readable(fds[0]));
	TRY(read(fds[0], b, 4));
	TRY(read(fds[0], b, sizeof b));
	TRY(write(fds[1], NULL, 0));
	TRY(lseek(fds[0], 0, SEEK_SET));
	TRY(ftruncate(fds[0], 0));
	TRY(ftruncate(fds[1], 0));
	TRY(send(fds[1], "a", 1, 0));
	TRY(recv(fds[0], b, 1, 0));
	set_nonblocking(fds[0]);
	TRY(read(fds[0], b, 1));
	TRY(read(fds[0], b, 0));
	set_nonblocking(fds[1]);
	TRY(write(fds[1], big, sizeof big));
	TRY(write(fds[1], big, 1));
	ask("full", fds[1], POLLOUT);
	TRY(read(fds[0], big, 4095));
	TRY(read(fds[0], big, 1));
	ask("room", fds[1], POLLOUT);
	TRY(write(fds[1], big, 4097));
	TRY(close(fds[1]));
	TRY(read(fds[0], big, sizeof big));
	TRY(read(fds[0], b, 1));
	TRY(close(fds[0]));

	TRY(pipe2(fds, O_NONBLOCK | O_CLOEXEC));
	TRY(read(fds[0], b, 1));
	TRY(write(fds[1], "a", 1));
	MUST(close(fds[0]));
	ask("no reader", fds[1], POLLOUT);
	ask("no reader, nothing asked", fds[1], 0);
	TRY(write(fds[1], "a", 1));
	MUST(close(fds[1]));
	TRY(pipe2(fds, 0x40000000));
}

static void duplicates(void)
{
	int fds[2], copy;
	char b[8];

	MUST(pipe(fds));
	copy = (int)MUST(dup(fds[1]));
	printf("the lowest: %d\n", copy == fds[1] + 1);
	MUST(close(fds[1]));
	TRY(write(copy, "ab", 2));
	set_nonblocking(fds[0]);
	TRY(read(fds[0], b, sizeof b));
	TRY(read(fds[0], b, sizeof b));
	printf("dup2: %d\n", dup2(copy, 40) == 40);
	MUST(close(copy));
	TRY(read(fds[0], b, sizeof b));
	printf("onto the other end: %d\n", dup2(fds[0], 40) == 40);
	TRY(read(40, b, sizeof b));
	printf("shared flags: %d\n", (fcntl(40, F_GETFL) & O_NONBLOCK) != 0);
	TRY(dup2(99, 41));
	TRY(dup2(40, 40) == 40);
	TRY(dup2(99, 99));
	TRY(dup2(40, -1));
	TRY(dup3(40, 40, 0));
	TRY(dup3(40, 42, O_CLOEXEC) == 42);
	TRY(dup(-1));
	TRY(fcntl(40, F_DUPFD, 43) == 43);
	TRY(fcntl(40, F_DUPFD_CLOEXEC, 43) == 44);
	TRY(fcntl(40, F_DUPFD, -1));
	TRY(fcntl(99, F_DUPFD, 0));
	copy = (int)MUST(fcntl(40, F_DUPFD, 0));
	printf("shared flags: %d\n", (fcntl(copy, F_GETFL) & O_NONBLOCK) != 0);
	MUST(close(copy));
	MUST(close(43));
	MUST(close(44));
	MUST(close(42));
	MUST(close(40));
	MUST(close(fds[0]));
	TRY(read(40, b, 1));
}

/* A connection that is read by two descriptors, and ends with the last. */
static void duplicated_socket(void)
{
	int fd = connect_to(SOCK_STREAM, tcp_echo), copy = (int)MUST(dup(fd));
	char b[8] = "";

	MUST(send(fd, "hello", 5, 0));
	TRY(recv(copy, b, 2, MSG_WAITALL));
	TRY(recv(fd, b + 2, 3, MSG_WAITALL));
	printf("got %s\n", b);
	MUST(close(fd));
	MUST(send(copy, "again", 5, 0));
	TRY(recv(copy, b, 5, MSG_WAITALL));
	printf("got %s\n", b);
	MUST(close(copy));
}

static void counters(void)
{
	uint64_t n = 0;
	int fd = (int)MUST(eventfd(3, EFD_NONBLOCK | EFD_CLOEXEC));

	ask("a number", fd, POLLIN | POLLOUT);
	TRY(eventfd_read(fd, &n));
	printf("number %llu\n", (unsigned long long)n);
	ask("0", fd, POLLIN | POLLOUT);
	TRY(eventfd_read(fd, &n));
	TRY(eventfd_write(fd, 5));
	TRY(eventfd_write(fd, 7));
	TRY(read(fd, &n, 7));
	TRY(read(fd, &n, 8));
	printf("number %llu\n", (unsigned long long)n);
	TRY(eventfd_write(fd, UINT64_MAX));
	TRY(eventfd_write(fd, UINT64_MAX - 1));
	TRY(eventfd_write(fd, 1));
	ask("full", fd, POLLIN | POLLOUT);
	TRY(write(fd, &n, 4));
	MUST(close(fd));

	fd = (int)MUST(eventfd(2, EFD_SEMAPHORE | EFD_NONBLOCK));
	for (int i = 0; i < 3; i++) {
		TRY(eventfd_read(fd, &n));
		printf("semaphore %llu\n", (unsigned long long)n);
	}
	MUST(close(fd));
	TRY(eventfd(0, 0x100));
}

static void transcript(void)
{
	pipes();
	duplicates();
	duplicated_socket();
	counters();
}
