package wasi2

// answers are the functions of output-stream whose results are known while Answerable is true: ok,
// with this number where there is one. They ask the system nothing.
var answers = map[string]uint64{
	"[method]output-stream.check-write":    maxPermit,
	"[method]output-stream.flush":          0,
	"[method]output-stream.blocking-flush": 0,
}

// IsWrite reports whether a function is the one that Answerable tells about.
func IsWrite(iface, name string) bool {
	return iface == ioStreams.name && name == "[method]output-stream.write"
}

// Answerable reports whether the functions in answers would return ok for the stream that the last
// call, a write, wrote to. That holds until the guest's next call, whatever happens to the
// connection meanwhile: nothing is pending that goes on by itself. The next write returns an error
// of the network, as it does for bytes in the kernel's buffer.
func (g *Guest) Answerable() bool {
	s := g.written
	return s.target == toStream && s.of == ofSocket && !s.closed && !s.sendClosed &&
		!s.pending.started
}

// PermitWrite is check-write of that stream. Since Answerable was true, the guest has
// made no calls but those that it answered itself.
func (g *Guest) PermitWrite() { g.written.permit = maxPermit }
