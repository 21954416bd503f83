/* Arguments out of range or of the wrong kind, and their errors. */
#include "transcript.h"

static void sockets(void)
{
	TRY(socket(-1, SOCK_STREAM, 0));
	TRY(socket(12345, SOCK_STREAM, 0));
	TRY(socket(family, 0, 0));
	TRY(socket(family, 99, 0));
	TRY(socket(family, -1, 0));
	TRY(socket(family, SOCK_STREAM, IPPROTO_UDP));
	TRY(socket(family, SOCK_DGRAM, IPPROTO_TCP));
	TRY(socket(family, SOCK_STREAM, 250));
	TRY(socket(family, SOCK_STREAM, -1));
	TRY(socket(family, SOCK_SEQPACKET, 0));
	int tcp = (int)TRY(socket(family, SOCK_STREAM, IPPROTO_TCP));
	int udp = (int)TRY(socket(family, SOCK_DGRAM | SOCK_CLOEXEC, IPPROTO_UDP));
	TRY(close(tcp));
	TRY(socket(family, SOCK_STREAM, 0));
	TRY(close(tcp));
	TRY(close(udp));
}

static void descriptors(int fd)
{
	struct sockaddr_storage sa;
	socklen_t len = loopback(&sa, tcp_echo);
	struct iovec iov = {&sa, 1};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
	char byte = 0;

	printf("descriptor %d\n", fd);
	TRY(bind(fd, (struct sockaddr *)&sa, len));
	TRY(connect(fd, (struct sockaddr *)&sa, len));
	TRY(listen(fd, 1));
	TRY(accept(fd, NULL, NULL));
	TRY(send(fd, &byte, 1, 0));
	TRY(recv(fd, &byte, 1, 0));
	TRY(recv(fd, &byte, 1, MSG_DONTWAIT));
	TRY(send(fd, &byte, 1, MSG_DONTWAIT));
	TRY(sendto(fd, &byte, 1, 0, (struct sockaddr *)&sa, len));
	TRY(recvfrom(fd, &byte, 1, 0, (struct sockaddr *)&sa, &len));
	TRY(sendmsg(fd, &msg, 0));
	TRY(recvmsg(fd, &msg, 0));
	TRY(shutdown(fd, SHUT_WR));
	TRY(getsockname(fd, (struct sockaddr *)&sa, &len));
	TRY(getpeername(fd, (struct sockaddr *)&sa, &len));
	TRY(sockatmark(fd));
}

static void addresses(void)
{
	struct sockaddr_storage sa, other;
	struct sockaddr_in in = {.sin_family = AF_INET};
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};
	socklen_t len;
	int tcp = open_socket(SOCK_STREAM), udp = open_socket(SOCK_DGRAM);

	len = loopback(&sa, 0);
	TRY(bind(tcp, (struct sockaddr *)&sa, 0));
	TRY(bind(tcp, (struct sockaddr *)&sa, 1));
	TRY(bind(tcp, (struct sockaddr *)&sa, 15));
	TRY(connect(tcp, (struct sockaddr *)&sa, 0));
	TRY(connect(tcp, (struct sockaddr *)&sa, 7));
	TRY(connect(udp, (struct sockaddr *)&sa, 1));
	TRY(bind(udp, NULL, len));
	TRY(connect(tcp, NULL, len));
	other = sa;
	other.ss_family = 200;
	TRY(bind(tcp, (struct sockaddr *)&other, len));
	TRY(connect(tcp, (struct sockaddr *)&other, len));
	TRY(connect(udp, (struct sockaddr *)&other, len));

	/* An address that is not the machine's, and one that is never assigned. */
	inet_pton(AF_INET, "192.0.2.1", &in.sin_addr);
	inet_pton(AF_INET6, "2001:db8::1", &in6.sin6_addr);
	if (family == AF_INET)
		TRY(bind(tcp, (struct sockaddr *)&in, sizeof in));
	else
		TRY(bind(tcp, (struct sockaddr *)&in6, sizeof in6));

	/* Of the other family. */
	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	in.sin_port = htons(tcp_echo);
	in6.sin6_addr = in6addr_loopback;
	in6.sin6_port = htons(tcp_echo);
	if (family == AF_INET) {
		TRY(connect(tcp, (struct sockaddr *)&in6, sizeof in6));
		TRY(bind(tcp, (struct sockaddr *)&in6, sizeof in6));
		TRY(connect(udp, (struct sockaddr *)&in6, sizeof in6));
		TRY(sendto(udp, "x", 1, 0, (struct sockaddr *)&in6, sizeof in6));
	} else {
		TRY(connect(tcp, (struct sockaddr *)&in, sizeof in));
		TRY(bind(tcp, (struct sockaddr *)&in, sizeof in));
		TRY(sendto(udp, "x", 1, 0, (struct sockaddr *)&in, sizeof in));
	}
	/* A length longer than the address is accepted. */
	len = loopback(&sa, 0);
	TRY(bind(tcp, (struct sockaddr *)&sa, sizeof sa));
	TRY(bind(tcp, (struct sockaddr *)&sa, len));
	TRY(bind(udp, (struct sockaddr *)&sa, len));
	TRY(listen(tcp, -1));
	TRY(listen(tcp, 0));
	TRY(listen(tcp, INT32_MAX));
	TRY(connect(tcp, (struct sockaddr *)&sa, len));
	TRY(accept4(tcp, NULL, NULL, 0x7));
	close(tcp);
	close(udp);
}

static void mapped(void)
{
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons(tcp_echo)};
	struct sockaddr_storage sa;
	socklen_t len = sizeof sa;
	int fd, one = 1;

	if (family != AF_INET6)
		return;
	inet_pton(AF_INET6, "::ffff:127.0.0.1", &in6.sin6_addr);
	fd = open_socket(SOCK_STREAM);
	TRY(bind(fd,
	    (struct sockaddr *)&(struct sockaddr_in6){
	        .sin6_family = AF_INET6, .sin6_addr = in6.sin6_addr},
	    sizeof in6));
	TRY(getsockname(fd, (struct sockaddr *)&sa, &len));
	print_addr("own", &sa, len);
	close(fd);
	fd = open_socket(SOCK_STREAM);
	MUST(setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof one));
	TRY(connect(fd, (struct sockaddr *)&in6, sizeof in6));
	close(fd);
}

static void flags(void)
{
	char byte;
	int fds[2];

	pair(fds);
	printf("flags %d\n", fcntl(fds[0], F_GETFL) & O_NONBLOCK);
	TRY(fcntl(fds[0], F_SETFL, O_NONBLOCK));
	printf("%s\n", fcntl(fds[0], F_GETFL) & O_NONBLOCK ? "non-blocking" : "blocking");
	TRY(recv(fds[0], &byte, 1, 0));
	TRY(read(fds[0], &byte, 1));
	TRY(fcntl(fds[0], F_SETFL, 0));
	printf("%s\n", fcntl(fds[0], F_GETFL) & O_NONBLOCK ? "non-blocking" : "blocking");
	TRY(fcntl(fds[0], F_GETFD) >= 0);
	TRY(fcntl(fds[0], F_SETFD, FD_CLOEXEC));
	TRY(lseek(fds[0], 0, SEEK_CUR));
	TRY(fcntl(999, F_GETFL));
	TRY(close(-1));
	TRY(close(999));
	close(fds[0]);
	close(fds[1]);
}

static void controls(void)
{
	int fds[2], on = 1, off = 0, n = 99, udp;
	struct sockaddr_storage sa;
	socklen_t len;
	char buf[16];

	pair(fds);
	TRY(ioctl(fds[0], FIONBIO, &on));
	printf("%s\n", fcntl(fds[0], F_GETFL) & O_NONBLOCK ? "non-blocking" : "blocking");
	TRY(ioctl(fds[0], FIONBIO, &off));
	printf("%s\n", fcntl(fds[0], F_GETFL) & O_NONBLOCK ? "non-blocking" : "blocking");
	TRY(ioctl(fds[0], FIONREAD, &n));
	printf("%d bytes\n", n);
	MUST(send(fds[1], "12345", 5, 0));
	await(fds[0], POLLIN);
	TRY(ioctl(fds[0], FIONREAD, &n));
	printf("%d bytes\n", n);
	MUST(recv(fds[0], buf, 3, 0));
	TRY(ioctl(fds[0], FIONREAD, &n));
	printf("%d bytes\n", n);
	TRY(sockatmark(fds[0]));
	TRY(ioctl(fds[0], 0x7777, &n));
	TRY(ioctl(999, FIONREAD, &n));
	udp = bound(SOCK_DGRAM, &sa, &len);
	MUST(sendto(udp, "123", 3, 0, (struct sockaddr *)&sa, len));
	MUST(sendto(udp, "12345", 5, 0, (struct sockaddr *)&sa, len));
	await(udp, POLLIN);
	TRY(ioctl(udp, FIONREAD, &n));
	printf("%d bytes\n", n);
	close(udp);
	close(fds[0]);
	close(fds[1]);
}

static void transcript(void)
{
	sockets();
	descriptors(1);
	descriptors(999);
	descriptors(-1);
	addresses();
	mapped();
	flags();
	controls();
}
