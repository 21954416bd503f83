# adig, with a resolver of its own, against unbound.
published c-ares
build cmake -B out -DCMAKE_TOOLCHAIN_FILE="$toolchain" -DCARES_SHARED=OFF -DCARES_STATIC=ON
build cmake --build out -j2

at=$(free)
resolver "$at"
for how in UDP TCP; do
	over=(-U "$at")
	[ $how = UDP ] || over=(-T "$at" -f usevc)
	ask() { says "$2" guest "$at" out/bin/adig.wasm -s 127.0.0.1 "${over[@]}" -t $1; }
	check "A over $how" ask "A www.ports.test" 192.0.2.1
	check "AAAA" ask "AAAA www.ports.test" 2001:db8::1
	check "MX" ask "MX ports.test" mail.ports.test
	check "TXT" ask "TXT ports.test" "some text"
	check "a name that there is not" ask "A nobody.ports.test" NXDOMAIN
done
