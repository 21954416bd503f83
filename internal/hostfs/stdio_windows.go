package hostfs

import (
	"os"
	"unsafe"

	"golang.org/x/sys/windows"
)

// FromOS makes a File of an open file of the process, such as os.Stdin, or a Stream of one that
// Windows cannot read or write without blocking: a console, a pipe, a socket or another device than
// NUL. A File duplicates the handle, which shares the position. A Stream uses the os.File itself.
func FromOS(file *os.File) (File, *Stream, error) {
	conn, err := file.SyscallConn()
	if err != nil {
		return nil, nil, posix(err)
	}
	var own windows.Handle
	var s *Stream
	var openErr error
	err = conn.Control(func(h uintptr) {
		handle := windows.Handle(h)
		if s, openErr = streamOf(file, handle); s != nil || openErr != nil {
			return
		}
		self := windows.CurrentProcess()
		openErr = windows.DuplicateHandle(self, handle, self, &own, 0, false,
			windows.DUPLICATE_SAME_ACCESS)
	})
	if err == nil {
		err = openErr
	}
	if err != nil || s != nil {
		return nil, s, posix(err)
	}
	f := newFile(os.NewFile(uintptr(own), file.Name()), inheritedFlags(own))
	info, err := f.file.Stat()
	if err != nil {
		f.file.Close()
		return nil, nil, posix(err)
	}
	f.typ = statOf(info).Type
	return f, nil, nil
}

// streamOf returns nil for a file of a disk and for NUL, which never block.
func streamOf(file *os.File, h windows.Handle) (*Stream, error) {
	kind, err := windows.GetFileType(h)
	if err != nil {
		return nil, err
	}
	stream := func(typ FileType) *Stream {
		return &Stream{file: file, in: file, stat: Stat{Type: typ, Nlink: 1}}
	}
	var mode uint32
	switch {
	case kind == windows.FILE_TYPE_DISK || kind == windows.FILE_TYPE_CHAR && isNull(h):
		return nil, nil
	case kind == windows.FILE_TYPE_CHAR && windows.GetConsoleMode(h, &mode) == nil:
		s := stream(CharDevice)
		s.in, s.terminal = newConsoleReader(h), true
		return s, nil
	case kind == windows.FILE_TYPE_CHAR:
		return stream(CharDevice), nil
	case kind == windows.FILE_TYPE_PIPE:
		return stream(Pipe), nil
	}
	return stream(UnknownType), nil
}

var (
	ntdll                        = windows.NewLazySystemDLL("ntdll.dll")
	ntQueryVolumeInformationFile = ntdll.NewProc("NtQueryVolumeInformationFile")
)

// Numbers of ntifs.h and wdm.h (Windows Driver Kit).
const (
	fileFsDeviceInformation = 4
	fileDeviceNull          = 0x15
	fileAccessInformation   = 8
)

// isNull reports whether a device is NUL.
func isNull(h windows.Handle) bool {
	var status windows.IO_STATUS_BLOCK
	var device struct{ kind, characteristics uint32 } // FILE_FS_DEVICE_INFORMATION
	r, _, _ := ntQueryVolumeInformationFile.Call(uintptr(h), uintptr(unsafe.Pointer(&status)),
		uintptr(unsafe.Pointer(&device)), unsafe.Sizeof(device), fileFsDeviceInformation)
	return r == 0 && device.kind == fileDeviceNull
}

// inheritedFlags returns Append for a handle that may only write at the end of its file.
func inheritedFlags(h windows.Handle) Flags {
	var status windows.IO_STATUS_BLOCK
	var access uint32 // FILE_ACCESS_INFORMATION
	err := windows.NtQueryInformationFile(h, &status, (*byte)(unsafe.Pointer(&access)),
		uint32(unsafe.Sizeof(access)), fileAccessInformation)
	const both = windows.FILE_WRITE_DATA | windows.FILE_APPEND_DATA
	if err == nil && access&both == windows.FILE_APPEND_DATA {
		return Append
	}
	return 0
}
