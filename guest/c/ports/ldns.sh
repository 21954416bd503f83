# ldns's drill, with a resolver of its own, against unbound.
published ldns
build ./configure --host=wasm32-unknown-none CC="wasport cc" AR=llvm-ar RANLIB=llvm-ranlib \
	--disable-shared --without-ssl --disable-sha2 --disable-gost --disable-ecdsa --disable-dsa \
	--disable-ed25519 --disable-ed448 --disable-dane --with-drill
build make -j2 drill

at=$(free)
