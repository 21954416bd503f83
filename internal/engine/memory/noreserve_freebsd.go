package memory

// FreeBSD accounts for memory when it is touched, and has no flag to ask for that.
const noReserve = 0
