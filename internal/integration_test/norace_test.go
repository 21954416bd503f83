//go:build !race

package integration_test

// measured says whether a test may judge how long something took.
const measured = true
