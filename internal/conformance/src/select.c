/* select and pselect, and the sets that they work on. */
#include "transcript.h"

static void print_set(const char *what, const fd_set *set, const int fds[2])
{
	printf("%s:%s%s\n", what, FD_ISSET(fds[0], set) ? " first" : "",
	    FD_ISSET(fds[1], set) ? " second" : "");
}

static void both(fd_set *set, const int fds[2])
{
	FD_ZERO(set);
	FD_SET(fds[0], set);
	FD_SET(fds[1], set);
	FD_SET(fds[1], set);
}

static void transcript(void)
{
	struct timeval now = {0, 0}, patience = {10, 0}, negative = {-1, 0}, more = {0, 2000000};
	struct timespec soon = {0, 1000000}, wrong = {0, -1};
	fd_set reads, writes, excepts, copy;
	int fds[2], limit;
	char byte;

	pair(fds);
	limit = (fds[0] > fds[1] ? fds[0] : fds[1]) + 1;
	both(&reads, fds);
	copy = reads;
	FD_CLR(fds[0], &copy);
	print_set("cleared", &copy, fds);
	FD_CLR(fds[0], &copy);
	TRY(select(limit, &reads, NULL, NULL, &now));
	print_set("nothing to read", &reads, fds);
	both(&writes, fds);
	both(&excepts, fds);
	TRY(select(limit, NULL, &writes, &excepts, NULL));
	print_set("writable", &writes, fds);
	print_set("exceptional", &excepts, fds);
	MUST(send(fds[0], "x", 1, 0));
	both(&reads, fds);
	TRY(select(limit, &reads, NULL, NULL, &patience));
	print_set("readable", &reads, fds);
	both(&reads, fds);
	both(&writes, fds);
	TRY(select(limit, &reads, &writes, NULL, &patience));
	print_set("readable", &reads, fds);
	print_set("writable", &writes, fds);
	both(&reads, fds);
	TRY(select(fds[1], &reads, NULL, NULL, &now));
	MUST(recv(fds[1], &byte, 1, 0));
	both(&reads, fds);
	TRY(pselect(limit, &reads, NULL, NULL, &soon, NULL));
	TRY(shutdown(fds[0], SHUT_WR));
	both(&reads, fds);
	TRY(select(limit, &reads, NULL, NULL, &patience));
	print_set("at the end", &reads, fds);

	TRY(select(limit, &reads, NULL, NULL, &negative));
	both(&writes, fds);
	TRY(select(limit, NULL, &writes, NULL, &more));
	TRY(pselect(limit, &reads, NULL, NULL, &wrong, NULL));
	TRY(select(-1, &reads, NULL, NULL, &now));
	TRY(select(0, NULL, NULL, NULL, &now));
	now.tv_usec = 1000;
	TRY(select(0, NULL, NULL, NULL, &now));
	both(&reads, fds);
	close(fds[0]);
	TRY(select(limit, &reads, NULL, NULL, &patience));
	close(fds[1]);
}
