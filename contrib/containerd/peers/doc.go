// Package peers has no code but tests: the shim under the containerd of Debian 12 and a containerd
// 2.4 that is built from its module, with runc beside it and crictl in front. Each test starts a
// containerd of its own, in namespaces that the test binary makes, and reaches no registry. The
// tests take root, and Debian's packages containerd, runc and containernetworking-plugins. This Go
// module is apart because the dependencies of containerd and crictl are no concern of the shim.
package peers
