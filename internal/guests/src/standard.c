/* standard [MILLISECONDS]: prints the types of its standard streams, and then what it reads from
 * stdin. It waits for that in poll, and says when its time-out is over. The lines go to stdout and
 * to stderr. */
#include "guest.h"
#include <poll.h>
#include <stdarg.h>
#include <sys/stat.h>

static void say(const char *format, ...)
{
	char line[256];
	va_list args;

	va_start(args, format);
	int n = vsnprintf(line, sizeof line, format, args);
	va_end(args);
	for (int fd = 1; fd <= 2; fd++)
		if (write(fd, line, n) != n)
			exit(10 + fd);
}

int main(int argc, char **argv)
{
	struct stat st;
	struct pollfd p = {.fd = 0, .events = POLLIN};
	char byte[64];

	for (int fd = 0; fd <= 2; fd++) {
		if (fstat(fd, &st) != 0)
			fail("fstat");
		say("%d %s%s\n", fd,
		    S_ISREG(st.st_mode) ? "file" : S_ISCHR(st.st_mode) ? "device" : "other",
		    isatty(fd) ? " terminal" : "");
	}
	for (;;) {
		int ready = poll(&p, 1, argc > 1 ? atoi(argv[1]) : -1);
		if (ready == 0) {
			say("waits\n");
			continue;
		}
		if (ready != 1 || (p.revents & (POLLIN | POLLHUP)) == 0)
			fail("poll");
		ssize_t n = read(0, byte, sizeof byte);
		if (n < 0)
			fail("read");
		if (n == 0)
			break;
		say("in %.*s\n", (int)strcspn(byte, "\n"), byte);
	}
	say("end\n");
	return 0;
}
