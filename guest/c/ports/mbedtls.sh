# ssl_client2 and ssl_server2, of TLS, against openssl.
published mbedtls
# Random numbers come by a function that mbedTLS asks platforms of its own for.
cat >entropy.c <<-END
	#include <stddef.h>
	#include <unistd.h>
	int mbedtls_hardware_poll(void *unused, unsigned char *out, size_t size, size_t *length)
	{
		*length = size < 256 ? size : 256;
		return getentropy(out, *length);
	}
END
build wasport cc -c entropy.c
options="-O1 -Dunix -DMBEDTLS_NO_PLATFORM_ENTROPY -DMBEDTLS_ENTROPY_HARDWARE_ALT"
build make -j2 -C programs CC="wasport cc" AR=llvm-ar CFLAGS="$options" \
	LDFLAGS=../entropy.o ssl/ssl_client2 ssl/ssl_server2

. "$here/tls"
get() { # ADDR:PORT NAME ARGS...
	local host=${1%:*}
	host=${host#[}
	client "$1" programs/ssl/ssl_client2 server_addr="${host%]}" server_port="${1##*:}" \
		server_name="$2" auth_mode=required "${@:3}"
}
trust=(ca_file=/tls/trusted.pem)
own=("${trust[@]}" crt_file=/tls/somebody.pem key_file=/tls/somebody.key)
another=("${trust[@]}" crt_file=/tls/nobody.pem key_file=/tls/nobody.key)
for addr in "${loopback[@]}"; do
	at=$addr:$(free)
	openssl_server "$at"
	check "a client of $addr" says "HTTP/1.0 200 ok" get "$at" localhost "${own[@]}"
	check "it refuses another authority" says "Certificate verification failed" \
		refused get "$at" localhost ca_file=/tls/other.pem
	check "and another name" says "Certificate verification failed" \
		refused get "$at" somebody "${trust[@]}"
done
at=127.0.0.1:$(free)
openssl_server "$at" -Verify 1 -verify_return_error -CAfile "$tls/trusted.pem"
check "a client with a certificate" says "HTTP/1.0 200 ok" get "$at" localhost "${own[@]}"
check "openssl refuses one of another authority" says "A fatal alert message was received" \
	refused get "$at" localhost "${another[@]}"

mbed_server() { # ADDR:PORT ARGS...
	local host=${1%:*}
	host=${host#[}
	serve "$1" server "$1" programs/ssl/ssl_server2 server_addr="${host%]}" \
		server_port="${1##*:}" crt_file=/tls/localhost.pem key_file=/tls/localhost.key "${@:2}"
}
for addr in "${loopback[@]}"; do
	at=$addr:$(free)
	mbed_server "$at"
	check "a server at $addr" openssl_client "$at" "Successful connection"
	check "openssl refuses its certificate for another name" says "hostname mismatch" \
		refused openssl_client "$at" "Successful connection" -verify_hostname somebody
done
at=127.0.0.1:$(free)
mbed_server "$at" auth_mode=required "${trust[@]}"
check "a server that wants a certificate refuses another authority's" says "alert unknown ca" \
	refused openssl_client "$at" "Successful connection" -cert "$tls/nobody.pem" \
	-key "$tls/nobody.key"
check "and takes its own" \
	openssl_client "$at" "Successful connection" -cert "$tls/somebody.pem" -key "$tls/somebody.key"
