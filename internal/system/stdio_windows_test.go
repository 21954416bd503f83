package system

// devices has no terminal: a program that runs in none cannot open one.
var devices = []device{{"NUL", false}}
