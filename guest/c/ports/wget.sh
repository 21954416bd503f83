# wget, for HTTP without TLS, against nginx.
published wget
# C11's threads.h has no functions in wasi-libc, and pkg-config would tell of this machine's
# libraries.
build ./configure --host=wasm32-unknown-none CC="wasport cc" AR=llvm-ar RANLIB=llvm-ranlib \
	PKG_CONFIG=false ac_cv_header_threads_h=no --without-ssl --without-zlib --without-libpsl \
	--disable-nls --disable-iri --disable-ntlm --disable-threads --disable-dependency-tracking
build make -j2 -C lib
build make -j2 -C src wget

at=$(free)
mkdir -p "$work/site/sub" "$work/files"
echo '<a href="sub/page.html">a page</a> it works' >"$work/site/index.html"
echo '<a href="/large">large</a>' >"$work/site/sub/page.html"
head -c 5000000 /dev/urandom >"$work/site/large"
cat >"$work/nginx.conf" <<-END
	user root; # who made the files, if that is who runs it
	daemon off;
	pid $work/nginx.pid;
	error_log stderr;
	events {}
	http {
	  access_log off;
	  types { text/html html; }
	  server {
	    listen 127.0.0.1:$at;
	    root $work/site;
	    location /away { return 302 /index.html; }
	  }
	}
END
serve "$at" nginx -c "$work/nginx.conf"
url=http://127.0.0.1:$at
large=$work/site/large
wget() { guest "$at" --dir "$work/files::/" src/wget "$@"; }
check "GET" says "it works" wget -qO - "$url/"
check "a redirection" says "it works" wget -qO - "$url/away"
check "HEAD" says "Content-Length: 5000000" wget -S --spider "$url/large"
nothing() { ! wget -O - "$url/nothing"; }
check "a page that does not exist" says "ERROR 404: Not Found" nothing
get() { wget -q "$url/large" && cmp "$work/files/large" "$large"; }
check "5 MB into a file" get
continued() {
	truncate -s 1000000 "$work/files/large"
	says "206 Partial Content" wget -c "$url/large" && cmp "$work/files/large" "$large"
}
check "the rest of a file" continued
mirror() { wget -q -r -nH -P mirror "$url/" && diff -r "$work/site" "$work/files/mirror"; }
check "a site, recursively" mirror
away() { ! wasport run src/wget -t 1 -qO - "$url/"; }
check "a host that it may not reach" says "denied connect tcp 127.0.0.1" away
