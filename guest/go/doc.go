// Package goguest tests the packages that give Go programs the network when they run as guests:
// gonet, with the functions of package net, and http, which makes net/http use gonet. The package
// has no code of its own.
package goguest
