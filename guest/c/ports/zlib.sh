# minigzip, with files and as a filter, against gzip.
published zlib
build env CHOST=wasm32 CC="wasport cc" AR=llvm-ar RANLIB=llvm-ranlib ./configure --static
build make -j2 minigzip

mkdir "$work/files"
minigzip() { timeout 60 wasport run --dir "$work/files::/files" minigzip "$@"; }
{ seq 300000 && head -c 1000000 /dev/urandom; } >"$work/plain"
compress() {
	cp "$work/plain" "$work/files/it" && minigzip /files/it && [ ! -e "$work/files/it" ] &&
		gzip -dc "$work/files/it.gz" | cmp - "$work/plain"
}
check "compressing a file" compress
decompress() {
	gzip -c "$work/plain" >"$work/files/it.gz" && minigzip -d /files/it.gz &&
		cmp "$work/files/it" "$work/plain"
}
check "decompressing one of gzip" decompress
filter() { minigzip <"$work/plain" | minigzip -d | cmp - "$work/plain"; }
check "a pipeline of both" filter
damaged() { ! head -c 100000 "$work/files/whole.gz" | minigzip -d >"$work/part"; }
gzip -c "$work/plain" >"$work/files/whole.gz"
check "a file that is cut off" says "failed" damaged
