package wasi2

// reuseOnBind tells whether a listener needs SO_REUSEADDR to bind a port with connections of an
// earlier one. On Windows it would share the port with another listener.
const reuseOnBind = false
