/*
 * The functions and types of WASI 0.2 for guests without a C library, in flat form
 * (CanonicalABI.md, "Flattening"). A guest imports those functions alone that it calls.
 */
#pragma once

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef u32 handle;

#define EXPORT(name) __attribute__((export_name(name)))
#define IMPORT(interface, name) \
	__attribute__((import_module("wasi:" interface "@0.2.12"), import_name(name))) extern

/* Values in memory. A result begins with 0 for ok, and its payload follows. */
struct list { u8 *data; u32 len; };
struct list_u32 { u32 *data; u32 len; };
struct pair { struct list name, value; };

struct stream_error { u8 closed; handle error; };
struct read_result { u8 failed; union { struct list ok; struct stream_error error; }; };
struct count_result { u8 failed; union { u64 ok; struct stream_error error; }; };
struct write_result { u8 failed; struct stream_error error; };

struct code_result { u8 failed, code; };
struct u8_result { u8 failed; union { u8 ok, code; }; };
struct u32_result { u8 failed; union { u32 ok; u8 code; }; };
struct u64_result { u8 failed; union { u64 ok; u8 code; }; };
struct handle_result { u8 failed; union { handle ok; u8 code; }; };
struct pair_result { u8 failed; union { handle ok[2]; u8 code; }; };
struct triple_result { u8 failed; union { handle ok[3]; u8 code; }; };
struct option_code { u8 some, code; };
struct option_handle { u8 some; handle value; };

enum { IPV4, IPV6 };
struct address4 { u16 port; u8 address[4]; };
struct address6 { u16 port; u32 flow; u16 address[8]; u32 scope; };
struct address { u8 family; union { struct address4 v4; struct address6 v6; }; };
struct address_result { u8 failed; union { struct address ok; u8 code; }; };
struct incoming { struct list data; struct address from; };
struct outgoing { struct list data; u8 some; struct address to; };
struct list_incoming { struct incoming *data; u32 len; };
struct receive_result { u8 failed; union { struct list_incoming ok; u8 code; }; };
struct ip_address { u8 family; union { u8 v4[4]; u16 v6[8]; }; };
struct option_ip_address { u8 some; struct ip_address value; };
struct next_result { u8 failed; union { struct option_ip_address ok; u8 code; }; };

struct datetime { u64 seconds; u32 nanoseconds; };
struct option_datetime { u8 some; struct datetime value; };
struct stat { u8 type; u64 links, size; struct option_datetime accessed, modified, changed; };
struct stat_result { u8 failed; union { struct stat ok; u8 code; }; };
struct bytes_end { struct list data; u8 end; };
struct bytes_result { u8 failed; union { struct bytes_end ok; u8 code; }; };
struct string_result { u8 failed; union { struct list ok; u8 code; }; };
struct hash { u64 lower, upper; };
struct hash_result { u8 failed; union { struct hash ok; u8 code; }; };
struct entry { u8 type; struct list name; };
struct option_entry { u8 some; struct entry value; };
struct entry_result { u8 failed; union { struct option_entry ok; u8 code; }; };
struct preopen { handle descriptor; struct list name; };
struct list_preopen { struct preopen *data; u32 len; };
struct list_pair { struct pair *data; u32 len; };
struct list_list { struct list *data; u32 len; };
struct option_string { u8 some; struct list value; };

enum error_code {
	UNKNOWN, ACCESS_DENIED, NOT_SUPPORTED, INVALID_ARGUMENT, OUT_OF_MEMORY, TIMEOUT,
	CONCURRENCY_CONFLICT, NOT_IN_PROGRESS, WOULD_BLOCK, INVALID_STATE, NEW_SOCKET_LIMIT,
	ADDRESS_NOT_BINDABLE, ADDRESS_IN_USE, REMOTE_UNREACHABLE, CONNECTION_REFUSED, CONNECTION_RESET,
	CONNECTION_ABORTED, DATAGRAM_TOO_LARGE, NAME_UNRESOLVABLE, TEMPORARY_RESOLVER_FAILURE,
	PERMANENT_RESOLVER_FAILURE,
};
enum shutdown_type { RECEIVE, SEND, BOTH };
enum open_flags { O_CREATE = 1, O_DIRECTORY = 2, O_EXCLUSIVE = 4, O_TRUNCATE = 8 };
enum descriptor_flags { D_READ = 1, D_WRITE = 2, D_MUTATE = 32 };
enum { SYMLINK_FOLLOW = 1 };

IMPORT("io/error", "[resource-drop]error") void error_drop(handle self);
IMPORT("io/error", "[method]error.to-debug-string")
	void error_to_debug_string(handle self, struct list *);

IMPORT("io/poll", "[resource-drop]pollable") void pollable_drop(handle self);
IMPORT("io/poll", "[method]pollable.ready") u32 pollable_ready(handle self);
IMPORT("io/poll", "[method]pollable.block") void pollable_block(handle self);
IMPORT("io/poll", "poll") void poll(const handle *in, u32 len, struct list_u32 *);

IMPORT("io/streams", "[resource-drop]input-stream") void input_drop(handle self);
IMPORT("io/streams", "[method]input-stream.read")
	void input_read(handle self, u64 len, struct read_result *);
IMPORT("io/streams", "[method]input-stream.blocking-read")
	void input_blocking_read(handle self, u64 len, struct read_result *);
IMPORT("io/streams", "[method]input-stream.skip")
	void input_skip(handle self, u64 len, struct count_result *);
IMPORT("io/streams", "[method]input-stream.blocking-skip")
	void input_blocking_skip(handle self, u64 len, struct count_result *);
IMPORT("io/streams", "[method]input-stream.subscribe") handle input_subscribe(handle self);
IMPORT("io/streams", "[resource-drop]output-stream") void output_drop(handle self);
IMPORT("io/streams", "[method]output-stream.check-write")
	void output_check_write(handle self, struct count_result *);
IMPORT("io/streams", "[method]output-stream.write")
	void output_write(handle self, const void *data, u32 len, struct write_result *);
IMPORT("io/streams", "[method]output-stream.blocking-write-and-flush")
	void output_blocking_write_and_flush(handle self, const void *data, u32 len,
		struct write_result *);
IMPORT("io/streams", "[method]output-stream.flush")
	void output_flush(handle self, struct write_result *);
IMPORT("io/streams", "[method]output-stream.blocking-flush")
	void output_blocking_flush(handle self, struct write_result *);
IMPORT("io/streams", "[method]output-stream.subscribe") handle output_subscribe(handle self);
IMPORT("io/streams", "[method]output-stream.write-zeroes")
	void output_write_zeroes(handle self, u64 len, struct write_result *);
IMPORT("io/streams", "[method]output-stream.blocking-write-zeroes-and-flush")
	void output_blocking_write_zeroes_and_flush(handle self, u64 len, struct write_result *);
IMPORT("io/streams", "[method]output-stream.splice")
	void output_splice(handle self, handle src, u64 len, struct count_result *);
IMPORT("io/streams", "[method]output-stream.blocking-splice")
	void output_blocking_splice(handle self, handle src, u64 len, struct count_result *);

IMPORT("cli/environment", "get-environment") void get_environment(struct list_pair *);
IMPORT("cli/environment", "get-arguments") void get_arguments(struct list_list *);
IMPORT("cli/environment", "initial-cwd") void initial_cwd(struct option_string *);

IMPORT("cli/exit", "exit") void exit_result(u32 failed);
IMPORT("cli/exit", "exit-with-code") void exit_with_code(u32 code);
IMPORT("cli/stdin", "get-stdin") handle get_stdin(void);
IMPORT("cli/stdout", "get-stdout") handle get_stdout(void);
IMPORT("cli/stderr", "get-stderr") handle get_stderr(void);
IMPORT("cli/terminal-input", "[resource-drop]terminal-input")
	void terminal_input_drop(handle self);
IMPORT("cli/terminal-output", "[resource-drop]terminal-output")
	void terminal_output_drop(handle self);
IMPORT("cli/terminal-stdin", "get-terminal-stdin")
	void get_terminal_stdin(struct option_handle *);
IMPORT("cli/terminal-stdout", "get-terminal-stdout")
	void get_terminal_stdout(struct option_handle *);
IMPORT("cli/terminal-stderr", "get-terminal-stderr")
	void get_terminal_stderr(struct option_handle *);

IMPORT("clocks/monotonic-clock", "now") u64 monotonic_now(void);
IMPORT("clocks/monotonic-clock", "resolution") u64 monotonic_resolution(void);
IMPORT("clocks/monotonic-clock", "subscribe-instant") handle subscribe_instant(u64 when);
IMPORT("clocks/monotonic-clock", "subscribe-duration") handle subscribe_duration(u64 when);

IMPORT("clocks/wall-clock", "now") void wall_now(struct datetime *);
IMPORT("clocks/wall-clock", "resolution") void wall_resolution(struct datetime *);

IMPORT("random/random", "get-random-bytes") void get_random_bytes(u64 len, struct list *);
IMPORT("random/random", "get-random-u64") u64 get_random_u64(void);

IMPORT("random/insecure", "get-insecure-random-bytes")
	void get_insecure_random_bytes(u64 len, struct list *);
IMPORT("random/insecure", "get-insecure-random-u64") u64 get_insecure_random_u64(void);

IMPORT("random/insecure-seed", "insecure-seed") void insecure_seed(u64 (*)[2]);

IMPORT("filesystem/preopens", "get-directories") void get_directories(struct list_preopen *);

IMPORT("filesystem/types", "[resource-drop]descriptor") void descriptor_drop(handle self);
IMPORT("filesystem/types", "[method]descriptor.read-via-stream")
	void descriptor_read_via_stream(handle self, u64 offset, struct handle_result *);
IMPORT("filesystem/types", "[method]descriptor.write-via-stream")
	void descriptor_write_via_stream(handle self, u64 offset, struct handle_result *);
IMPORT("filesystem/types", "[method]descriptor.append-via-stream")
	void descriptor_append_via_stream(handle self, struct handle_result *);
IMPORT("filesystem/types", "[method]descriptor.advise")
	void descriptor_advise(handle self, u64 offset, u64 len, u32 advice, struct code_result *);
IMPORT("filesystem/types", "[method]descriptor.sync-data")
	void descriptor_sync_data(handle self, struct code_result *);
IMPORT("filesystem/types", "[method]descriptor.get-flags")
	void descriptor_get_flags(handle self, struct u8_result *);
IMPORT("filesystem/types", "[method]descriptor.get-type")
	void descriptor_get_type(handle self, struct u8_result *);
IMPORT("filesystem/types", "[method]descriptor.set-size")
	void descriptor_set_size(handle self, u64 size, struct code_result *);
IMPORT("filesystem/types", "[method]descriptor.set-times")
	void descriptor_set_times(handle self, u32 atime, u64 atime_seconds, u32 atime_nanoseconds,
		u32 mtime, u64 mtime_seconds, u32 mtime_nanoseconds, struct code_result *);
IMPORT("filesystem/types", "[method]descriptor.read")
	void descriptor_read(handle self, u64 len, u64 offset, struct bytes_result *);
IMPORT("filesystem/types", "[method]descriptor.write")
	void descriptor_write(handle self, const void *data, u32 len, u64 offset,
		struct u64_result *);
IMPORT("filesystem/types", "[method]descriptor.read-directory")
	void descriptor_read_directory(handle self, struct handle_result *);
IMPORT("filesystem/types", "[method]descriptor.sync")
	void descriptor_sync(handle self, struct code_result *);
IMPORT("filesystem/types", "[method]descriptor.create-directory-at")
	void descriptor_create_directory_at(handle self, const char *path, u32 len,
		struct code_result *);
IMPORT("filesystem/types", "[method]descriptor.stat")
	void descriptor_stat(handle self, struct stat_result *);
IMPORT("filesystem/types", "[method]descriptor.stat-at")
	void descriptor_stat_at(handle self, u32 path_flags, const char *path, u32 len,
		struct stat_result *);
IMPORT("filesystem/types", "[method]descriptor.set-times-at")
	void descriptor_set_times_at(handle self, u32 path_flags, const char *path, u32 len,
		u32 atime, u64 atime_seconds, u32 atime_nanoseconds, u32 mtime, u64 mtime_seconds,
		u32 mtime_nanoseconds, struct code_result *);
IMPORT("filesystem/types", "[method]descriptor.link-at")
	void descriptor_link_at(handle self, u32 path_flags, const char *path, u32 len, handle to,
		const char *new_path, u32 new_len, struct code_result *);
IMPORT("filesystem/types", "[method]descriptor.open-at")
	void descriptor_open_at(handle self, u32 path_flags, const char *path, u32 len,
		u32 open_flags, u32 flags, struct handle_result *);
IMPORT("filesystem/types", "[method]descriptor.readlink-at")
	void descriptor_readlink_at(handle self, const char *path, u32 len, struct string_result *);
IMPORT("filesystem/types", "[method]descriptor.remove-directory-at")
	void descriptor_remove_directory_at(handle self, const char *path, u32 len,
		struct code_result *);
IMPORT("filesystem/types", "[method]descriptor.rename-at")
	void descriptor_rename_at(handle self, const char *path, u32 len, handle to,
		const char *new_path, u32 new_len, struct code_result *);
IMPORT("filesystem/types", "[method]descriptor.symlink-at")
	void descriptor_symlink_at(handle self, const char *path, u32 len, const char *new_path,
		u32 new_len, struct code_result *);
IMPORT("filesystem/types", "[method]descriptor.unlink-file-at")
	void descriptor_unlink_file_at(handle self, const char *path, u32 len,
		struct code_result *);
IMPORT("filesystem/types", "[method]descriptor.is-same-object")
	u32 descriptor_is_same_object(handle self, handle other);
IMPORT("filesystem/types", "[method]descriptor.metadata-hash")
	void descriptor_metadata_hash(handle self, struct hash_result *);
IMPORT("filesystem/types", "[method]descriptor.metadata-hash-at")
	void descriptor_metadata_hash_at(handle self, u32 path_flags, const char *path, u32 len,
		struct hash_result *);
IMPORT("filesystem/types", "[resource-drop]directory-entry-stream")
	void entry_stream_drop(handle self);
IMPORT("filesystem/types", "[method]directory-entry-stream.read-directory-entry")
	void read_directory_entry(handle self, struct entry_result *);
IMPORT("filesystem/types", "filesystem-error-code")
	void filesystem_error_code(handle error, struct option_code *);

IMPORT("sockets/network", "[resource-drop]network") void network_drop(handle self);
IMPORT("sockets/network", "network-error-code")
	void network_error_code(handle error, struct option_code *);

IMPORT("sockets/instance-network", "instance-network") handle instance_network(void);

/* A socket address in flat form: 12 values, of which the last are 0 for IPv4. */
#define FLAT_PARAMS u32, u32, u32, u32, u32, u32, u32, u32, u32, u32, u32, u32
static inline u32 flat(const struct address *a, u32 i) {
	if (a->family == IPV4)
		return i < 4 ? a->v4.address[i] : 0;
	return i == 0 ? a->v6.flow : i == 9 ? a->v6.scope : a->v6.address[i - 1];
}
#define FLAT(a) \
	(a)->family, (a)->v4.port, flat(a, 0), flat(a, 1), flat(a, 2), flat(a, 3), flat(a, 4), \
	flat(a, 5), flat(a, 6), flat(a, 7), flat(a, 8), flat(a, 9)

IMPORT("sockets/tcp-create-socket", "create-tcp-socket")
	void create_tcp_socket(u32 family, struct handle_result *);

IMPORT("sockets/tcp", "[resource-drop]tcp-socket") void tcp_drop(handle self);
IMPORT("sockets/tcp", "[method]tcp-socket.start-bind")
	void tcp_start_bind(handle self, handle network, FLAT_PARAMS, struct code_result *);
IMPORT("sockets/tcp", "[method]tcp-socket.finish-bind")
	void tcp_finish_bind(handle self, struct code_result *);
IMPORT("sockets/tcp", "[method]tcp-socket.start-connect")
	void tcp_start_connect(handle self, handle network, FLAT_PARAMS, struct code_result *);
IMPORT("sockets/tcp", "[method]tcp-socket.finish-connect")
	void tcp_finish_connect(handle self, struct pair_result *);
IMPORT("sockets/tcp", "[method]tcp-socket.start-listen")
	void tcp_start_listen(handle self, struct code_result *);
IMPORT("sockets/tcp", "[method]tcp-socket.finish-listen")
	void tcp_finish_listen(handle self, struct code_result *);
IMPORT("sockets/tcp", "[method]tcp-socket.accept")
	void tcp_accept(handle self, struct triple_result *);
IMPORT("sockets/tcp", "[method]tcp-socket.local-address")
	void tcp_local_address(handle self, struct address_result *);
IMPORT("sockets/tcp", "[method]tcp-socket.remote-address")
	void tcp_remote_address(handle self, struct address_result *);
IMPORT("sockets/tcp", "[method]tcp-socket.is-listening") u32 tcp_is_listening(handle self);
IMPORT("sockets/tcp", "[method]tcp-socket.address-family") u32 tcp_address_family(handle self);
IMPORT("sockets/tcp", "[method]tcp-socket.set-listen-backlog-size")
	void tcp_set_listen_backlog_size(handle self, u64, struct code_result *);
IMPORT("sockets/tcp", "[method]tcp-socket.keep-alive-enabled")
	void tcp_keep_alive_enabled(handle self, struct u8_result *);
IMPORT("sockets/tcp", "[method]tcp-socket.set-keep-alive-enabled")
	void tcp_set_keep_alive_enabled(handle self, u32, struct code_result *);
IMPORT("sockets/tcp", "[method]tcp-socket.keep-alive-idle-time")
	void tcp_keep_alive_idle_time(handle self, struct u64_result *);
IMPORT("sockets/tcp", "[method]tcp-socket.set-keep-alive-idle-time")
	void tcp_set_keep_alive_idle_time(handle self, u64, struct code_result *);
IMPORT("sockets/tcp", "[method]tcp-socket.keep-alive-interval")
	void tcp_keep_alive_interval(handle self, struct u64_result *);
IMPORT("sockets/tcp", "[method]tcp-socket.set-keep-alive-interval")
	void tcp_set_keep_alive_interval(handle self, u64, struct code_result *);
IMPORT("sockets/tcp", "[method]tcp-socket.keep-alive-count")
	void tcp_keep_alive_count(handle self, struct u32_result *);
IMPORT("sockets/tcp", "[method]tcp-socket.set-keep-alive-count")
	void tcp_set_keep_alive_count(handle self, u32, struct code_result *);
IMPORT("sockets/tcp", "[method]tcp-socket.hop-limit")
	void tcp_hop_limit(handle self, struct u8_result *);
IMPORT("sockets/tcp", "[method]tcp-socket.set-hop-limit")
	void tcp_set_hop_limit(handle self, u32, struct code_result *);
IMPORT("sockets/tcp", "[method]tcp-socket.receive-buffer-size")
	void tcp_receive_buffer_size(handle self, struct u64_result *);
IMPORT("sockets/tcp", "[method]tcp-socket.set-receive-buffer-size")
	void tcp_set_receive_buffer_size(handle self, u64, struct code_result *);
IMPORT("sockets/tcp", "[method]tcp-socket.send-buffer-size")
	void tcp_send_buffer_size(handle self, struct u64_result *);
IMPORT("sockets/tcp", "[method]tcp-socket.set-send-buffer-size")
	void tcp_set_send_buffer_size(handle self, u64, struct code_result *);
IMPORT("sockets/tcp", "[method]tcp-socket.subscribe") handle tcp_subscribe(handle self);
IMPORT("sockets/tcp", "[method]tcp-socket.shutdown")
	void tcp_shutdown(handle self, u32 type, struct code_result *);

IMPORT("sockets/udp-create-socket", "create-udp-socket")
	void create_udp_socket(u32 family, struct handle_result *);

IMPORT("sockets/udp", "[resource-drop]udp-socket") void udp_drop(handle self);
IMPORT("sockets/udp", "[method]udp-socket.start-bind")
	void udp_start_bind(handle self, handle network, FLAT_PARAMS, struct code_result *);
IMPORT("sockets/udp", "[method]udp-socket.finish-bind")
	void udp_finish_bind(handle self, struct code_result *);
IMPORT("sockets/udp", "[method]udp-socket.stream")
	void udp_stream(handle self, u32 some, FLAT_PARAMS, struct pair_result *);
IMPORT("sockets/udp", "[method]udp-socket.local-address")
	void udp_local_address(handle self, struct address_result *);
IMPORT("sockets/udp", "[method]udp-socket.remote-address")
	void udp_remote_address(handle self, struct address_result *);
IMPORT("sockets/udp", "[method]udp-socket.address-family") u32 udp_address_family(handle self);
IMPORT("sockets/udp", "[method]udp-socket.unicast-hop-limit")
	void udp_unicast_hop_limit(handle self, struct u8_result *);
IMPORT("sockets/udp", "[method]udp-socket.set-unicast-hop-limit")
	void udp_set_unicast_hop_limit(handle self, u32, struct code_result *);
IMPORT("sockets/udp", "[method]udp-socket.receive-buffer-size")
	void udp_receive_buffer_size(handle self, struct u64_result *);
IMPORT("sockets/udp", "[method]udp-socket.set-receive-buffer-size")
	void udp_set_receive_buffer_size(handle self, u64, struct code_result *);
IMPORT("sockets/udp", "[method]udp-socket.send-buffer-size")
	void udp_send_buffer_size(handle self, struct u64_result *);
IMPORT("sockets/udp", "[method]udp-socket.set-send-buffer-size")
	void udp_set_send_buffer_size(handle self, u64, struct code_result *);
IMPORT("sockets/udp", "[method]udp-socket.subscribe") handle udp_subscribe(handle self);
IMPORT("sockets/udp", "[resource-drop]incoming-datagram-stream")
	void incoming_drop(handle self);
IMPORT("sockets/udp", "[method]incoming-datagram-stream.receive")
	void incoming_receive(handle self, u64 max, struct receive_result *);
IMPORT("sockets/udp", "[method]incoming-datagram-stream.subscribe")
	handle incoming_subscribe(handle self);
IMPORT("sockets/udp", "[resource-drop]outgoing-datagram-stream")
	void outgoing_drop(handle self);
IMPORT("sockets/udp", "[method]outgoing-datagram-stream.check-send")
	void outgoing_check_send(handle self, struct u64_result *);
IMPORT("sockets/udp", "[method]outgoing-datagram-stream.send")
	void outgoing_send(handle self, const struct outgoing *data, u32 len, struct u64_result *);
IMPORT("sockets/udp", "[method]outgoing-datagram-stream.subscribe")
	handle outgoing_subscribe(handle self);

IMPORT("sockets/ip-name-lookup", "resolve-addresses")
	void resolve_addresses(handle network, const char *name, u32 len, struct handle_result *);
IMPORT("sockets/ip-name-lookup", "[resource-drop]resolve-address-stream")
	void resolve_drop(handle self);
IMPORT("sockets/ip-name-lookup", "[method]resolve-address-stream.resolve-next-address")
	void resolve_next_address(handle self, struct next_result *);
IMPORT("sockets/ip-name-lookup", "[method]resolve-address-stream.subscribe")
	handle resolve_subscribe(handle self);

