// Package build makes what the cluster is made of and keeps it: Debian's packages by apt-get, Kubernetes and Traefik from
// their Go modules, the container images from Tidegate's sources.
//
// Each product has a key beside it, a digest of what it was made from. While the key fits, nothing is done; so `up` always
// builds first, and notices a changed test service.
package build
