package hostfs

// windowsPaths have a meaning of their own on Windows: drives, UNC paths, devices, streams, and
// names that Windows changes. Elsewhere they are names like others.
var windowsPaths = []string{
	`C:`, `C:\`, `C:/`, `C:file`, `c:\Windows\win.ini`, `C:/Windows/win.ini`, `\`, `\file`,
	`\\server\share\file`, `//server/share/file`, `\\?\C:\Windows\win.ini`, `//?/C:/Windows`,
	`\\.\C:`, `//./C:`, `\\.\NUL`, `//./pipe/x`, `\??\C:\Windows`, `\Device\Null`,
	`//?/UNC/server/share`, `\\?\UNC\server\share\x`, `\\?\GLOBALROOT\Device\Null`, `dir\sub/../file`,
	`dir/..\file`, `dir/sub\..\..\..\secret`, `./C:/x`, `dir/C:`, `dir/C:\x`, `dir/\\?\C:\x`,
	`..\secret`, `dir\..\..\secret`, `dir/..\..\secret`, `dir\sub`, `.\file`,
	"NUL", "nul", "NUL.txt", "NUL ", "NUL .txt", "NUL:", "dir/NUL", "dir/sub/../NUL", "CON",
	"con.wasm", "CONIN$", "CONOUT$", "AUX", "PRN", "COM1", "com9.log", "COM¹", "COM²", "COM³.x",
	"COM1 .x", "com¹.txt", "LPT³ .x", "CONIN$ ", "conout$.x", "CONIN$:", "NUL..x",
	"NUL.x.y", "aux/..",
	"LPT1", "LPT9 ", "LPT¹", "COM1/", "NUL/x", "dir/CON/x",
	"file:stream", "file::$DATA", "dir::$INDEX_ALLOCATION", "dir:$I30:$INDEX_ALLOCATION",
	"dir::$INDEX_ALLOCATION/sub", ":stream", "file:", "dir/file:x",
	"file.", "file ", "file. .", "file...", "dir./sub", "dir /sub", "dir../secret", "... ", "...",
	".. /secret", "../secret ", ". ./secret",
	"file*", "fil?", "fi\"le", "<file", "file>", "a|b", "a\x01", "a\x1fb",
}
