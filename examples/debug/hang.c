/* hang: counts the steps of a sequence until it reaches 1, by a mistake forever. */
#include <stdio.h>

static unsigned long step(unsigned long n)
{
	return n % 2 ? 3 * n + 1 : n / 2;
}

static unsigned compute(unsigned long n)
{
	unsigned steps = 0;
	for (; n != 0; steps++)
		n = step(n);
	return steps;
}

int main(void)
{
	printf("%u\n", compute(27));
	return 0;
}
