/* Prints a line and computes without end. */
#include "guest.h"

u32 run(void) {
	print("spinning\n");
	for (volatile u32 i = 0;; i++)
		;
}
