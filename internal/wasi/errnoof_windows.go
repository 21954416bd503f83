package wasi

// someErrnos is empty: no error of Windows is translated to an errno that some systems lack.
var someErrnos []hostErrno
