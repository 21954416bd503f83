//go:build race

package integration_test

// canMeasure says whether a test may judge how long something took.
const canMeasure = false
