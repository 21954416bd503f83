/* print THREADS LINES: each thread prints LINES lines "thread N", from 0 on, in turns on stdout and
 * stderr. */
#include "guest.h"

static int lines;

static void print(void *n)
{
	char text[] = "thread 0\n";
	text[7] += (intptr_t)n;
	for (int i = 0; i < lines; i++) {
		size_t written;
		check(fd_write(1 + i % 2, &(struct vec){text, sizeof text - 1}, 1, &written));
	}
}

int program(int argc, char **argv)
{
	if (argc != 3)
		return 1;
	int n = number(argv[1]);
	lines = number(argv[2]);
	struct thread **threads = allocate(n * sizeof *threads);
	for (intptr_t i = 0; i < n; i++)
		threads[i] = thread_must_start(print, (void *)i);
	while (n)
		thread_join(threads[--n]);
	return 0;
}
