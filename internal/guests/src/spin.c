/* spin: says "spinning" and loops for ever without a call. */
#include "guest.h"

int main(void)
{
	volatile unsigned int n = 0;
	speak_by_lines();
	printf("spinning\n");
	for (;;)
		n++;
}
