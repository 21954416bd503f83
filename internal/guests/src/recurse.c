/* recurse: says "recursing" and calls itself until the stack ends. */
#include "guest.h"

/* Never 0, which the compiler cannot prove. */
static volatile unsigned int depth = 1;

static __attribute__((__noinline__)) unsigned int deeper(unsigned int n)
{
	if (depth == 0)
		return n;
	depth = n;
	return deeper(n + 1) + depth;
}

int main(void)
{
	set_line_buffering();
	printf("recursing\n");
	printf("%u\n", deeper(1));
	return 0;
}
