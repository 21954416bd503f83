# mosquitto_pub, mosquitto_sub and mosquitto_rr against mosquitto.
published mosquitto
options=(CC="wasport cc" AR=llvm-ar UNAME=WASI WITH_TLS=no WITH_THREADING=no WITH_CJSON=no
	WITH_SRV=no WITH_SHARED_LIBRARIES=no WITH_STATIC_LIBRARIES=yes)
build make -j2 -C lib "${options[@]}"
build make -j2 -C client "${options[@]}" static

at=$(free)
serve "$at" mosquitto -p "$at"
pub() { guest "$at" client/mosquitto_pub -h 127.0.0.1 -p "$at" "$@"; }
sub() { guest "$at" client/mosquitto_sub -h 127.0.0.1 -p "$at" "$@"; }

# What is retained waits for those who come later; so nobody has to come first.
exchange() {
	pub -V "$1" -t "ports/$1" -q "$2" -r -m "message $2" &&
		says "ports/$1 message $2" sub -V "$1" -t ports/# -q "$2" -C 1 -v &&
		pub -V "$1" -t "ports/$1" -r -n
}
for mqtt in 311 5; do
	for qos in 0 1 2; do
		check "MQTT $mqtt, quality of service $qos" exchange $mqtt $qos
	done
done

live() {
	sub -t ports/live -C 1 &
	local subscriber=$!
	while kill -0 $subscriber 2>/dev/null; do
		mosquitto_pub -h 127.0.0.1 -p "$at" -t ports/live -m "live message"
		sleep 0.1
	done
	wait $subscriber
}
check "subscribing to what is yet to come" says "live message" live

ask() {
	stdbuf -oL mosquitto_sub -d -h 127.0.0.1 -p "$at" -t ports/question -C 1 >"$work/question" &
	local responder=$!
	until grep -q ^Subscribed "$work/question"; do sleep 0.1; done
	(
		while kill -0 $responder 2>/dev/null; do sleep 0.1; done
		mosquitto_pub -h 127.0.0.1 -p "$at" -t ports/answer -m "an answer"
	) &
	guest "$at" client/mosquitto_rr -h 127.0.0.1 -p "$at" -t ports/question -e ports/answer \
		-m "a question"
}
check "asking, and being answered" says "an answer" ask
