package codecache

import "io/fs"

// keyExposure leaves it to the access list that a user's directories have.
func keyExposure(fs.FileInfo) string { return "" }
