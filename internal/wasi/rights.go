package wasi

// Rights are permissions of a descriptor; internal/system decides which of them a call needs. Bits
// 0 to 27 are those of preview 1. Above them preview 1 has SOCK_SHUTDOWN at 28 and SOCK_ACCEPT at
// 29, and WAMR numbers its socket rights differently. A socket has all of bits 27 to 37, which
// satisfies both, and no socket call checks them.
type Rights uint64

const (
	RightFdDatasync Rights = 1 << iota
	RightFdRead
	RightFdSeek
	RightFdstatSetFlags
	RightFdSync
	RightFdTell
	RightFdWrite
	RightFdAdvise
	RightFdAllocate
	RightPathCreateDirectory
	RightPathCreateFile
	RightPathLinkSource
	RightPathLinkTarget
	RightPathOpen
	RightFdReaddir
	RightPathReadlink
	RightPathRenameSource
	RightPathRenameTarget
	RightPathFilestatGet
	RightPathFilestatSetSize
	RightPathFilestatSetTimes
	RightFdFilestatGet
	RightFdFilestatSetSize
	RightFdFilestatSetTimes
	RightPathSymlink
	RightPathRemoveDirectory
	RightPathUnlinkFile
	RightPollFdReadwrite

	rightsSocketsOnly Rights = (1<<38 - 1) &^ (1<<28 - 1) // bits 28 to 37

	// RightsSocket are the rights of a socket, RightsAll the inheriting ones. WAMR reports the same
	// values.
	RightsSocket Rights = RightFdRead | RightFdstatSetFlags | RightFdWrite | RightFdFilestatGet |
		RightPollFdReadwrite | rightsSocketsOnly
	RightsAll Rights = 1<<38 - 1

	// RightsFile are the rights that an open file can have.
	RightsFile = RightFdDatasync | RightFdRead | RightFdSeek | RightFdstatSetFlags | RightFdSync |
		RightFdTell | RightFdWrite |
		RightFdAdvise | RightFdAllocate | RightFdFilestatGet | RightFdFilestatSetSize |
		RightFdFilestatSetTimes | RightPollFdReadwrite

	// RightsDirectory are the rights that a directory can have.
	RightsDirectory = RightFdstatSetFlags | RightFdSync | RightFdAdvise | RightPathCreateDirectory |
		RightPathCreateFile |
		RightPathLinkSource | RightPathLinkTarget | RightPathOpen | RightFdReaddir |
		RightPathReadlink | RightPathRenameSource |
		RightPathRenameTarget | RightPathFilestatGet | RightPathFilestatSetSize |
		RightPathFilestatSetTimes | RightFdFilestatGet |
		RightFdFilestatSetTimes | RightPathSymlink | RightPathRemoveDirectory | RightPathUnlinkFile

	// RightsStream are the rights of stdin, stdout and stderr. They lack seek and tell: wasi-libc's
	// isatty takes a character device without these for a terminal.
	RightsStream = RightFdRead | RightFdstatSetFlags | RightFdSync | RightFdWrite | RightFdAdvise |
		RightFdFilestatGet | RightPollFdReadwrite
)
