/* idle: waits for a connection that does not come. */
#include "bench.h"

int main(void)
{
	accepted(listening());
	return 1;
}
