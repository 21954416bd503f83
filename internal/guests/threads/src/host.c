/* host: passes a string from each of two threads to env.hear, a function of the embedder, which has
 * the module name of the imported memory. Prints "heard N", the sum of the results. */
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
