/* stdio [ARGUMENT...]: prints its arguments, its environment, and stdin until it ends; a last line
 * goes to stderr. */
#include "guest.h"

extern char **environ;

int main(int argc, char **argv)
{
	char line[4096];

	set_line_buffering();
	for (int i = 0; i < argc; i++)
		printf("arg %d %s\n", i, argv[i]);
	for (char **e = environ; e != NULL && *e != NULL; e++)
		printf("env %s\n", *e);
	while (fgets(line, sizeof line, stdin) != NULL)
		printf("in %s", line);
	fprintf(stderr, "done\n");
	return 0;
}
