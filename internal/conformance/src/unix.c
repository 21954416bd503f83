/* unix: streams between sockets with paths. */
#include "transcript.h"

#include <stddef.h>
#include <sys/stat.h>
#include <sys/un.h>

static const char *dir;

/* The address of a name in the directory of this run. */
static socklen_t named(struct sockaddr_un *sa, const char *name)
{
	memset(sa, 0, sizeof *sa);
	sa->sun_family = AF_UNIX;
	snprintf(sa->sun_path, sizeof sa->sun_path, "%s/%s", dir, name);
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(sa->sun_path) + 1);
}

static long connect_named(int fd, const char *name)
{
	struct sockaddr_un sa;
	socklen_t len = named(&sa, name);
	return connect(fd, (struct sockaddr *)&sa, len);
}

static long bind_named(int fd, const char *name)
{
	struct sockaddr_un sa;
	socklen_t len = named(&sa, name);
	return bind(fd, (struct sockaddr *)&sa, len);
}

static long send_named(int fd, const char *name)
{
	struct sockaddr_un sa;
	socklen_t len = named(&sa, name);
	return sendto(fd, "a", 1, MSG_NOSIGNAL, (struct sockaddr *)&sa, len);
}

static int stream(void)
{
	return (int)MUST(socket(AF_UNIX, SOCK_STREAM, 0));
}

static void print_name(const char *what, const struct sockaddr_un *sa, socklen_t len)
{
	const char *path = len > 2 ? sa->sun_path : "";
	bool inside = strncmp(path, dir, strlen(dir)) == 0;

	printf("%s: %s \"%s\", %d long\n", what, sa->sun_family == AF_UNIX ? "AF_UNIX" : "other",
	    inside ? path + strlen(dir) : path, (int)len - (inside ? (int)strlen(dir) : 0));
}

static void print_names(const char *what, int fd)
{
	struct sockaddr_un sa;
	socklen_t len = sizeof sa;

	printf("%s\n", what);
	if (TRY(getsockname(fd, (struct sockaddr *)&sa, &len)) == 0)
		print_name("local", &sa, len);
	len = sizeof sa;
	if (TRY(getpeername(fd, (struct sockaddr *)&sa, &len)) == 0)
		print_name("peer", &sa, len);
	len = 4;
	memset(&sa, 'x', sizeof sa);
	TRY(getsockname(fd, (struct sockaddr *)&sa, &len));
	printf("in 4 bytes: %.2s\n", sa.sun_path);
}

static void ask(const char *what, int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN | POLLOUT};

	MUST(poll(&p, 1, 0));
	printf("%s:%s%s%s%s\n", what, p.revents & POLLIN ? " IN" : "",
	    p.revents & POLLOUT ? " OUT" : "", p.revents & POLLERR ? " ERR" : "",
	    p.revents & POLLHUP ? " HUP" : "");
}

static void connections(void)
{
	struct sockaddr_un sa;
	socklen_t len = sizeof sa;
	struct stat st;
	char path[200];
	int l = stream(), c = stream(), s, n = -1;
	char b[16];
	struct iovec parts[] = {{"ab", 2}, {"c", 1}};
	struct msghdr m = {.msg_iov = parts, .msg_iovlen = 2};

	print_names("unbound", l);
	TRY(listen(l, 1));
	TRY(accept(l, NULL, NULL));
	TRY(recv(l, b, 1, 0));
	TRY(bind_named(l, "server"));
	TRY(bind_named(l, "another"));
	snprintf(path, sizeof path, "%s/server", dir);
	MUST(stat(path, &st));
	printf("a socket: %d\n", S_ISSOCK(st.st_mode) != 0);
	print_names("bound", l);
	TRY(connect_named(c, "server"));
	TRY(listen(l, 5));
	printf("accepts: %d\n", option(l, SOL_SOCKET, SO_ACCEPTCONN));
	TRY(connect_named(l, "server"));
	TRY(send_named(l, "server"));
	ask("no connection", l);
	TRY(connect_named(c, "server"));
	TRY(connect_named(c, "server"));
	ask("a connection", l);
	s = (int)accept(l, (struct sockaddr *)&sa, &len);
	printf("accepted: %d\n", s >= 0);
	print_name("from", &sa, len);
	print_names("client", c);
	print_names("server", s);
	printf("domain: %d\n", option(s, SOL_SOCKET, SO_DOMAIN) == AF_UNIX);
	printf("type: %d\n", option(s, SOL_SOCKET, SO_TYPE) == SOCK_STREAM);
	printf("protocol: %d\n", option(s, SOL_SOCKET, SO_PROTOCOL));
	printf("error: %d\n", option(c, SOL_SOCKET, SO_ERROR));

	ask("idle", c);
	TRY(send_named(c, "server"));
	TRY(sendmsg(c, &m, 0));
	TRY(send(c, "def", 3, 0));
	await(s, POLLIN);
	MUST(ioctl(s, FIONREAD, &n));
	printf("readable: %d\n", n);
	ask("data", s);
	TRY(recv(s, b, 2, MSG_PEEK));
	TRY(recv(s, b, 6, MSG_WAITALL));
	printf("got %.6s\n", b);
	TRY(recv(s, b, 1, MSG_DONTWAIT));
	set_nonblocking(s);
	TRY(read(s, b, 1));
	TRY(send(s, "back", 4, 0));
	len = sizeof sa;
	TRY(recvfrom(c, b, sizeof b, 0, NULL, NULL));
	TRY(shutdown(c, SHUT_WR));
	ask("after the end", s);
	TRY(recv(s, b, sizeof b, 0));
	TRY(send(c, "a", 1, MSG_NOSIGNAL));
	MUST(close(s));
	TRY(send(c, "a", 1, MSG_NOSIGNAL));
	TRY(recv(c, b, sizeof b, 0));
	ask("both ended", c);
	MUST(close(c));

	c = stream();
	TRY(shutdown(l, SHUT_RD));
	TRY(accept(l, NULL, NULL));
	TRY(connect_named(c, "server"));
	MUST(close(l));
	MUST(close(c));
}

/* A socket file without a socket, and files that are no sockets. */
static void files(void)
{
	char path[200];
	int s = stream(), c = stream();
	struct sockaddr_un sa;
	socklen_t len;

	TRY(connect_named(c, "server"));
	TRY(bind_named(s, "server"));
	snprintf(path, sizeof path, "%s/server", dir);
	TRY(unlink(path));
	TRY(connect_named(c, "server"));
	TRY(bind_named(s, "server"));
	TRY(listen(s, 5));
	TRY(connect_named(c, "server"));
	MUST(close(c));
	MUST(close(s));
	MUST(unlink(path));

	c = stream();
	snprintf(path, sizeof path, "%s/file", dir);
	MUST(close((int)MUST(open(path, O_CREAT | O_WRONLY, 0600))));
	TRY(connect_named(c, "file"));
	TRY(connect_named(c, "file/x"));
	TRY(connect_named(c, "missing/x"));
	TRY(connect_named(c, "."));
	TRY(bind_named(c, "file"));
	TRY(bind_named(c, "missing/x"));
	TRY(bind_named(c, "file/x"));
	MUST(unlink(path));

	len = named(&sa, "x");
	TRY(connect(c, (struct sockaddr *)&sa, 2));
	TRY(connect(c, (struct sockaddr *)&sa, 1));
	TRY(connect(c, (struct sockaddr *)&sa, len + 100));
	sa.sun_path[len - 2 - 3] = 'x'; /* the slash */
	TRY(connect(c, (struct sockaddr *)&sa, len));
	MUST(close(c));
}

/* Addresses of one family for sockets of another. */
static void families(void)
{
	struct sockaddr_storage in;
	int c = stream(), tcp = open_socket(SOCK_STREAM);
	socklen_t len = loopback(&in, refused);

	TRY(connect(c, (struct sockaddr *)&in, len));
	TRY(bind(c, (struct sockaddr *)&in, len));
	TRY(connect_named(tcp, "server"));
	TRY(bind_named(tcp, "server"));
	MUST(close(c));
	MUST(close(tcp));
	TRY(socket(AF_UNIX, SOCK_STREAM, 77));
	TRY(socket(AF_UNIX, SOCK_RAW + 100, 0));
}

/* More connections than the backlog holds. */
static void backlog(void)
{
	char path[200];
	int l = stream(), c[8], n = 0;
	struct timeval t = {.tv_usec = 20000};

	MUST(bind_named(l, "full"));
	MUST(listen(l, 2));
	for (; n < 8; n++) {
		c[n] = stream();
		set_nonblocking(c[n]);
		if (connect_named(c[n], "full") != 0)
			break;
	}
	printf("connections: %d, then %s\n", n, errno_name(errno));
	MUST(fcntl(c[n], F_SETFL, 0));
	MUST(setsockopt(c[n], SOL_SOCKET, SO_SNDTIMEO, &t, sizeof t));
	TRY(connect_named(c[n], "full"));
	MUST(close((int)MUST(accept(l, NULL, NULL))));
	TRY(connect_named(c[n], "full"));
	for (int i = 0; i <= n; i++)
		MUST(close(c[i]));
	MUST(close(l));
	snprintf(path, sizeof path, "%s/full", dir);
	MUST(unlink(path));
}

/* Paths that start from the directory of the process. */
static void relative(void)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX, .sun_path = "near"};
	int l = stream(), c = stream();

	MUST(chdir(dir));
	TRY(bind(l, (struct sockaddr *)&sa, sizeof sa));
	MUST(listen(l, 1));
	TRY(connect_named(c, "near"));
	MUST(close(c));
	c = stream();
	strcpy(sa.sun_path, "./x/../near");
	MUST(mkdir("x", 0700));
	TRY(connect(c, (struct sockaddr *)&sa, sizeof sa));
	MUST(rmdir("x"));
	MUST(unlink("near"));
	MUST(close(c));
	MUST(close(l));
}

static void transcript(void)
{
	static char made[] = "/tmp/unixXXXXXX";
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	if (fd < 0) {
		printf("no sockets: %s\n", errno_name(errno));
		return;
	}
	MUST(close(fd));
	dir = mkdtemp(made);
	MUST(dir == NULL ? -1 : 0);
	connections();
	files();
	families();
	backlog();
	relative();
	MUST(rmdir(dir));
}
