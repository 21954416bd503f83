# brssl, client and server of TLS, against openssl.
published bearssl
build make -j2 CC="wasport cc" LD="wasport cc" AR=llvm-ar \
	CFLAGS="-Os -DBR_USE_URANDOM=1 -DBR_USE_UNIX_TIME=1" tools

. "$here/tls"
# Its random numbers are those of /dev/urandom.
brssl=(--dir /dev::/dev:ro build/brssl)
get() { # ADDR:PORT NAME ARGS...
	client "$1" "${brssl[@]}" client "${1//[\[\]]/}" -sni "$2" "${@:3}" <&9
}
trust=(-CA /tls/trusted.pem)
for addr in "${loopback[@]}"; do
	at=$addr:$(free)
	openssl_server "$at"
	printf 'GET / HTTP/1.0\r\n\r\n' >&9
	check "a client of $addr" says "HTTP/1.0 200 ok" get "$at" localhost "${trust[@]}"
	check "it refuses another authority" says BR_ERR_X509_NOT_TRUSTED \
		refused get "$at" localhost -CA /tls/other.pem
	check "and another name" says BR_ERR_X509_BAD_SERVER_NAME \
		refused get "$at" somebody "${trust[@]}"
done
at=127.0.0.1:$(free)
openssl_server "$at" -Verify 1 -verify_return_error -CAfile "$tls/trusted.pem"
printf 'GET / HTTP/1.0\r\n\r\n' >&9
check "a client with a certificate" says "HTTP/1.0 200 ok" \
	get "$at" localhost "${trust[@]}" -cert /tls/somebody.pem -key /tls/somebody.key
check "openssl refuses one of another authority" says "received alert 48" \
	refused get "$at" localhost "${trust[@]}" -cert /tls/nobody.pem -key /tls/nobody.key

for addr in "${loopback[@]}"; do
	at=$addr:$(free)
	host=${addr#[}
	serve "$at" server "$at" "${brssl[@]}" server -b "${host%]}" -p "${at##*:}" \
		-cert /tls/localhost.pem -key /tls/localhost.key <&9
	echo answer >&9
	check "a server at $addr" openssl_client "$at" answer
	check "openssl refuses its certificate for another name" says "hostname mismatch" \
		refused openssl_client "$at" answer -verify_hostname somebody
done
at=127.0.0.1:$(free)
serve "$at" server "$at" "${brssl[@]}" server -b 127.0.0.1 -p "${at##*:}" \
	-cert /tls/localhost.pem -key /tls/localhost.key -CA /tls/trusted.pem <&9
untrusted() {
	refused openssl_client "$at" answer -cert "$tls/nobody.pem" -key "$tls/nobody.key" &&
		cat "$work/server"
}
check "a server that wants a certificate refuses another authority's" \
	says BR_ERR_X509_NOT_TRUSTED untrusted
echo answer >&9
check "and takes its own" \
	openssl_client "$at" answer -cert "$tls/somebody.pem" -key "$tls/somebody.key"
