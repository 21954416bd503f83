/* stack LEVELS: recurses that deep, with 1 KiB of stack on each level. */
#include <stdio.h>
#include <stdlib.h>

static int deeper(int n)
{
	volatile char room[1024];

	for (unsigned i = 0; i < sizeof room; i++)
		room[i] = (char)n;
	return n <= 1 ? room[0] : deeper(n - 1) + room[0] - room[1];
}

int main(int argc, char **argv)
{
	int levels = argc > 1 ? atoi(argv[1]) : 1;

	deeper(levels);
	printf("%d levels\n", levels);
	return 0;
}
