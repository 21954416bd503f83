package main

import "io/fs"

// othersWrite leaves it to the access list that a user's directories have.
func othersWrite(fs.FileInfo) string { return "" }
