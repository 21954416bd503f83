# curl, for HTTP without TLS, against nginx.
published curl
build cmake -B out -DCMAKE_TOOLCHAIN_FILE="$toolchain" -DHTTP_ONLY=ON -DCURL_ENABLE_SSL=OFF \
	-DCURL_ZLIB=OFF -DENABLE_THREADED_RESOLVER=OFF -DENABLE_MANUAL=OFF -DBUILD_SHARED_LIBS=OFF \
	-DBUILD_TESTING=OFF
build cmake --build out -j2

at=$(free)
mkdir "$work/site" "$work/files"
echo "it works" >"$work/site/index.html"
head -c 5000000 /dev/urandom >"$work/site/large"
cat >"$work/nginx.conf" <<-END
	user root; # who made the files, if that is who runs it
	daemon off;
	pid $work/nginx.pid;
	error_log stderr;
	events {}
	http {
	  access_log off;
	  client_body_temp_path $work/put;
	  server {
	    listen 127.0.0.1:$at;
	    root $work/site;
	    location /put/ { dav_methods PUT; create_full_put_path on; client_max_body_size 10m; }
	    location /away { return 302 /index.html; }
	  }
	}
END
serve "$at" nginx -c "$work/nginx.conf"
curl() { guest "$at" --dir "$work/files::/files" out/src/curl.wasm -sS "$@"; }
check "GET" says "it works" curl "http://127.0.0.1:$at/"
check "a redirection" says "it works" curl -L "http://127.0.0.1:$at/away"
check "a part" says "works" curl -r 3- "http://127.0.0.1:$at/index.html"
check "HEAD" says "Content-Length: 5000000" curl -I "http://127.0.0.1:$at/large"
check "a page that does not exist" says "404 Not Found" curl "http://127.0.0.1:$at/nothing"
large=$work/site/large
get() { curl "http://127.0.0.1:$at/large" -o /files/copy && cmp "$work/files/copy" "$large"; }
check "5 MB into a file" get
put() {
	curl -T /files/copy "http://127.0.0.1:$at/put/copy" && cmp "$work/site/put/copy" "$large"
}
check "5 MB from a file" put
away() { ! wasport run out/src/curl.wasm -sS "http://127.0.0.1:$at"; }
check "a host that it may not reach" says "denied connect tcp 127.0.0.1" away
