/*
 * sequence STEP...: runs steps with sockets, and prints each with the name of its errno or with its
 * result. N numbers the sockets in the order in which they were opened, had or accepted, from 0 on.
 *
 *	open tcp|udp 4|6      have FD (that was handed over)    accept N    close N
 *	bind N ADDR PORT      connect N ADDR PORT               listen N    shutdown N
 *	send N TEXT           sendto N ADDR PORT TEXT           recv N      local N      peer N
 *	reuse N 0|1           v6only N 0|1
 *	wait N MILLISECONDS (at most, until it is readable)
 *	from N ADDR|INDEX (chooses the interface of multicast)
 */
#include "guest.h"

static int fds[64], count;

static int remember(int fd)
{
	check(count < 64, "too many sockets");
	fds[count++] = fd;
	return fd < 0 ? -1 : 0;
}

static int set(int fd, int level, int name, int value)
{
	return setsockopt(fd, level, name, &value, sizeof value);
}

static int limit(int fd, int milliseconds)
{
	struct timeval most = {.tv_sec = milliseconds / 1000, .tv_usec = milliseconds % 1000 * 1000};

	return setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &most, sizeof most);
}

static int choose(int fd, const char *interface)
{
	struct in_addr in;

	if (inet_pton(AF_INET, interface, &in) == 1)
		return setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &in, sizeof in);
	return set(fd, IPPROTO_IPV6, IPV6_MULTICAST_IF, atoi(interface));
}

/* Runs a step, given by its words, and returns its errno. A further result is written to said. */
static int step(char **word, int words, char *said)
{
	const char *what = word[0];
	int fd = words > 1 ? fds[atoi(word[1]) % 64] : -1;
	struct address at = {.len = sizeof at.u};
	char text[256];
	ssize_t n;
	int err;

	if (strcmp(what, "open") == 0)
		return remember(socket(word[2][0] == '6' ? AF_INET6 : AF_INET,
		    word[1][0] == 't' ? SOCK_STREAM : SOCK_DGRAM, 0));
	if (strcmp(what, "have") == 0)
		return remember(atoi(word[1]));
	if (strcmp(what, "close") == 0)
		return close(fd);
	if (strcmp(what, "listen") == 0)
		return listen(fd, 8);
	if (strcmp(what, "shutdown") == 0)
		return shutdown(fd, SHUT_RDWR);
	if (strcmp(what, "send") == 0)
		return (int)send(fd, word[2], strlen(word[2]), 0);
	if (strcmp(what, "reuse") == 0)
		return set(fd, SOL_SOCKET, SO_REUSEADDR, atoi(word[2]));
	if (strcmp(what, "v6only") == 0)
		return set(fd, IPPROTO_IPV6, IPV6_V6ONLY, atoi(word[2]));
	if (strcmp(what, "wait") == 0)
		return limit(fd, atoi(word[2]));
	if (strcmp(what, "from") == 0)
		return choose(fd, word[2]);
	if (words >= 4) {
		struct address to = parse_address(word[2], word[3]);
		if (strcmp(what, "bind") == 0)
			return bind(fd, &to.u.sa, to.len);
		if (strcmp(what, "connect") == 0)
			return connect(fd, &to.u.sa, to.len);
		if (strcmp(what, "sendto") == 0 && words == 5)
			return (int)sendto(fd, word[4], strlen(word[4]), 0, &to.u.sa, to.len);
	}
	if (strcmp(what, "recv") == 0) {
		n = recv(fd, text, sizeof text - 1, 0);
		if (n >= 0)
			sprintf(said, "%.*s", (int)n, text);
		return (int)n;
	}
	if (strcmp(what, "accept") == 0)
		err = remember(accept(fd, &at.u.sa, &at.len));
	else if (strcmp(what, "local") == 0)
		err = getsockname(fd, &at.u.sa, &at.len);
	else if (strcmp(what, "peer") == 0)
		err = getpeername(fd, &at.u.sa, &at.len);
	else
		usage("sequence STEP...");
	if (err == 0)
		strcpy(said, format_address(&at));
	return err;
}

int main(int argc, char **argv)
{
	set_line_buffering();
	for (int i = 1; i < argc; i++) {
		char copy[256], said[256] = "", *word[6];
		int words = 0;

		check(strlen(argv[i]) < sizeof copy, "a step is too long");
		strcpy(copy, argv[i]);
		for (char *w = strtok(copy, " "); w != NULL && words < 6; w = strtok(NULL, " "))
			word[words++] = w;
		check(words > 1, "a step has two words at least");
		errno = 0;
		int failed = step(word, words, said) < 0;
		printf("%s: %s\n", argv[i], failed ? errno_name(errno) : said[0] != '\0' ? said : "OK");
	}
	return 0;
}
