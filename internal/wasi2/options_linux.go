package wasi2

// bufferFactor is how many times the size of a buffer as it was set Linux reports (socket(7),
// SO_RCVBUF).
const bufferFactor = 2
