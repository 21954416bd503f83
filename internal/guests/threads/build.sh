#!/bin/sh
# Builds the guests from their sources: build.sh [DIR], into DIR or else beside this file. Debian 12: apt-get install clang lld
set -eu
here=$(cd "$(dirname "$0")" && pwd)
out=$(cd "${1:-$here}" && pwd)
cd "$here/src" # so that no path gets into the modules
for source in *.c; do
	[ "$source" = guest.c ] && continue
	module=$out/${source%.c}.wasm
	"${CLANG:-clang}" --target=wasm32 -nostdlib -ffreestanding -std=gnu11 -O2 -matomics -mbulk-memory \
		-Wall -Wextra -Wshadow -Wstrict-prototypes -Werror \
		-Wl,--import-memory,--shared-memory,--max-memory=67108864,--strip-debug -Wl,-z,stack-size=65536 \
		start.s guest.c "$source" -o "$module"
	chmod 644 "$module"
done
