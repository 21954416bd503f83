package recording

import "golang.org/x/sys/windows"

// platform names the platform that the test runs on, "" for one that is never recorded. Windows is
// recorded under Wine, which has a function that Windows lacks; see "How can I detect Wine?" in
// Wine's Developer FAQ.
func platform() string {
	if windows.NewLazySystemDLL("ntdll.dll").NewProc("wine_get_version").Find() != nil {
		return ""
	}
	return "wine"
}
