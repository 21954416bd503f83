#!/bin/sh
# Builds components from their sources: build.sh [DIR [SOURCES]], into DIR or else beside this file.
# The sources are those in src, or in another folder with the headers of src. Debian 12: apt-get
# install clang lld rustc libstd-rust-dev-wasm32 nodejs npm. The first time, npm fetches wasm-tools
# and an adapter as package-lock.json says.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
out=$(cd "${1:-$here}" && pwd)
src=$(cd "${2:-$here/src}" && pwd)
core=$(mktemp -d)
trap 'rm -rf "$core"' EXIT
cd "$here"
[ -d node_modules/@bytecodealliance/jco ] ||
	npm ci --ignore-scripts --no-audit --no-fund >/dev/null
cd "$src" # so that no path gets into the modules
for source in *.c; do
	"${CLANG:-clang}" --target=wasm32 -nostdlib -ffreestanding -std=gnu11 -O2 \
		-Wall -Wextra -Wshadow -Wstrict-prototypes -Werror -Wno-unused-function \
		-I"$here/src" -Wl,--no-entry,--strip-debug,--stack-first -Wl,-z,stack-size=65536 \
		"$source" -o "$core/${source%.c}.wasm"
done
# By Debian's compiler, since a first one in PATH may lack the target.
mkdir "$core/rust"
for source in *.rs; do
	[ -e "$source" ] || continue
	"${RUSTC:-/usr/bin/rustc}" --target wasm32-wasi --edition 2021 -Dwarnings -C opt-level=s \
		-C lto -C panic=abort -C strip=symbols "$source" -o "$core/rust/${source%.rs}.wasm"
done
node "$here/build.js" "$core" "$out" "$src"
chmod 644 "$out"/*.wasm
