package gramine

import "golang.org/x/sys/unix"

// pair is a level and an option of it, as in setsockopt(2).
type pair struct{ level, option uint32 }

// both, settable and gettable hold the options that Gramine has.
var (
	both = []pair{
		{unix.SOL_SOCKET, unix.SO_LINGER}, {unix.SOL_SOCKET, unix.SO_KEEPALIVE},
		{unix.SOL_SOCKET, unix.SO_RCVBUF}, {unix.SOL_SOCKET, unix.SO_SNDBUF},
		{unix.SOL_SOCKET, unix.SO_RCVTIMEO}, {unix.SOL_SOCKET, unix.SO_SNDTIMEO},
		{unix.SOL_SOCKET, unix.SO_REUSEADDR}, {unix.SOL_SOCKET, unix.SO_REUSEPORT},
		{unix.SOL_SOCKET, unix.SO_BROADCAST},
		{unix.IPPROTO_TCP, unix.TCP_CORK}, {unix.IPPROTO_TCP, unix.TCP_KEEPIDLE},
		{unix.IPPROTO_TCP, unix.TCP_KEEPINTVL}, {unix.IPPROTO_TCP, unix.TCP_KEEPCNT},
		{unix.IPPROTO_TCP, unix.TCP_NODELAY}, {unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT},
		{unix.IPPROTO_IPV6, unix.IPV6_V6ONLY},
	}
	settable = append([]pair{{unix.IPPROTO_IP, unix.IP_RECVERR},
		{unix.IPPROTO_IPV6, unix.IPV6_RECVERR}}, both...)
	gettable = append([]pair{{unix.SOL_SOCKET, unix.SO_ACCEPTCONN},
		{unix.SOL_SOCKET, unix.SO_DOMAIN}, {unix.SOL_SOCKET, unix.SO_PROTOCOL},
		{unix.SOL_SOCKET, unix.SO_TYPE}}, both...)
	// supervised is passed to the supervisor.
	supervised = pair{unix.SOL_SOCKET, unix.SO_ERROR}
)

const (
	allow   = unix.SECCOMP_RET_ALLOW
	inquire = unix.SECCOMP_RET_USER_NOTIF
)

// answer is the result of a filter that makes a call fail.
func answer(errno unix.Errno) uint32 { return unix.SECCOMP_RET_ERRNO | uint32(errno) }

// program is a filter in the making (linux/filter.h, linux/seccomp.h).
type program []unix.SockFilter

func (p *program) ret(result uint32) {
	*p = append(*p, unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: result})
}

// load loads the 32 bits at an offset of struct seccomp_data.
func (p *program) load(offset uint32) {
	*p = append(*p, unix.SockFilter{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: offset})
}

// arg loads the low half of an argument.
func (p *program) arg(n uint32) { p.load(16 + 8*n) }

// jump adds a comparison with k, after which the code of then runs only if it holds.
func (p *program) jump(comparison uint16, k uint32, then func()) {
	at := len(*p)
	*p = append(*p, unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_K | comparison, K: k})
	then()
	(*p)[at].Jf = uint8(len(*p) - at - 1)
}

func (p *program) ifEqual(k uint32, then func())  { p.jump(unix.BPF_JEQ, k, then) }
func (p *program) ifAny(bits uint32, then func()) { p.jump(unix.BPF_JSET, bits, then) }

func (p *program) retIfEqual(k, result uint32) { p.ifEqual(k, func() { p.ret(result) }) }

// filter makes the filter. It judges the calls with arguments first, then the numbers alone.
func filter() []unix.SockFilter {
	const nr, arch = 0, 4
	p := new(program)
	p.load(arch)
	p.jump(unix.BPF_JEQ, unix.AUDIT_ARCH_X86_64, func() {
		p.load(nr)
		*p = append(*p, unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_JA, K: 1})
	})
	p.ret(answer(unix.ENOSYS))
	for _, rule := range []struct {
		call  uint32
		judge func()
	}{
		{unix.SYS_SOCKET, p.judgeFamily},
		{unix.SYS_SETSOCKOPT, func() { p.judgeOption(settable) }},
		{unix.SYS_GETSOCKOPT, func() {
			p.retIfOption(supervised, inquire)
			p.judgeOption(gettable)
		}},
		{unix.SYS_EPOLL_CTL, func() {
			p.arg(1)
			p.retIfEqual(unix.EPOLL_CTL_ADD, inquire)
		}},
		{unix.SYS_RECVFROM, func() { p.judgeRecvFlags(3) }},
		{unix.SYS_RECVMSG, func() { p.judgeRecvFlags(2) }},
		{unix.SYS_SENDTO, func() {
			// A destination of this length is one of IPv4.
			p.arg(5)
			p.retIfEqual(unix.SizeofSockaddrInet4, inquire)
		}},
		{unix.SYS_CONNECT, func() { p.ret(inquire) }},
		{unix.SYS_LISTEN, func() { p.ret(inquire) }},
		{unix.SYS_GETSOCKNAME, func() { p.ret(inquire) }},
	} {
		p.ifEqual(rule.call, func() {
			rule.judge()
			p.ret(allow)
		})
	}
	for _, call := range calls {
		p.retIfEqual(uint32(call), allow)
	}
	// The kernel makes the first for calls that a signal has interrupted. The C library makes the
	// second for each thread, and ends the process if only the first thread could make it.
	p.retIfEqual(unix.SYS_RESTART_SYSCALL, allow)
	p.retIfEqual(unix.SYS_RSEQ, allow)
	// io.Copy between connections, which peers in tests use, takes ENOSYS as its own failure.
	// wasport does not copy between connections.
	p.retIfEqual(unix.SYS_SPLICE, answer(unix.EINVAL))
	p.ret(answer(unix.ENOSYS))
	return *p
}

func (p *program) judgeFamily() {
	p.arg(0)
	for _, family := range []uint32{unix.AF_UNIX, unix.AF_INET, unix.AF_INET6} {
		p.retIfEqual(family, allow)
	}
	p.ret(answer(unix.EAFNOSUPPORT))
}

func (p *program) judgeOption(known []pair) {
	for _, o := range known {
		p.retIfOption(o, allow)
	}
	p.ret(answer(unix.ENOPROTOOPT))
}

func (p *program) retIfOption(o pair, result uint32) {
	p.arg(1)
	p.ifEqual(o.level, func() {
		p.arg(2)
		p.retIfEqual(o.option, result)
	})
}

func (p *program) judgeRecvFlags(n uint32) {
	p.arg(n)
	p.ifAny(^uint32(unix.MSG_PEEK|unix.MSG_DONTWAIT|unix.MSG_TRUNC), func() {
		p.ret(answer(unix.EOPNOTSUPP))
	})
	p.ifAny(unix.MSG_PEEK, func() { p.ret(inquire) })
}
