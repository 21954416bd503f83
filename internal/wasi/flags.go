package wasi

// Filetype is the type of a file, stream or socket.
type Filetype uint8

const (
	FiletypeUnknown Filetype = iota
	FiletypeBlockDevice
	FiletypeCharacterDevice
	FiletypeDirectory
	FiletypeRegularFile
	FiletypeSocketDgram
	FiletypeSocketStream
	FiletypeSymbolicLink

	// FiletypePipe is a pipe or FIFO. Preview 1 has no number for it, so structures of guests get
	// FiletypeUnknown.
	FiletypePipe
)

// number returns the number in structures of preview 1.
func (t Filetype) number() uint8 {
	if t == FiletypePipe {
		t = FiletypeUnknown
	}
	return uint8(t)
}

// Fdflags are the flags of a descriptor.
type Fdflags uint16

const (
	FdflagAppend Fdflags = 1 << iota
	FdflagDsync
	FdflagNonblock
	FdflagRsync
	FdflagSync

	FdflagsAll = FdflagAppend | FdflagDsync | FdflagNonblock | FdflagRsync | FdflagSync
)

// Flags of path_open.
const (
	OflagCreat = 1 << iota
	OflagDirectory
	OflagExcl
	OflagTrunc

	OflagsAll = OflagCreat | OflagDirectory | OflagExcl | OflagTrunc
)

// LookupSymlinkFollow makes a path function follow a symbolic link in the last component.
const LookupSymlinkFollow = 1

// Flags of the functions that set times.
const (
	FstflagAtim = 1 << iota
	FstflagAtimNow
	FstflagMtim
	FstflagMtimNow

	FstflagsAll = FstflagAtim | FstflagAtimNow | FstflagMtim | FstflagMtimNow
)

// Clocks of clock_time_get.
const (
	ClockRealtime = iota
	ClockMonotonic
	ClockProcessCPU
	ClockThreadCPU
)

// Origins of fd_seek.
const (
	WhenceSet = iota
	WhenceCur
	WhenceEnd
)

// Flags of sock_recv, and the flags that it returns.
const (
	RiflagPeek    = 1
	RiflagWaitall = 2
	Riflags       = RiflagPeek | RiflagWaitall

	RoflagDataTruncated = 1
)

// Types of events, and flags of subscriptions and events.
const (
	EventClock = iota
	EventFdRead
	EventFdWrite
	EventFdFail // an extension of wasport: the descriptor failed or hung up

	SubclockAbstime = 1
	EventHangup     = 1
)

// Enumerations of WAMR's socket functions (wasi_socket_ext.h).
const (
	AddressFamilyInet4  = 0
	AddressFamilyInet6  = 1
	AddressFamilyUnspec = 2 // in hints only

	SocketTypeAny    = -1 // in hints only
	SocketTypeDgram  = 0
	SocketTypeStream = 1

	AddrKindIPv4 = 0
	AddrKindIPv6 = 1
)
