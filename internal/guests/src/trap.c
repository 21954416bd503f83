/* trap unreachable|null-call|signature|memory|divide|abort: ends by a trap of that kind. */
#include "guest.h"

static volatile int zero, one = 1;

static __attribute__((__noinline__)) int trap_here(const char *kind)
{
	if (strcmp(kind, "unreachable") == 0)
		__builtin_trap();
	if (strcmp(kind, "null-call") == 0) {
		void (*volatile nobody)(void) = NULL;
		nobody();
	}
	if (strcmp(kind, "signature") == 0) {
		double (*volatile wrong)(double) = (double (*)(double))(void *)trap_here;
		return (int)wrong(1);
	}
	if (strcmp(kind, "memory") == 0)
		return *(volatile int *)0xfffffff0;
	if (strcmp(kind, "divide") == 0)
		return one / zero;
	if (strcmp(kind, "abort") == 0)
		abort();
	usage("trap unreachable|null-call|signature|memory|divide|abort");
}

int main(int argc, char **argv)
{
	set_line_buffering();
	printf("trapping\n");
	return trap_here(argc > 1 ? argv[1] : "");
}
