package wasi

// Rights say what may be done with a descriptor; package system decides which of them calls ask
// for. Bits up to 27 are those of preview 1. Above them WAMR numbered its socket rights differently
// from preview 1, which has SOCK_SHUTDOWN at 28 and SOCK_ACCEPT at 29. A socket carries all of 27
// to 37, which satisfies both, and socket calls do not test them.
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

	rightsSocketsOnly Rights = (1<<38 - 1) &^ (1<<28 - 1) // 28 to 37

	// RightsSocket is what a socket has, and RightsAll what it may hand on; the values that WAMR
	// reports.
	RightsSocket Rights = RightFdRead | RightFdstatSetFlags | RightFdWrite | RightFdFilestatGet |
		RightPollFdReadwrite | rightsSocketsOnly
	RightsAll Rights = 1<<38 - 1

	// RightsFile is what an open file can have.
	RightsFile = RightFdDatasync | RightFdRead | RightFdSeek | RightFdstatSetFlags | RightFdSync |
		RightFdTell | RightFdWrite |
		RightFdAdvise | RightFdAllocate | RightFdFilestatGet | RightFdFilestatSetSize |
		RightFdFilestatSetTimes | RightPollFdReadwrite

	// RightsDirectory is what a directory can have.
	RightsDirectory = RightFdstatSetFlags | RightFdSync | RightFdAdvise | RightPathCreateDirectory |
		RightPathCreateFile |
		RightPathLinkSource | RightPathLinkTarget | RightPathOpen | RightFdReaddir |
		RightPathReadlink | RightPathRenameSource |
		RightPathRenameTarget | RightPathFilestatGet | RightPathFilestatSetSize |
		RightPathFilestatSetTimes | RightFdFilestatGet |
		RightFdFilestatSetTimes | RightPathSymlink | RightPathRemoveDirectory | RightPathUnlinkFile

	// RightsStream is what stdin, stdout and stderr have: neither seek nor tell, by which C
	// libraries recognise a terminal.
	RightsStream = RightFdRead | RightFdstatSetFlags | RightFdSync | RightFdWrite | RightFdAdvise |
		RightFdFilestatGet | RightPollFdReadwrite
)
