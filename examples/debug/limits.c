#include <stdio.h>
#include <stdlib.h>

struct limit {
	const char *name;
	int value;
};

static const struct limit limits[] = {{"low", 10}, {"high", 1000}};

static const struct limit *find(int level)
{
	return level < 2 ? &limits[level] : (struct limit *)-4;
}

static inline int scaled(const struct limit *l, int by)
{
	return l->value * by;
}

int main(int argc, char **argv)
{
	int level = argc > 1 ? atoi(argv[1]) : 0;

	printf("%d\n", scaled(find(level), 60));
	return 0;
}
