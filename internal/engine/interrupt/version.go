package interrupt

// Version is that of Rewrite. Two builds of this package with the same version make the same module
// of the same input and options. A cache of rewritten modules relies on it.
//
// It is a hash of the package's sources, without comments. A test tells the new one.
const Version = "a4de149e89c993f0"
