/* nonblock_connect ADDR PORT: connects without blocking, waits, and tells the result; sends a line
 * and reads one if there is someone. */
#include "guest.h"
#include <fcntl.h>
#include <poll.h>

int main(int argc, char **argv)
{
	set_line_buffering();
	if (argc != 3)
		usage("nonblock_connect ADDR PORT");
	struct address to = parse_address(argv[1], argv[2]), peer = {.len = sizeof peer.u};
	int error = -1, fd = socket(to.u.sa.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	socklen_t len = sizeof error;

	if (fd < 0)
		fail("socket");
	int status = connect(fd, &to.u.sa, to.len);
	printf("connect %s\n", errno_name(status == 0 ? 0 : errno));

	struct pollfd p = {.fd = fd, .events = POLLOUT};
	if (poll(&p, 1, 10000) != 1)
		fail("poll");
	printf("poll%s%s%s\n", p.revents & POLLOUT ? " out" : "", p.revents & POLLERR ? " err" : "",
		p.revents & POLLHUP ? " hup" : "");
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0)
		fail("SO_ERROR");
	printf("SO_ERROR %d %s\n", error, errno_name(error));
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0 || error != 0)
		fail("SO_ERROR is cleared by reading it");
	status = getpeername(fd, &peer.u.sa, &peer.len);
	printf("getpeername %s\n", errno_name(status == 0 ? 0 : errno));
	if (status != 0)
		return 0;

	status = connect(fd, &to.u.sa, to.len);
	printf("connect again %s\n", errno_name(status == 0 ? 0 : errno));
	send_all(fd, "hello\n", 6);
	p.events = POLLIN;
	if (poll(&p, 1, 10000) != 1)
		fail("poll");
	char line[64] = {0};
	if (recv(fd, line, sizeof line - 1, 0) <= 0)
		fail("recv");
	printf("received %s", line);
	return 0;
}
