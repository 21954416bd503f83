/* epoll: triggers, states and errors. */
#include "transcript.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>

static int epoll;

static int control(int operation, int fd, uint32_t events)
{
	struct epoll_event e = {.events = events, .data.fd = fd};

	return epoll_ctl(epoll, operation, fd, &e);
}

/* Prints the events of all descriptors that are ready within the time-out, in order of name. */
static void ready(const char *what, int timeout, const int *fds, int count)
{
	struct epoll_event list[8];
	int n = (int)MUST(epoll_wait(epoll, list, 8, timeout));

	printf("%s: %d", what, n);
	for (int i = 0; i < count; i++)
		for (int j = 0; j < n; j++) {
			uint32_t e = list[j].events;
			if (list[j].data.fd != fds[i])
				continue;
			printf(", %d:%s%s%s%s%s%s", i, e & EPOLLIN ? " IN" : "", e & EPOLLOUT ? " OUT" : "",
			    e & EPOLLERR ? " ERR" : "", e & EPOLLHUP ? " HUP" : "",
			    e & EPOLLRDNORM ? " RDNORM" : "", e & EPOLLWRNORM ? " WRNORM" : "");
		}
	printf("\n");
}

/* reader becomes readable when writer is written to. Data are sent and received in bytes. */
static void triggers(const char *what, int reader, int writer)
{
	char b[16];

	printf("%s\n", what);
	TRY(control(EPOLL_CTL_ADD, reader, EPOLLIN));
	ready("nothing", 0, &reader, 1);
	MUST(write(writer, "a", 1));
	ready("level", 1000, &reader, 1);
	ready("level, again", 0, &reader, 1);
	MUST(read(reader, b, 1));
	ready("level, read", 0, &reader, 1);

	TRY(control(EPOLL_CTL_MOD, reader, EPOLLIN | EPOLLONESHOT));
	MUST(write(writer, "a", 1));
	ready("one shot", 1000, &reader, 1);
	ready("one shot, again", 0, &reader, 1);
	MUST(write(writer, "a", 1));
	ready("one shot, more", 20, &reader, 1);
	TRY(control(EPOLL_CTL_MOD, reader, EPOLLIN | EPOLLONESHOT));
	ready("one shot, armed", 1000, &reader, 1);
	MUST(read(reader, b, 2));

	TRY(control(EPOLL_CTL_MOD, reader, EPOLLIN | EPOLLET));
	ready("edge, nothing", 0, &reader, 1);
	MUST(write(writer, "a", 1));
	ready("edge", 1000, &reader, 1);
	ready("edge, again", 0, &reader, 1);
	MUST(write(writer, "a", 1));
	ready("edge, more", 1000, &reader, 1);
	MUST(read(reader, b, 1));
	ready("edge, partly read", 0, &reader, 1);
	TRY(control(EPOLL_CTL_MOD, reader, EPOLLIN | EPOLLET));
	ready("edge, modified", 1000, &reader, 1);
	MUST(read(reader, b, 1));

	TRY(control(EPOLL_CTL_MOD, reader, 0));
	MUST(write(writer, "a", 1));
	ready("nothing asked", 20, &reader, 1);
	TRY(control(EPOLL_CTL_MOD, reader, EPOLLIN | EPOLLRDNORM));
	ready("asked", 1000, &reader, 1);
	TRY(control(EPOLL_CTL_DEL, reader, 0));
	ready("deleted", 0, &reader, 1);
	MUST(read(reader, b, 1));
}

static void states(void)
{
	int fds[2], list[2];
	struct pollfd p = {.fd = epoll, .events = POLLIN};

	MUST(pipe(fds));
	MUST(control(EPOLL_CTL_ADD, fds[1], EPOLLOUT | EPOLLWRNORM));
	ready("writer", 0, &fds[1], 1);
	MUST(close(fds[0]));
	ready("no reader", 0, &fds[1], 1);
	MUST(close(fds[1]));
	ready("closed", 0, &fds[1], 1);

	MUST(pipe(fds));
	MUST(control(EPOLL_CTL_ADD, fds[0], EPOLLIN));
	MUST(close(fds[1]));
	ready("no writer", 0, &fds[0], 1);
	MUST(close(fds[0]));

	pair(fds);
	MUST(control(EPOLL_CTL_ADD, fds[0], EPOLLIN | EPOLLOUT));
	ready("a connection", 1000, &fds[0], 1);
	MUST(control(EPOLL_CTL_MOD, fds[0], EPOLLIN));
	printf("poll: %d\n", poll(&p, 1, 0));
	MUST(send(fds[1], "a", 1, 0));
	printf("poll, data: %d\n", poll(&p, 1, 1000));
	MUST(shutdown(fds[1], SHUT_WR));
	ready("the peer has finished", 1000, &fds[0], 1);
	MUST(shutdown(fds[0], SHUT_WR));
	ready("both have finished", 1000, &fds[0], 1);
	list[0] = fds[0];
	list[1] = (int)MUST(dup(fds[0]));
	TRY(control(EPOLL_CTL_ADD, list[1], EPOLLIN));
	ready("twice", 1000, list, 2);
	MUST(close(list[0]));
	ready("one is closed", 1000, list, 2);
	MUST(close(list[1]));
	ready("both are closed", 0, list, 2);
	MUST(close(fds[1]));
}

static void errors(void)
{
	struct epoll_event e = {.events = EPOLLIN};
	int fd = (int)MUST(eventfd(0, 0)), other = (int)MUST(eventfd(0, 0));

	TRY(epoll_create(0));
	TRY(epoll_create1(1));
	TRY(control(EPOLL_CTL_ADD, fd, EPOLLIN));
	TRY(control(EPOLL_CTL_ADD, fd, EPOLLIN));
	TRY(control(EPOLL_CTL_MOD, other, EPOLLIN));
	TRY(control(EPOLL_CTL_DEL, other, 0));
	TRY(control(EPOLL_CTL_ADD, 99, EPOLLIN));
	TRY(epoll_ctl(99, EPOLL_CTL_ADD, fd, &e));
	TRY(epoll_ctl(fd, EPOLL_CTL_ADD, other, &e));
	TRY(control(EPOLL_CTL_ADD, epoll, EPOLLIN));
	TRY(control(17, other, EPOLLIN));
	TRY(epoll_ctl(epoll, EPOLL_CTL_ADD, other, NULL));
	TRY(control(EPOLL_CTL_ADD, other, EPOLLIN | EPOLLEXCLUSIVE | EPOLLONESHOT));
	TRY(control(EPOLL_CTL_ADD, other, EPOLLIN | EPOLLEXCLUSIVE));
	TRY(control(EPOLL_CTL_MOD, other, EPOLLIN));
	TRY(control(EPOLL_CTL_MOD, fd, EPOLLIN | EPOLLEXCLUSIVE));
	TRY(epoll_wait(epoll, &e, 0, 0));
	TRY(epoll_wait(epoll, &e, -1, 0));
	TRY(epoll_wait(fd, &e, 1, 0));
	TRY(epoll_wait(99, &e, 1, 0));
	TRY(epoll_wait(epoll, &e, 1, 5));
	TRY(epoll_pwait(epoll, &e, 1, 0, NULL));
	TRY(epoll_ctl(epoll, EPOLL_CTL_DEL, fd, NULL));
	MUST(close(fd));
	MUST(close(other));
}

static void transcript(void)
{
	int fds[2];

	epoll = (int)MUST(epoll_create1(EPOLL_CLOEXEC));
	MUST(pipe(fds));
	triggers("pipe", fds[0], fds[1]);
	MUST(close(fds[0]));
	MUST(close(fds[1]));
	MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, fds));
	triggers("pair", fds[0], fds[1]);
	MUST(close(fds[0]));
	MUST(close(fds[1]));
	pair(fds);
	triggers("TCP", fds[0], fds[1]);
	MUST(close(fds[0]));
	MUST(close(fds[1]));
	states();
	errors();
	MUST(close(epoll));
}
