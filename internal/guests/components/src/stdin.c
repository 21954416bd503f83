/* Copies its input to its output, and then prints the number of bytes. */
#include "guest.h"

u32 run(void) {
	handle in = get_stdin();
	u64 total = 0;

	for (;;) {
		u8 *mark = heap_mark();
		struct read_result r;
		input_blocking_read(in, 65536, &r);
		if (r.failed && r.error.closed)
			break;
		if (r.failed)
			return 1;
		print_list(r.ok);
		total += r.ok.len;
		heap_reset(mark);
	}
	print("\n");
	print_number(total);
	print(" bytes\n");
	return 0;
}
