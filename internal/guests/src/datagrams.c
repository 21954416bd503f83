/* datagrams 4|6 [exchange]: tests the calls for datagrams with two sockets on the loopback address.
 * Ends at the first failure. "exchange" leaves out what is refused. */
#include "guest.h"
#include <sys/ioctl.h>
#include <sys/uio.h>

static bool same(const struct address *a, const struct address *b)
{
	return strcmp(format_address(a), format_address(b)) == 0;
}

int main(int argc, char **argv)
{
	set_line_buffering();
	bool exchange = argc == 3 && strcmp(argv[2], "exchange") == 0;
	if (argc != 2 && !exchange)
		usage("datagrams 4|6 [exchange]");
	struct address at = loopback_address(argv[1]);
	int one = open_bound(&at, SOCK_DGRAM), two = open_bound(&at, SOCK_DGRAM), n;
	struct address a = local_address(one), b = local_address(two), from = {.len = sizeof from.u};
	char buf[16];

	check(sendto(one, "", 0, 0, &b.u.sa, b.len) == 0, "sendto of nothing");
	check(recvfrom(two, buf, sizeof buf, 0, &from.u.sa, &from.len) == 0, "recvfrom of nothing");
	check(same(&from, &a), "sender of nothing");
	printf("empty ok\n");

	check(sendto(one, "0123456789", 10, 0, &b.u.sa, b.len) == 10, "sendto");
	check(ioctl(two, FIONREAD, &n) == 0, "FIONREAD");
	check(n == 10, "FIONREAD counts");
	check(recv(two, buf, 4, MSG_PEEK) == 4 && memcmp(buf, "0123", 4) == 0, "peek");
	struct iovec iov = {buf, 4};
	struct msghdr msg = {
	    .msg_name = &from.u, .msg_namelen = sizeof from.u, .msg_iov = &iov, .msg_iovlen = 1};
	check(recvmsg(two, &msg, 0) == 4, "recvmsg");
	check(msg.msg_flags & MSG_TRUNC, "recvmsg says MSG_TRUNC");
	check(same(&from, &a) && msg.msg_namelen == a.len, "recvmsg says the sender");
	check(recv(two, buf, 4, MSG_DONTWAIT) == -1 && errno == EAGAIN, "the rest is gone");
	printf("truncated ok\n");

	check(sendto(one, "0123456789", 10, 0, &b.u.sa, b.len) == 10, "sendto");
	check(recv(two, buf, 4, MSG_TRUNC) == 10, "MSG_TRUNC gives the whole length");
	printf("length ok\n");

	struct iovec parts[3] = {{"ab", 2}, {"", 0}, {"cde", 3}};
	struct msghdr out = {.msg_name = &b.u, .msg_namelen = b.len, .msg_iov = parts, .msg_iovlen = 3};
	check(sendmsg(one, &out, 0) == 5, "sendmsg");
	struct iovec rooms[2] = {{buf, 3}, {buf + 8, 8}};
	struct msghdr in = {.msg_iov = rooms, .msg_iovlen = 2};
	check(recvmsg(two, &in, 0) == 5 && memcmp(buf, "abc", 3) == 0 && memcmp(buf + 8, "de", 2) == 0,
	    "scattered");
	check(in.msg_flags == 0, "no flags");
	printf("pieces ok\n");

	check(send(one, "x", 1, 0) == -1 && errno == EDESTADDRREQ, "send without a peer");
	check(connect(one, &b.u.sa, b.len) == 0, "connect");
	check(send(one, "x", 1, 0) == 1, "send");
	check(sendto(one, "y", 1, 0, NULL, 0) == 1, "sendto without an address");
	check(write(one, "z", 1) == 1, "write");
	check(recvfrom(two, buf, sizeof buf, 0, NULL, NULL) == 1 && *buf == 'x',
	    "recvfrom without an address");
	check(read(two, buf, sizeof buf) == 1 && *buf == 'y', "read");
	check(recv(two, buf, sizeof buf, 0) == 1 && *buf == 'z', "recv");
	printf("connected ok\n");

	/* A connected socket receives datagrams from its peer only. */
	int three = open_bound(&at, SOCK_DGRAM);
	check(sendto(three, "no", 2, 0, &a.u.sa, a.len) == 2, "sendto from a stranger");
	check(sendto(two, "yes", 3, 0, &a.u.sa, a.len) == 3, "sendto from the peer");
	check(
	    recv(one, buf, sizeof buf, 0) == 3 && memcmp(buf, "yes", 3) == 0, "only the peer is heard");
	printf("peer ok\n");

	static char big[70000];
	check(sendto(two, big, sizeof big, 0, &a.u.sa, a.len) == -1 && errno == EMSGSIZE, "too big");
	printf("too big ok\n");

	if (exchange)
		return 0;

	/* The port of a closed socket refuses (ECONNREFUSED). */
	struct address gone = local_address(three);
	close(three);
	check(connect(one, &gone.u.sa, gone.len) == 0, "connect anew");
	check(send(one, "?", 1, 0) == 1, "send to nobody");
	check(recv(one, buf, sizeof buf, 0) == -1 && errno == ECONNREFUSED, "refusal");
	printf("refused ok\n");
	return 0;
}
