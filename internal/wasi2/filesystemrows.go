package wasi2

var filesystemTypes = table{
	name: "wasi:filesystem/types",
	uses: []use{
		{"wasi:io/streams", []string{"input-stream", "output-stream", "error"}},
		{"wasi:clocks/wall-clock", []string{"datetime"}},
	},
	types: fileErrorCodes + `
		type filesize = u64;
		type link-count = u64;
		enum descriptor-type {
			unknown, block-device, character-device, directory, fifo, symbolic-link, regular-file,
			socket
		}
		flags descriptor-flags {
			read, write, file-integrity-sync, data-integrity-sync, requested-write-sync,
			mutate-directory
		}
		flags path-flags { symlink-follow }
		flags open-flags { create, directory, exclusive, truncate }
		record descriptor-stat {
			type: descriptor-type, link-count: link-count, size: filesize,
			data-access-timestamp: option<datetime>,
			data-modification-timestamp: option<datetime>,
			status-change-timestamp: option<datetime>
		}
		variant new-timestamp { no-change, now, timestamp(datetime) }
		record directory-entry { type: descriptor-type, name: string }
		enum advice { normal, sequential, random, will-need, dont-need, no-reuse }
		record metadata-hash-value { lower: u64, upper: u64 }
		resource descriptor;
		resource directory-entry-stream;`,
	drops: map[string]func(*Guest, uint32) error{
		"descriptor": func(g *Guest, rep uint32) error {
			g.release(remove(g, &g.descriptors, rep).description)
			return nil
		},
		"directory-entry-stream": func(g *Guest, rep uint32) error {
			g.release(remove(g, &g.entries, rep).description)
			return nil
		},
	},
	rows: []row{
		{"[method]descriptor.read-via-stream", "(self: borrow<descriptor>, " +
			"offset: filesize) -> result<input-stream, error-code>", onFile(fileReadVia), nil},
		{"[method]descriptor.write-via-stream", "(self: borrow<descriptor>, " +
			"offset: filesize) -> result<output-stream, error-code>", onFile(fileWriteVia), nil},
		{"[method]descriptor.append-via-stream",
			"(self: borrow<descriptor>) -> result<output-stream, error-code>",
			onFile(fileAppendVia), nil},
		{"[method]descriptor.advise", "(self: borrow<descriptor>, offset: filesize, " +
			"length: filesize, advice: advice) -> result<_, error-code>", onFile(fileAdvise), nil},
		{"[method]descriptor.sync-data",
			"(self: borrow<descriptor>) -> result<_, error-code>", onFile(fileSyncData), nil},
		{"[method]descriptor.get-flags",
			"(self: borrow<descriptor>) -> result<descriptor-flags, error-code>",
			onFile(fileFlags), nil},
		{"[method]descriptor.get-type",
			"(self: borrow<descriptor>) -> result<descriptor-type, error-code>",
			onFile(fileType), nil},
		{"[method]descriptor.set-size",
			"(self: borrow<descriptor>, size: filesize) -> result<_, error-code>",
			onFile(fileSetSize), nil},
		{"[method]descriptor.set-times", "(self: borrow<descriptor>, " +
			"data-access-timestamp: new-timestamp, " +
			"data-modification-timestamp: new-timestamp) -> result<_, error-code>",
			onFile(fileSetTimes), nil},
		{"[method]descriptor.read", "(self: borrow<descriptor>, length: filesize, " +
			"offset: filesize) -> result<tuple<list<u8>, bool>, error-code>",
			onFile(fileRead), nil},
		{"[method]descriptor.write", "(self: borrow<descriptor>, buffer: list<u8>, " +
			"offset: filesize) -> result<filesize, error-code>", onFile(fileWrite), nil},
		{"[method]descriptor.read-directory",
			"(self: borrow<descriptor>) -> result<directory-entry-stream, error-code>",
			onFile(fileReadDirectory), nil},
		{"[method]descriptor.sync",
			"(self: borrow<descriptor>) -> result<_, error-code>", onFile(fileSync), nil},
		{"[method]descriptor.create-directory-at",
			"(self: borrow<descriptor>, path: string) -> result<_, error-code>",
			onFile(fileMkdir), nil},
		{"[method]descriptor.stat",
			"(self: borrow<descriptor>) -> result<descriptor-stat, error-code>",
			onFile(fileStat), nil},
		{"[method]descriptor.stat-at", "(self: borrow<descriptor>, path-flags: path-flags, " +
			"path: string) -> result<descriptor-stat, error-code>", onFile(fileStatAt), nil},
		{"[method]descriptor.set-times-at", "(self: borrow<descriptor>, " +
			"path-flags: path-flags, path: string, data-access-timestamp: new-timestamp, " +
			"data-modification-timestamp: new-timestamp) -> result<_, error-code>",
			onFile(fileSetTimesAt), nil},
		{"[method]descriptor.link-at", "(self: borrow<descriptor>, " +
			"old-path-flags: path-flags, old-path: string, new-descriptor: borrow<descriptor>, " +
			"new-path: string) -> result<_, error-code>", onFile(fileLinkAt), nil},
		{"[method]descriptor.open-at", "(self: borrow<descriptor>, path-flags: path-flags, " +
			"path: string, open-flags: open-flags, flags: descriptor-flags) " +
			"-> result<descriptor, error-code>", onFile(fileOpenAt), nil},
		{"[method]descriptor.readlink-at",
			"(self: borrow<descriptor>, path: string) -> result<string, error-code>",
			onFile(fileReadlink), nil},
		{"[method]descriptor.remove-directory-at",
			"(self: borrow<descriptor>, path: string) -> result<_, error-code>",
			onFile(fileRmdir), nil},
		{"[method]descriptor.rename-at", "(self: borrow<descriptor>, old-path: string, " +
			"new-descriptor: borrow<descriptor>, new-path: string) -> result<_, error-code>",
			onFile(fileRename), nil},
		{"[method]descriptor.symlink-at", "(self: borrow<descriptor>, old-path: string, " +
			"new-path: string) -> result<_, error-code>", onFile(fileSymlink), nil},
		{"[method]descriptor.unlink-file-at",
			"(self: borrow<descriptor>, path: string) -> result<_, error-code>",
			onFile(fileUnlink), nil},
		{"[method]descriptor.is-same-object",
			"(self: borrow<descriptor>, other: borrow<descriptor>) -> bool", fileSameObject, nil},
		{"[method]descriptor.metadata-hash",
			"(self: borrow<descriptor>) -> result<metadata-hash-value, error-code>",
			onFile(fileHash), nil},
		{"[method]descriptor.metadata-hash-at", "(self: borrow<descriptor>, " +
			"path-flags: path-flags, path: string) -> result<metadata-hash-value, error-code>",
			onFile(fileHashAt), nil},
		{"[method]directory-entry-stream.read-directory-entry",
			"(self: borrow<directory-entry-stream>) " +
				"-> result<option<directory-entry>, error-code>", readEntry, nil},
		{"filesystem-error-code", "(err: borrow<error>) -> option<error-code>",
			filesystemErrorCode, nil},
	},
}

var filesystemPreopens = table{
	name: "wasi:filesystem/preopens",
	uses: []use{{"wasi:filesystem/types", []string{"descriptor"}}},
	rows: []row{{"get-directories", "() -> list<tuple<descriptor, string>>", getDirectories, nil}},
}
