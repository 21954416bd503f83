package needs

import "golang.org/x/sys/windows"

// onWine asks for the function that Wine's developers name to tell it from Windows; see "How can I
// detect Wine?" in Wine's Developer FAQ.
func onWine() bool {
	return windows.NewLazySystemDLL("ntdll.dll").NewProc("wine_get_version").Find() == nil
}

// System returns the name of the system that the tests meet. Wine passes options of sockets on to
// the Linux beneath.
func System() string {
	if onWine() {
		return "linux"
	}
	return "windows"
}
