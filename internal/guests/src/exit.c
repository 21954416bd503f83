/* exit STATUS: ends with it. */
#include "guest.h"

int main(int argc, char **argv)
{
	if (argc != 2)
		usage("exit STATUS");
	printf("exiting\n");
	exit(atoi(argv[1]));
}
