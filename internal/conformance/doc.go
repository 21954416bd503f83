// Package conformance holds small programs in C, in the folder src, that its test compiles twice:
// for this machine, and for wasport. Both are run against the same peers, and must print the same.
// What they print is results and errors by name, so the machine's own C library and its kernel say
// what is right.
package conformance
