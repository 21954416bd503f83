# The examples of librabbitmq, a client of AMQP 0-9-1, against rabbitmq-server.
published librabbitmq
build cmake -B out -DCMAKE_TOOLCHAIN_FILE="$toolchain" -DBUILD_SHARED_LIBS=OFF \
	-DENABLE_SSL_SUPPORT=OFF -DBUILD_TESTS=OFF
build cmake --build out -j2

at=$(free)
mkdir "$work/rabbit"
epmd=$(free)
serve "$epmd" env ERL_EPMD_ADDRESS=127.0.0.1 epmd -port "$epmd"
# The program of the package's PATH would become the user rabbitmq, with its configuration.
serve "$at" env HOME="$work/rabbit" ERL_EPMD_PORT="$epmd" ERL_EPMD_ADDRESS=127.0.0.1 \
	RABBITMQ_NODENAME=ports@localhost RABBITMQ_NODE_IP_ADDRESS=127.0.0.1 \
	RABBITMQ_NODE_PORT="$at" RABBITMQ_DIST_PORT="$(free)" \
	RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS="-kernel inet_dist_use_interface {127,0,0,1}" \
	RABBITMQ_MNESIA_BASE="$work/rabbit" RABBITMQ_LOG_BASE="$work/rabbit" \
	RABBITMQ_CONFIG_FILE="$work/rabbit/none" RABBITMQ_ENABLED_PLUGINS_FILE="$work/rabbit/plugins" \
	/usr/lib/rabbitmq/bin/rabbitmq-server

amqp() { guest "$at" "out/examples/amqp_$1.wasm" 127.0.0.1 "$at" "${@:2}"; }
check "declaring an exchange" amqp exchange_declare ports direct
transfer() {
	local listener i
	timeout 60 wasport run --allow-connect "tcp://127.0.0.1:$at" out/examples/amqp_listen.wasm \
		127.0.0.1 "$at" ports key >"$work/heard" 2>&1 &
	listener=$!
	for i in $(seq 100); do
		amqp sendstring ports key "a message" || return 1
		! grep -q "a message" "$work/heard" || break
	done
	kill $listener
	cat "$work/heard"
}
check "sending a message, and receiving it from a queue of its own" says "a message" transfer
nothing() { ! amqp sendstring nothing key "a message"; }
check "the server's error" says "NOT_FOUND - no exchange 'nothing'" nothing
