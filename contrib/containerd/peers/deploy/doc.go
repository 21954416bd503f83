// Package deploy has no code but tests: of deploy/kubernetes, against the types of Kubernetes' API,
// and of its installer in a directory that stands for a node.
package deploy
