package runner

// Chroot runs an image's root filesystem, which it leaves as it was: every container writes to a layer of its own, which
// is gone when it ends. Linux and root only.
type Chroot struct {
	Root       string // the directory that holds the image's files; absolute
	Entrypoint string // the image's own, for an action that names none
}

var _ Container = Chroot{}

// imagePath is the PATH that docker gives when an image sets none.
const imagePath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
