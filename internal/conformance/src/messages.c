/* sendmsg, recvmsg and their many-message kin: names, pieces, truncation, flags. */
#include "transcript.h"

static struct sockaddr_storage name;

static struct msghdr message(struct iovec *iov, size_t count)
{
	struct msghdr msg;

	memset(&msg, 0, sizeof msg);
	msg.msg_iov = iov;
	msg.msg_iovlen = count;
	msg.msg_flags = 0x7f;
	return msg;
}

static void received(const struct msghdr *msg)
{
	printf("flags%s%s%s, control %d\n", msg->msg_flags == 0 ? " none" : "",
	    msg->msg_flags & MSG_TRUNC ? " TRUNC" : "", msg->msg_flags & ~MSG_TRUNC ? " others" : "",
	    (int)msg->msg_controllen);
}

static void datagrams(void)
{
	struct sockaddr_storage sa;
	socklen_t len;
	char a[4] = "", b[8] = "", room[64];
	struct iovec out[2] = {{"abc", 3}, {"defg", 4}}, in[2] = {{a, 3}, {b, 7}};
	struct msghdr msg = message(out, 2);
	int fd = bound(SOCK_DGRAM, &sa, &len);

	TRY(sendmsg(fd, &msg, 0));
	msg.msg_name = &sa;
	msg.msg_namelen = len;
	TRY(sendmsg(fd, &msg, 0));
	msg = message(in, 2);
	msg.msg_name = &name;
	msg.msg_namelen = sizeof name;
	msg.msg_control = room;
	msg.msg_controllen = sizeof room;
	TRY(recvmsg(fd, &msg, 0));
	received(&msg);
	print_addr("from", &name, msg.msg_namelen);
	printf("%s %s\n", a, b);

	for (int i = 0; i < 3; i++) {
		msg = message(out, 2);
		msg.msg_name = &sa;
		msg.msg_namelen = len;
		MUST(sendmsg(fd, &msg, MSG_DONTWAIT));
	}
	msg = message(in, 1);
	TRY(recvmsg(fd, &msg, MSG_PEEK));
	received(&msg);
	msg = message(in, 1);
	TRY(recvmsg(fd, &msg, MSG_TRUNC));
	received(&msg);
	msg = message(in, 1);
	msg.msg_name = &name;
	msg.msg_namelen = 2;
	TRY(recvmsg(fd, &msg, MSG_DONTWAIT));
	received(&msg);
	printf("the name's length is %s\n", msg.msg_namelen > 2 ? "told" : "cut");
	msg = message(NULL, 0);
	TRY(recvmsg(fd, &msg, MSG_DONTWAIT));
	received(&msg);
	msg = message(in, 1);
	TRY(recvmsg(fd, &msg, MSG_DONTWAIT));

	/* A list without entries sends an empty datagram. */
	msg = message(NULL, 0);
	msg.msg_name = &sa;
	msg.msg_namelen = len;
	TRY(sendmsg(fd, &msg, 0));
	msg = message(in, 1);
	TRY(recvmsg(fd, &msg, 0));
	received(&msg);
	TRY(sendmsg(fd, NULL, 0));
	TRY(recvmsg(fd, NULL, MSG_DONTWAIT));
	close(fd);
}

static void streams(void)
{
	char a[4] = "", b[8] = "";
	struct iovec out[2] = {{"abc", 3}, {"defg", 4}}, in[2] = {{a, 3}, {b, 7}}, many[1025];
	struct msghdr msg = message(out, 2);
	int fds[2];

	pair(fds);
	TRY(sendmsg(fds[0], &msg, MSG_NOSIGNAL));
	await(fds[1], POLLIN);
	msg = message(in, 2);
	TRY(recvmsg(fds[1], &msg, 0));
	received(&msg);
	printf("%s %s\n", a, b);
	msg = message(in, 2);
	TRY(recvmsg(fds[1], &msg, MSG_DONTWAIT));
	TRY(recvmsg(fds[0], &msg, MSG_DONTWAIT | MSG_WAITALL));

	for (int i = 0; i < 1025; i++)
		many[i] = (struct iovec){"x", 1};
	msg = message(many, 1024);
	TRY(sendmsg(fds[0], &msg, 0));
	msg = message(many, 1025);
	TRY(sendmsg(fds[0], &msg, 0));
	TRY(writev(fds[0], many, 1025));
	TRY(writev(fds[0], many, 1024));
	TRY(writev(fds[0], many, 0));
	TRY(writev(fds[0], many, -1));
	TRY(close(fds[0]));
	await(fds[1], POLLIN);
	for (long n = 0;;) {
		static char sink[4096];
		ssize_t got = MUST(recv(fds[1], sink, sizeof sink, 0));
		n += got;
		if (got == 0) {
			printf("%ld bytes\n", n);
			break;
		}
	}
	msg = message(in, 2);
	TRY(recvmsg(fds[1], &msg, 0));
	received(&msg);
	close(fds[1]);
}

static void many(void)
{
	struct sockaddr_storage sa;
	socklen_t len;
	char text[3][8] = {"a", "bb", "ccc"}, buf[4][8];
	struct iovec out[3], in[4];
	struct mmsghdr list[4];
	int fd = bound(SOCK_DGRAM, &sa, &len);

	memset(list, 0, sizeof list);
	memset(buf, 0, sizeof buf);
	for (int i = 0; i < 3; i++) {
		out[i] = (struct iovec){text[i], strlen(text[i])};
		list[i].msg_hdr = message(&out[i], 1);
		list[i].msg_hdr.msg_name = &sa;
		list[i].msg_hdr.msg_namelen = len;
	}
	TRY(sendmmsg(fd, list, 3, 0));
	printf("lengths %u %u %u\n", list[0].msg_len, list[1].msg_len, list[2].msg_len);
	for (int i = 0; i < 4; i++) {
		in[i] = (struct iovec){buf[i], 2};
		list[i].msg_hdr = message(&in[i], 1);
		list[i].msg_len = 99;
	}
	TRY(recvmmsg(fd, list, 4, MSG_DONTWAIT, NULL));
	for (int i = 0; i < 4; i++)
		printf("%u %s\n", list[i].msg_len, buf[i]);
	received(&list[1].msg_hdr);
	received(&list[2].msg_hdr);
	TRY(recvmmsg(fd, list, 4, MSG_DONTWAIT, NULL));
	MUST(sendto(fd, "d", 1, 0, (struct sockaddr *)&sa, len));
	TRY(recvmmsg(fd, list, 4, MSG_WAITFORONE, NULL));
	TRY(recvmmsg(fd, list, 0, 0, NULL));
	TRY(sendmmsg(fd, list, 0, 0));

	/* The result counts the messages before the first failure. */
	for (int i = 0; i < 2; i++)
		list[i].msg_hdr = message(&out[i], 1);
	list[0].msg_hdr.msg_name = &sa;
	list[0].msg_hdr.msg_namelen = len;
	TRY(sendmmsg(fd, list, 2, 0));
	TRY(sendmmsg(fd, list + 1, 1, 0));
	close(fd);
}

/* Macros for control messages (cmsg(3)). */
static void control(void)
{
	char room[CMSG_SPACE(sizeof(int)) + CMSG_SPACE(1)];
	struct msghdr msg = {.msg_control = room, .msg_controllen = sizeof room};
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
	int count = 0;

	memset(room, 0, sizeof room);
	c->cmsg_len = CMSG_LEN(sizeof(int));
	c = CMSG_NXTHDR(&msg, c);
	c->cmsg_len = CMSG_LEN(1);
	*CMSG_DATA(c) = 42;
	for (c = CMSG_FIRSTHDR(&msg); c != NULL; c = CMSG_NXTHDR(&msg, c))
		count++;
	printf("%d control messages\n", count);
	msg.msg_controllen = 1;
	printf("%s\n", CMSG_FIRSTHDR(&msg) == NULL ? "none" : "some");
}

static void transcript(void)
{
	datagrams();
	streams();
	many();
	control();
}
