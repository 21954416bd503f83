package wasi

// Filetype is the kind of thing that a descriptor or a path names.
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
)

// Fdflags are the flags of an open descriptor.
type Fdflags uint16

const (
	FdflagAppend Fdflags = 1 << iota
	FdflagDsync
	FdflagNonblock
	FdflagRsync
	FdflagSync

	FdflagsAll = FdflagAppend | FdflagDsync | FdflagNonblock | FdflagRsync | FdflagSync
)

// Oflags of path_open.
const (
	OflagCreat = 1 << iota
	OflagDirectory
	OflagExcl
	OflagTrunc

	OflagsAll = OflagCreat | OflagDirectory | OflagExcl | OflagTrunc
)

// LookupSymlinkFollow, of the path functions, follows a symbolic link in the last component.
const LookupSymlinkFollow = 1

// Fstflags of the functions that set times.
const (
	FstflagAtim = 1 << iota
	FstflagAtimNow
	FstflagMtim
	FstflagMtimNow

	FstflagsAll = FstflagAtim | FstflagAtimNow | FstflagMtim | FstflagMtimNow
)

// Clocks.
const (
	ClockRealtime = iota
	ClockMonotonic
	ClockProcessCPU
	ClockThreadCPU
)

// Whence of fd_seek.
const (
	WhenceSet = iota
	WhenceCur
	WhenceEnd
)

// Flags of receiving, and what receiving reports.
const (
	RiflagPeek    = 1
	RiflagWaitall = 2
	Riflags       = RiflagPeek | RiflagWaitall

	RoflagDataTruncated = 1
)

// Types of events, and the flags of subscriptions and events.
const (
	EventClock = iota
	EventFdRead
	EventFdWrite
	EventFdFail // wasport's own: the descriptor has failed or hung up

	SubclockAbstime = 1
	EventHangup     = 1
)

// Enums of WAMR's socket functions.
const (
	AddressFamilyInet4  = 0
	AddressFamilyInet6  = 1
	AddressFamilyUnspec = 2 // hints only

	SocketTypeAny    = -1 // hints only
	SocketTypeDgram  = 0
	SocketTypeStream = 1

	AddrKindIPv4 = 0
	AddrKindIPv6 = 1
)
