/*
 * Writes to its output as long as that takes more at once, and returns without waiting or dropping
 * the stream. With an argument it calls exit instead of returning.
 */
#include "guest.h"

u32 run(void) {
	static u8 data[65536];
	handle out = get_stdout();
	struct count_result room;
	struct write_result w;

	memset(data, 'x', sizeof data);
	for (;;) {
		output_check_write(out, &room);
		if (room.failed)
			return 1;
		if (room.ok == 0)
			break;
		output_write(out, data, room.ok < sizeof data ? room.ok : sizeof data, &w);
		if (w.failed)
			return 1;
	}
	if (argument(1).len)
		exit_result(0);
	return 0;
}
