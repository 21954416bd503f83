/*
 * files NAME: creates the file in the first directory, writes to it, appends, reads it back by a
 * stream and by its offset, lists the directory and removes the file. Each step prints a line.
 */
#include "guest.h"

static handle need_handle(const char *step, struct handle_result r) {
	if (r.failed)
		fail(step, r.code);
	return r.ok;
}

static void write_stream(handle out, const char *text) {
	struct write_result w;
	output_blocking_write_and_flush(out, text, length(text), &w);
	if (w.failed)
		fail("blocking-write-and-flush", w.error.closed);
	output_drop(out);
}

static void print_stream(handle in) {
	for (;;) {
		struct read_result r;
		input_blocking_read(in, 100, &r);
		if (r.failed)
			break;
		print_list(r.ok);
	}
	input_drop(in);
}

static void list_directory(handle dir) {
	struct handle_result entries;
	struct entry_result e;

	descriptor_read_directory(dir, &entries);
	need_handle("read-directory", entries);
	for (;;) {
		read_directory_entry(entries.ok, &e);
		if (e.failed)
			fail("read-directory-entry", e.code);
		if (!e.ok.some)
			break;
		print("entry ");
		print_list(e.ok.value.name);
		print(" of type ");
		print_number(e.ok.value.type);
		print("\n");
	}
	entry_stream_drop(entries.ok);
}

u32 run(void) {
	struct list_preopen dirs;
	struct list name = argument(1);
	const char *path = (const char *)name.data;
	struct handle_result r;
	struct bytes_result bytes;
	struct stat_result stat;
	struct code_result done;

	get_directories(&dirs);
	if (dirs.len == 0)
		fail("get-directories", 0);
	handle dir = dirs.data[0].descriptor;
	print("directory ");
	print_list(dirs.data[0].name);
	print("\n");

	descriptor_open_at(dir, 0, path, name.len, O_CREATE | O_EXCLUSIVE, D_READ | D_WRITE, &r);
	handle file = need_handle("open-at", r);
	descriptor_write_via_stream(file, 0, &r);
	write_stream(need_handle("write-via-stream", r), "first line\n");
	descriptor_append_via_stream(file, &r);
	write_stream(need_handle("append-via-stream", r), "second line\n");
	descriptor_read_via_stream(file, 0, &r);
	print_stream(need_handle("read-via-stream", r));
	descriptor_read(file, 100, 6, &bytes);
	if (bytes.failed)
		fail("read", bytes.code);
	print("from 6: ");
	print_list(bytes.ok.data);
	descriptor_stat(file, &stat);
	if (stat.failed)
		fail("stat", stat.code);
	print("size ");
	print_number(stat.ok.size);
	print("\n");
	descriptor_drop(file);
	list_directory(dir);
	descriptor_unlink_file_at(dir, path, name.len, &done);
	need("unlink-file-at", done);
	print("removed\n");
	return 0;
}
