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
