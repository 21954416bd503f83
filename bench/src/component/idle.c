/* The twin of ../idle.c for WASI 0.2: waits for a connection that does not come. */
#include "bench.h"

u32 run(void) {
	accept_one();
	return 1;
}
