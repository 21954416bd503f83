package wasi2

import (
	"math"
	"syscall"

	"github.com/wasport/wasport/internal/component/canon"
	"github.com/wasport/wasport/internal/hostfs"
	"github.com/wasport/wasport/internal/wasi"
)

// onFile makes the generic form of a method of descriptor. do returns the ok value.
func onFile(do func(g *Guest, d *descriptor, c *canon.Call) (canon.Value, error)) func(*Guest,
	*canon.Call) error {
	return func(g *Guest, c *canon.Call) error {
		ok, err := do(g, g.descriptors.at(c.Arg(0).Rep()), c)
		return g.returnFile(c, canon.OK(ok), err)
	}
}

// returnFile returns ok, or the error-code of err.
func (g *Guest) returnFile(c *canon.Call, ok canon.Value, err error) error {
	switch {
	case err == nil:
		c.Return(ok)
		return nil
	case !g.isStreamError(err):
		return err
	}
	c.Return(canon.Err(canon.Case(fileCode(err))))
	return nil
}

var nothing canon.Value

// owned returns the handle of a new resource.
func owned[T any](g *Guest, s *slab[T], item *T, err error) (canon.Value, error) {
	if err != nil {
		return nothing, err
	}
	rep, err := put(g, s, item)
	return canon.Rep(rep), err
}

func fileReadVia(g *Guest, d *descriptor, c *canon.Call) (canon.Value, error) {
	s, err := d.readVia(c.Arg(1).Uint())
	return owned(g, &g.inputs, s, err)
}

func fileWriteVia(g *Guest, d *descriptor, c *canon.Call) (canon.Value, error) {
	s, err := d.writeVia(toOffset, c.Arg(1).Uint())
	return owned(g, &g.outputs, s, err)
}

func fileAppendVia(g *Guest, d *descriptor, _ *canon.Call) (canon.Value, error) {
	s, err := d.writeVia(toEnd, 0)
	return owned(g, &g.outputs, s, err)
}

func fileAdvise(g *Guest, d *descriptor, c *canon.Call) (canon.Value, error) {
	return nothing, g.Advise(d.fd, c.Arg(1).Uint(), c.Arg(2).Uint(), uint32(c.Arg(3).Case()))
}

func fileSyncData(g *Guest, d *descriptor, _ *canon.Call) (canon.Value, error) {
	return nothing, d.sync(g, true)
}

func fileSync(g *Guest, d *descriptor, _ *canon.Call) (canon.Value, error) {
	return nothing, d.sync(g, false)
}

func fileFlags(_ *Guest, d *descriptor, _ *canon.Call) (canon.Value, error) {
	return canon.Uint(uint64(d.flags)), nil
}

// descriptorTypes are the cases of descriptor-type.
var descriptorTypes = [...]int{
	wasi.FiletypeUnknown: 0, wasi.FiletypeBlockDevice: 1, wasi.FiletypeCharacterDevice: 2,
	wasi.FiletypeDirectory: 3, wasi.FiletypePipe: 4, wasi.FiletypeSymbolicLink: 5,
	wasi.FiletypeRegularFile: 6, wasi.FiletypeSocketDgram: 7, wasi.FiletypeSocketStream: 7,
}

func fileType(_ *Guest, d *descriptor, _ *canon.Call) (canon.Value, error) {
	return canon.Case(descriptorTypes[d.typ]), nil
}

func fileSetSize(g *Guest, d *descriptor, c *canon.Call) (canon.Value, error) {
	return nothing, d.setSize(g, c.Arg(1).Uint())
}

func fileSetTimes(g *Guest, d *descriptor, c *canon.Call) (canon.Value, error) {
	times, err := newTimes(c.Arg(1), c.Arg(2))
	if err != nil {
		return nothing, err
	}
	return nothing, g.SetTimes(d.fd, times)
}

func fileSetTimesAt(g *Guest, d *descriptor, c *canon.Call) (canon.Value, error) {
	times, err := newTimes(c.Arg(3), c.Arg(4))
	if err != nil {
		return nothing, err
	}
	return nothing, g.SetTimesAt(d.fd, c.Arg(2).Text(), followsLinks(c.Arg(1)), times)
}

// newTimes decodes two values of new-timestamp.
func newTimes(access, modification canon.Value) (times hostfs.Times, err error) {
	if times.Atime, err = newTime(access); err != nil {
		return times, err
	}
	times.Mtime, err = newTime(modification)
	times.Set = [...]hostfs.TimeFlags{0, hostfs.AtimeNow, hostfs.AtimeGiven}[access.Case()] |
		[...]hostfs.TimeFlags{0, hostfs.MtimeNow, hostfs.MtimeGiven}[modification.Case()]
	return times, err
}

func newTime(v canon.Value) (uint64, error) {
	fields := v.Payload().Items()
	if len(fields) == 0 { // no-change or now
		return 0, nil
	}
	seconds, ns := fields[0].Uint(), fields[1].Uint()
	switch {
	case ns >= nanosecondsPerSecond:
		return 0, syscall.EINVAL
	case seconds > (math.MaxUint64-ns)/nanosecondsPerSecond:
		return 0, syscall.EOVERFLOW
	}
	return seconds*nanosecondsPerSecond + ns, nil
}

func fileRead(g *Guest, d *descriptor, c *canon.Call) (canon.Value, error) {
	b := g.room(c.Arg(1).Uint())
	n, end, err := d.read(g, b, c.Arg(2).Uint())
	g.ChargeGarbage(n)
	return canon.Tuple(canon.Bytes(append([]byte(nil), b[:n]...)), canon.Bool(end)), err
}

func fileWrite(g *Guest, d *descriptor, c *canon.Call) (canon.Value, error) {
	b := c.Arg(1).Bytes()
	g.ChargeGarbage(len(b))
	n, err := d.write(g, b, c.Arg(2).Uint())
	return canon.Uint(uint64(n)), err
}

func fileReadDirectory(g *Guest, d *descriptor, _ *canon.Call) (canon.Value, error) {
	s, err := d.readDirectory()
	return owned(g, &g.entries, s, err)
}

func fileMkdir(g *Guest, d *descriptor, c *canon.Call) (canon.Value, error) {
	return nothing, g.Mkdir(d.fd, c.Arg(1).Text())
}

func fileStat(g *Guest, d *descriptor, _ *canon.Call) (canon.Value, error) {
	s, err := g.Filestat(d.fd)
	return statValue(s), err
}

func fileStatAt(g *Guest, d *descriptor, c *canon.Call) (canon.Value, error) {
	s, err := g.StatAt(d.fd, c.Arg(2).Text(), followsLinks(c.Arg(1)))
	return statValue(s), err
}

func followsLinks(pathFlags canon.Value) bool { return pathFlags.Uint()&1 != 0 }

func statValue(s wasi.Filestat) canon.Value {
	return canon.Tuple(canon.Case(descriptorTypes[s.Type]), canon.Uint(s.Nlink),
		canon.Uint(s.Size), canon.Some(datetime(s.Atim)), canon.Some(datetime(s.Mtim)),
		canon.Some(datetime(s.Ctim)))
}

func fileLinkAt(g *Guest, d *descriptor, c *canon.Call) (canon.Value, error) {
	to := g.descriptors.at(c.Arg(3).Rep())
	return nothing, d.link(g, c.Arg(2).Text(), followsLinks(c.Arg(1)), to, c.Arg(4).Text())
}

func fileOpenAt(g *Guest, d *descriptor, c *canon.Call) (canon.Value, error) {
	opened, err := d.openAt(g, c.Arg(2).Text(), followsLinks(c.Arg(1)),
		openFlags(c.Arg(3).Uint()), descriptorFlags(c.Arg(4).Uint()))
	return owned(g, &g.descriptors, opened, err)
}

func fileReadlink(g *Guest, d *descriptor, c *canon.Call) (canon.Value, error) {
	target, err := d.readlink(g, c.Arg(1).Text())
	return canon.Text(target), err
}

func fileRmdir(g *Guest, d *descriptor, c *canon.Call) (canon.Value, error) {
	return nothing, g.Rmdir(d.fd, c.Arg(1).Text())
}

func fileRename(g *Guest, d *descriptor, c *canon.Call) (canon.Value, error) {
	to := g.descriptors.at(c.Arg(2).Rep())
	return nothing, g.Rename(d.fd, c.Arg(1).Text(), to.fd, c.Arg(3).Text())
}

func fileSymlink(g *Guest, d *descriptor, c *canon.Call) (canon.Value, error) {
	return nothing, g.Symlink(c.Arg(1).Text(), d.fd, c.Arg(2).Text())
}

func fileUnlink(g *Guest, d *descriptor, c *canon.Call) (canon.Value, error) {
	return nothing, g.Unlink(d.fd, c.Arg(1).Text())
}

func fileSameObject(g *Guest, c *canon.Call) error {
	d, other := g.descriptors.at(c.Arg(0).Rep()), g.descriptors.at(c.Arg(1).Rep())
	c.Return(canon.Bool(d.sameObject(g, other)))
	return nil
}

func fileHash(g *Guest, d *descriptor, _ *canon.Call) (canon.Value, error) {
	s, err := g.Filestat(d.fd)
	return hashValue(g.metadataHash(s)), err
}

func fileHashAt(g *Guest, d *descriptor, c *canon.Call) (canon.Value, error) {
	s, err := g.StatAt(d.fd, c.Arg(2).Text(), followsLinks(c.Arg(1)))
	return hashValue(g.metadataHash(s)), err
}

func hashValue(lower, upper uint64) canon.Value {
	return canon.Tuple(canon.Uint(lower), canon.Uint(upper))
}

func readEntry(g *Guest, c *canon.Call) error {
	typ, name, ok, err := g.entries.at(c.Arg(0).Rep()).next(g)
	g.ChargeGarbage(len(name))
	entry := canon.None()
	if ok {
		entry = canon.Some(canon.Tuple(canon.Case(descriptorTypes[typ]), canon.Text(name)))
	}
	return g.returnFile(c, canon.OK(entry), err)
}

// filesystemErrorCode returns the error-code of an error that came from a file.
func filesystemErrorCode(g *Guest, c *canon.Call) error {
	f := g.errors.at(c.Arg(0).Rep())
	if f.of != ofFile {
		c.Return(canon.None())
		return nil
	}
	c.Return(canon.Some(canon.Case(fileCode(f.err))))
	return nil
}

func getDirectories(g *Guest, c *canon.Call) error {
	descriptors, names := g.preopened()
	list := make([]canon.Value, len(descriptors))
	for i, d := range descriptors {
		handle, err := owned(g, &g.descriptors, d, nil)
		if err != nil {
			return err
		}
		g.ChargeGarbage(len(names[i]) + 128)
		list[i] = canon.Tuple(handle, canon.Text(names[i]))
	}
	c.Return(canon.List(list))
	return nil
}
