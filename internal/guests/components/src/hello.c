/* Prints a line. */
#include "guest.h"

u32 run(void) {
	print("hello from a component\n");
	return 0;
}
