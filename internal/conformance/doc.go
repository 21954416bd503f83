// Package conformance holds small programs in C, in the folder src, which its test compiles twice:
// for this machine, and for wasport. Both run against the same peers, and must print the same
// lines: results and errors by their names. So the machine's own C library and kernel are the
// reference.
package conformance
