/* spin: says "spinning" and loops for ever without a call. */
#include "guest.h"

int main(void)
{
	volatile unsigned int n = 0;
	set_line_buffering();
	printf("spinning\n");
	for (;;)
		n++;
}
