/*
 * Repeats one call of the host for ever: the argument names it. The directory that it is given has
 * a file called file, and a folder called many.
 */
#include "guest.h"
#include "sockets.h"

static u8 buffer[65536];
static handle directory, polls[1024];

static void use_environment(void) {
	struct list_pair all;
	get_environment(&all);
}
static void use_arguments(void) {
	struct list_list all;
	get_arguments(&all);
}
static void use_random(void) {
	struct list bytes;
	get_random_bytes(16, &bytes);
}
static void use_much_random(void) {
	struct list bytes;
	get_random_bytes(32 << 20, &bytes);
}
static void use_wall_clock(void) {
	struct datetime now;
	wall_now(&now);
}
static void use_timer(void) { pollable_drop(subscribe_duration(1000000000000ULL)); }
static void wait_for_timer(void) { wait_for(subscribe_duration(1000)); }
static void poll_many(void) {
	struct list_u32 ready;
	if (!polls[0])
		for (u32 i = 0; i < 1024; i++)
			polls[i] = subscribe_duration(i ? 1000000000000ULL : 0);
	poll(polls, 1024, &ready);
}
static void write_output(void) {
	struct write_result r;
	output_blocking_write_and_flush(out_stream, buffer, 4096, &r);
}
static void refuse_socket(void) {
	struct handle_result r;
	create_tcp_socket(IPV6 + IPV4, &r);
	if (!r.failed)
		tcp_drop(r.ok);
}
static void refuse_lookup(void) {
	struct handle_result r;
	handle network = instance_network();
	resolve_addresses(network, "denied.test", 11, &r);
	network_drop(network);
}
static void use_datagrams(void) {
	static handle udp, streams[2];
	static struct outgoing out[16];
	struct u64_result sent;
	if (!udp) {
		struct address to = {0};
		struct handle_result made;
		create_udp_socket(IPV4, &made);
		udp = made.ok;
		to.v4.address[0] = 127;
		to.v4.address[3] = 1;
		handle network = instance_network();
		struct code_result bound;
		udp_start_bind(udp, network, FLAT(&to), &bound);
		udp_finish_bind(udp, &bound);
		struct address_result self;
		udp_local_address(udp, &self);
		struct pair_result pair;
		udp_stream(udp, 0, FLAT(&to), &pair);
		streams[0] = pair.ok[0];
		streams[1] = pair.ok[1];
		for (u32 i = 0; i < 16; i++)
			out[i] = (struct outgoing){{buffer, 1000}, 1, self.ok};
	}
	outgoing_check_send(streams[1], &sent);
	outgoing_send(streams[1], out, sent.ok < 16 ? sent.ok : 16, &sent);
}
static void stat_file(void) {
	struct stat_result r;
	descriptor_stat_at(directory, 0, "file", 4, &r);
}
static void open_file(void) {
	struct handle_result r;
	descriptor_open_at(directory, 0, "file", 4, 0, D_READ, &r);
	if (!r.failed)
		descriptor_drop(r.ok);
}
static void open_nothing(void) {
	struct handle_result r;
	descriptor_open_at(directory, 0, "none", 4, 0, D_READ, &r);
}
static void read_file(void) {
	static struct handle_result file;
	struct bytes_result r;
	if (!file.ok)
		descriptor_open_at(directory, 0, "file", 4, 0, D_READ, &file);
	descriptor_read(file.ok, 1 << 30, 0, &r);
}
static void list_directory(void) {
	struct handle_result all;
	struct entry_result r;
	descriptor_read_directory(directory, &all);
	do
		read_directory_entry(all.ok, &r);
	while (!r.failed && r.ok.some);
	entry_stream_drop(all.ok);
}
static void hash_file(void) {
	struct hash_result r;
	descriptor_metadata_hash_at(directory, 0, "file", 4, &r);
}
static void list_preopens(void) {
	struct list_preopen all;
	get_directories(&all);
	descriptor_drop(all.data[0].descriptor);
}

static const struct { const char *name; void (*call)(void); } calls[] = {
	{"environment", use_environment}, {"arguments", use_arguments}, {"random", use_random},
	{"much random", use_much_random}, {"wall clock", use_wall_clock}, {"timer", use_timer},
	{"wait", wait_for_timer}, {"poll", poll_many}, {"output", write_output},
	{"refused socket", refuse_socket}, {"refused lookup", refuse_lookup},
	{"datagrams", use_datagrams}, {"stat", stat_file}, {"open", open_file},
	{"open nothing", open_nothing}, {"read", read_file}, {"list", list_directory},
	{"hash", hash_file}, {"preopens", list_preopens},
};

u32 run(void) {
	struct list_preopen all;
	get_directories(&all);
	directory = all.data[0].descriptor;
	out_stream = get_stdout();
	struct list name = argument(1);
	for (u32 i = 0; i < sizeof calls / sizeof *calls; i++) {
		if (!equal(name, calls[i].name))
			continue;
		for (;;) {
			u8 *mark = heap_mark();
			calls[i].call();
			heap_reset(mark);
		}
	}
	return 1;
}
