#!/bin/sh
# Installs the shim on a node, and adds its runtime to the configuration of containerd:
#
#   install.sh              installs it, or a newer one; restarts containerd if that is needed
#   install.sh uninstall    takes all of that back; pods of the runtime class must be gone
#
# HOST is the directory where the node's /usr/local/bin, /etc/containerd and /etc/wasport are
# mounted, SOURCE the one with the shim and the node's configuration, RESTART the command that
# restarts containerd.
set -eu
umask 022
host=${HOST:-/host} source=${SOURCE:-/wasport}
restart=${RESTART-nsenter --target 1 --mount -- systemctl restart containerd}
shim=containerd-shim-wasport-v1
config=$host/etc/containerd/config.toml

# replace NAME: stdin becomes the file, in one step, so that nobody reads half of it, with the mode
# and the owner that it had.
replace() {
	mkdir -p "$(dirname "$1")"
	if [ -e "$1" ]; then cp -p "$1" "$1.wasport"; fi
	cat >"$1.wasport"
	mv "$1.wasport" "$1"
}

# without prints the configuration of containerd without our part.
without() {
	if [ -e "$config" ]; then sed '/^# wasport: begin/,/^# wasport: end/d' "$config"; fi
}

# runtime VERSION: the runtime's table, in a configuration of that version. It is added to the file
# itself, since containerd 1.x replaces a whole plugin's section by that of an imported file. A
# table of a runtime replaces the built-in one of runc, which is then needed as well.
runtime() {
	plugin=io.containerd.cri.v1.runtime
	if [ "$1" = 2 ]; then plugin=io.containerd.grpc.v1.cri; fi
	runtimes="plugins.\"$plugin\".containerd.runtimes"
	echo '# wasport: begin'
	if ! without | grep -Eq '^[^#]*(\.runtimes\.|default_runtime_name)'; then
		printf '[%s.runc]\nruntime_type = "io.containerd.runc.v2"\n' "$runtimes"
	fi
	cat <<-END
		[$runtimes.wasport]
		runtime_type = "io.containerd.wasport.v1"
		pod_annotations = ["wasport.dev/*"]
		container_annotations = ["wasport.dev/*"]
		# wasport: end
	END
}

# reconfigure TEXT: makes it containerd's configuration, if it is another. What containerd does not
# start with is taken back, so that the next attempt finds the same work.
reconfigure() {
	before=$(cat "$config")
	if [ "$1" = "$before" ]; then return; fi
	printf '%s\n' "$1" | replace "$config"
	if ! $restart; then
		printf '%s\n' "$before" | replace "$config"
		echo "install.sh: failed: $restart; $config is as it was" >&2
		exit 1
	fi
}

install() {
	replace "$host/usr/local/bin/$shim" <"$source/$shim"
	chmod 755 "$host/usr/local/bin/$shim"
	replace "$host/etc/wasport/containerd.toml" <"$source/containerd.toml"
	mkdir -p "$(dirname "$config")"
	if [ ! -s "$config" ]; then echo 'version = 2' >"$config"; fi
	version=$(sed -n 's/^version *= *\([0-9][0-9]*\).*/\1/p' "$config" | head -n 1)
	case $version in
	[2-9]) ;;
	*)
		echo "install.sh: $config has version \"$version\", want 2 or newer:" \
			"containerd config migrate" >&2
		exit 1
		;;
	esac
	reconfigure "$(without && runtime "$version")"
	echo "installed $shim, for a configuration of version $version"
}

uninstall() {
	reconfigure "$(without)"
	rm -f "$host/usr/local/bin/$shim" "$host/etc/wasport/containerd.toml"
	echo "uninstalled $shim"
}

case ${1:-install} in
install | uninstall) "${1:-install}" ;;
*)
	echo "install.sh: got \"$1\", want nothing or uninstall" >&2
	exit 2
	;;
esac
