#include <stdio.h>
#include <stdlib.h>

static const int limits[] = {10, 100, 1000};

static int limit_of(int level)
{
	return limits[level];
}

int main(int argc, char **argv)
{
	printf("%d\n", limit_of(argc > 1 ? atoi(argv[1]) : 0));
	return 0;
}
