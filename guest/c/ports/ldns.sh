# ldns's drill, with a resolver of its own, against unbound.
published ldns
build ./configure --host=wasm32-unknown-none CC="wasport cc" AR=llvm-ar RANLIB=llvm-ranlib \
	--disable-shared --without-ssl --disable-sha2 --disable-gost --disable-ecdsa --disable-dsa \
	--disable-ed25519 --disable-ed448 --disable-dane --with-drill
build make -j2 drill

at=$(free)
resolver "$at"
ask() { says "$1" guest "$at" drill/drill -p "$at" "${@:2}" @127.0.0.1; }
for how in UDP TCP; do
	over=-u
	[ $how = UDP ] || over=-t
	check "A over $how" ask 192.0.2.1 $over www.ports.test
	check "AAAA" ask 2001:db8::1 $over www.ports.test AAAA
	check "MX" ask mail.ports.test $over ports.test MX
	check "TXT" ask "some text" $over ports.test TXT
	check "a name that there is not" ask NXDOMAIN $over nobody.ports.test
done
check "a reverse lookup" ask www.ports.test -x 192.0.2.1
