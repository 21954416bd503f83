/* poll_echo ADDR TOTAL: echoes TOTAL connections at once, non-blocking, with poll. */
#include "guest.h"
#include <fcntl.h>
#include <poll.h>

enum { MOST = 1024, ROOM = 1024 };

/* The bytes that a connection has sent and not got back yet. */
struct connection {
	size_t begin, end;
	char data[ROOM];
};

static struct pollfd fds[MOST + 1];
static struct connection connections[MOST + 1];
static nfds_t count = 1;
static size_t echoed, peak, seen;

static void drop(nfds_t i)
{
	close(fds[i].fd);
	count--;
	fds[i] = fds[count];
	connections[i] = connections[count];
}

static void welcome(int listener)
{
	while (count <= MOST) {
		int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
		if (fd < 0 && errno == EAGAIN)
			return;
		if (fd < 0)
			fail("accept4");
		if (!(fcntl(fd, F_GETFL) & O_NONBLOCK)) {
			printf("FAIL accepted socket blocks\n");
			exit(1);
		}
		fds[count] = (struct pollfd){.fd = fd, .events = POLLIN};
		connections[count].begin = connections[count].end = 0;
		count++;
		seen++;
		if (count - 1 > peak)
			peak = count - 1;
	}
}

/* Returns whether the connection goes on. */
static bool serve(nfds_t i)
{
	struct connection *c = &connections[i];
	ssize_t n;

	if (c->begin == c->end) {
		n = recv(fds[i].fd, c->data, sizeof c->data, 0);
		if (n < 0)
			return errno == EAGAIN;
		if (n == 0)
			return false;
		c->begin = 0;
		c->end = (size_t)n;
	}
	n = send(fds[i].fd, c->data + c->begin, c->end - c->begin, 0);
	if (n < 0 && errno != EAGAIN)
		return false;
	if (n > 0) {
		c->begin += (size_t)n;
		echoed += (size_t)n;
	}
	fds[i].events = c->begin < c->end ? POLLOUT : POLLIN;
	return true;
}

int main(int argc, char **argv)
{
	set_line_buffering();
	if (argc != 3)
		usage("poll_echo ADDR TOTAL");
	struct address at = parse_address(argv[1], "0");
	size_t total = (size_t)atoi(argv[2]);
	int listener = open_listener(&at);

	if (fcntl(listener, F_SETFL, fcntl(listener, F_GETFL) | O_NONBLOCK) != 0)
		fail("fcntl");
	fds[0] = (struct pollfd){.fd = listener, .events = POLLIN};
	while (seen < total || count > 1) {
		int ready = poll(fds, count, -1);
		if (ready <= 0)
			fail("poll");
		/* From the last to the first, so that dropping one moves only connections that were
		 * handled. */
		for (nfds_t i = count - 1; i > 0; i--)
			if (fds[i].revents != 0 && !serve(i))
				drop(i);
		if (fds[0].revents & POLLIN) {
			size_t before = seen;
			welcome(listener);
			if (before / 100 != seen / 100 || seen == total)
				printf("connections %zu\n", seen);
		}
	}
	printf("peak %zu\n", peak);
	printf("echoed %zu bytes\n", echoed);
	return 0;
}
