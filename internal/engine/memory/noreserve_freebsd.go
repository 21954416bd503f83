package memory

// noReserve is empty, since FreeBSD has no such flag (mmap(2)).
const noReserve = 0
