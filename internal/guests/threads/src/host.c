/* host: passes strings to env.hear, a function of the host that comes from the module that the
 * memory has come from too: one from each of two threads. Prints "heard N", the sum of what that
 * returned. */
#include "guest.h"

__attribute__((import_module("env"), import_name("hear"))) int hear(const char *, size_t);

static _Atomic int32_t sum;

static void tell(void *text)
{
	const char *s = text;
	size_t n = 0;
	while (s[n])
		n++;
	sum += hear(s, n);
}

int program(int argc, char **argv)
{
	(void)argc, (void)argv;
	tell("from the first");
	thread_join(thread_must_start(tell, "from another"));
	say("heard %d", sum);
	return 0;
}
