/* idle: waits for a connection that does not come. */
#include "bench.h"

int main(void)
{
	accept_one(open_listener());
	return 1;
}
