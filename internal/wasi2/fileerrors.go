package wasi2

import "github.com/wasport/wasport/internal/wasi"

// fileErrorCodes defines error-code of wasi:filesystem/types. Its cases have the numbers of
// fileErrnos.
const fileErrorCodes = `
	enum error-code {
		access, would-block, already, bad-descriptor, busy, deadlock, quota, exist, file-too-large,
		illegal-byte-sequence, in-progress, interrupted, invalid, io, is-directory, loop,
		too-many-links, message-size, name-too-long, no-device, no-entry, no-lock,
		insufficient-memory, insufficient-space, not-directory, not-empty, not-recoverable,
		unsupported, no-tty, no-such-device, overflow, not-permitted, pipe, read-only, invalid-seek,
		text-file-busy, cross-device
	}`

// fileErrnos are the errnos that have a case of their own, in its order.
var fileErrnos = [...]wasi.Errno{
	wasi.EACCES, wasi.EAGAIN, wasi.EALREADY, wasi.EBADF, wasi.EBUSY, wasi.EDEADLK, wasi.EDQUOT,
	wasi.EEXIST, wasi.EFBIG, wasi.EILSEQ, wasi.EINPROGRESS, wasi.EINTR, wasi.EINVAL, wasi.EIO,
	wasi.EISDIR, wasi.ELOOP, wasi.EMLINK, wasi.EMSGSIZE, wasi.ENAMETOOLONG, wasi.ENODEV,
	wasi.ENOENT, wasi.ENOLCK, wasi.ENOMEM, wasi.ENOSPC, wasi.ENOTDIR, wasi.ENOTEMPTY,
	wasi.ENOTRECOVERABLE, wasi.ENOTSUP, wasi.ENOTTY, wasi.ENXIO, wasi.EOVERFLOW, wasi.EPERM,
	wasi.EPIPE, wasi.EROFS, wasi.ESPIPE, wasi.ETXTBSY, wasi.EXDEV,
}

// fileCodes maps errnos to cases of error-code.
var fileCodes = func() map[wasi.Errno]int {
	codes := make(map[wasi.Errno]int)
	for code, errno := range fileErrnos {
		codes[errno] = code
	}
	codes[wasi.ENOSYS] = codes[wasi.ENOTSUP]
	codes[wasi.ENOTCAPABLE] = codes[wasi.EPERM]
	return codes
}()

// fileCode returns the case of error-code for an error; io for one that has none.
func fileCode(err error) int {
	if code, ok := fileCodes[wasi.ErrnoOf(err)]; ok {
		return code
	}
	return fileCodes[wasi.EIO]
}
