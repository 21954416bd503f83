#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>

static const char *name;
static int log_mask = LOG_UPTO(LOG_DEBUG);

void openlog(const char *ident, int options, int facility)
{
	(void)options, (void)facility;
	name = ident;
}

void closelog(void)
{
	name = NULL;
}

int setlogmask(int mask)
{
	int was = log_mask;

	if (mask != 0)
		log_mask = mask;
	return was;
}

void vsyslog(int priority, const char *format, va_list args)
{
	int err = errno; /* for %m */
	char line[1024], *out = line, *end = line + sizeof line;

	if (!(log_mask & LOG_MASK(LOG_PRI(priority))))
		return;
	/* wasi-libc's printf knows %m. The message is printed in one call, so that lines of threads do
	 * not mix. */
	if (name != NULL)
		out += snprintf(out, (size_t)(end - out), "%.100s: ", name);
	errno = err;
	vsnprintf(out, (size_t)(end - out), format, args);
	fprintf(stderr, "%s%s", line, line[0] != '\0' && line[strlen(line) - 1] == '\n' ? "" : "\n");
	errno = err;
}

void syslog(int priority, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsyslog(priority, format, args);
	va_end(args);
}
