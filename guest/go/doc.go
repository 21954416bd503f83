// Package goguest is the room of what Go programs need to run as guests: package gonet, which has
// the functions of package net, and package http, which has net/http use them. It holds their
// tests.
package goguest
