# mosquitto_pub, mosquitto_sub and mosquitto_rr, clients of MQTT, against mosquitto.
published mosquitto
options=(CC="wasport cc" AR=llvm-ar UNAME=WASI WITH_TLS=no WITH_THREADING=no WITH_CJSON=no WITH_SRV=no WITH_SHARED_LIBRARIES=no WITH_STATIC_LIBRARIES=yes)
build make -j2 -C lib "${options[@]}"
build make -j2 -C client "${options[@]}" static

at=$(free)
serve "$at" mosquitto -p "$at"
# What is retained waits for those who come later; so nobody has to come first.
for version in 311 5; do
	for qos in 0 1 2; do
		check "publishing, MQTT $version, quality of service $qos" \
			guest "$at" client/mosquitto_pub -V $version -h 127.0.0.1 -p "$at" -t "ports/$version" -q $qos -r -m "message $qos"
		check "subscribing" says "ports/$version message $qos" \
			guest "$at" client/mosquitto_sub -V $version -h 127.0.0.1 -p "$at" -t ports/# -q $qos -C 1 -v
		check "clearing" guest "$at" client/mosquitto_pub -V $version -h 127.0.0.1 -p "$at" -t "ports/$version" -r -n
	done
done

live() {
	guest "$at" client/mosquitto_sub -h 127.0.0.1 -p "$at" -t ports/live -C 1 &
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
	guest "$at" client/mosquitto_rr -h 127.0.0.1 -p "$at" -t ports/question -e ports/answer -m "a question"
}
check "asking, and being answered" says "an answer" ask
