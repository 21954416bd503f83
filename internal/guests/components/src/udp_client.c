/* udp_client ADDR PORT TEXT: sends the text, and prints the datagram that comes back. */
#include "sockets.h"

u32 run(void) {
	struct address to = parse_address(argument(1), argument(2)), any = {0};
	any.family = to.family;
	handle socket = udp_bound(&any);
	struct pair_result streams = udp_associate(socket, &to);

	send_one(streams.ok[1], argument(3), 0);
	struct incoming got = receive_one(streams.ok[0]);
	print("received ");
	print_list(got.data);
	print(" from ");
	print_address(&got.from);
	print("\n");
	return 0;
}
