#!/usr/bin/env bash
# Builds the Action's image from the Dockerfile and unpacks its file system:
#
#   testdata/image/build.sh OUT      # writes OUT/rootfs and OUT/size (bytes)
#
# With a Docker engine it is `docker build`. Without one it is buildah (as root), and where no registry can be reached
# the build stage's base is made here, under the name that the Dockerfile gives it: the machine's own Go, make, a shell
# and the CA certificates are all that the build needs of it.
set -euo pipefail
out=$(mkdir -p "$1" && cd "$1" && pwd)
repository=$(cd "$(dirname "$0")/../.." && pwd)
image=tidegate-action:local
version=$(git -C "$repository" describe --tags --always --dirty 2>/dev/null || echo dev)
rm -rf "$out/rootfs"
mkdir "$out/rootfs"

if docker info >/dev/null 2>&1; then
  docker build -q --build-arg VERSION="$version" -t "$image" "$repository" >&2
  container=$(docker create "$image")
  docker export "$container" | tar -C "$out/rootfs" -x
  docker rm "$container" >/dev/null
  find "$out/rootfs" -type f -printf '%s\n' | awk '{n += $1} END {print n}' > "$out/size"
  exit
fi

cache=${XDG_CACHE_HOME:-$HOME/.cache}/tidegate-image
mkdir -p "$cache"
# The store is this script's own; its metadata must not be shared with one of another driver.
b() { buildah --storage-driver vfs --root "$cache/storage" --runroot "$cache/run" "$@"; }

base=$(sed -n 's/^FROM \(.*\) AS build$/\1/p' "$repository/Dockerfile")
goroot=$(go env GOROOT)
stamp=$(go version | cut -d' ' -f3)

make_base() {
  local root=$cache/base
  rm -rf "$root"
  mkdir -p "$root"/{bin,tmp,go,root,usr/bin,usr/local,etc/ssl/certs,lib64}
  cp "$(command -v busybox)" "$root/bin/busybox"
  "$root/bin/busybox" --list | grep -v "^busybox$" | while read -r tool; do ln -sf busybox "$root/bin/$tool"; done
  local make; make=$(command -v make)
  cp "$make" "$root/usr/bin/make"
  ldd "$make" | grep -o '/[^ ]*' | while read -r library; do mkdir -p "$root$(dirname "$library")" && cp -L "$library" "$root$library"; done
  cp -a "$goroot" "$root/usr/local/go"
  cp -L /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"
  local container; container=$(b from scratch)
  b add -q "$container" "$root" / >/dev/null
  b config --env PATH=/usr/local/go/bin:/usr/bin:/bin --env GOPATH=/go --env HOME=/root --env GOTOOLCHAIN=local "$container"
  b commit -q "$container" "$base" >/dev/null
  b rm "$container" >/dev/null
  rm -rf "$root"
  echo "$stamp" > "$cache/base.made"
}

if [ "$(cat "$cache/base.made" 2>/dev/null)" != "$stamp" ] || ! b inspect --type image "$base" >/dev/null 2>&1; then
  rm -f "$cache/base.made"
  if b pull -q --policy always "$base" >/dev/null 2>&1; then echo "$stamp" > "$cache/base.made"; else make_base; fi
fi

settings=()
for name in GOPROXY GONOSUMDB GONOSUMCHECK GOSUMDB GOFLAGS; do
  value=$(go env "$name" 2>/dev/null || true)
  [ -z "$value" ] || settings+=(--env "$name=$value")
done
b bud -q --isolation chroot --pull-never --build-arg VERSION="$version" "${settings[@]}" \
  --volume "$(go env GOMODCACHE):/go/pkg/mod" --volume "$(go env GOCACHE):/root/.cache/go-build" \
  -f "$repository/Dockerfile" -t "$image" "$repository" >&2
container=$(b from --pull-never "$image")
cp -a "$(b mount "$container")/." "$out/rootfs/"
b rm "$container" >/dev/null
find "$out/rootfs" -type f -printf '%s\n' | awk '{n += $1} END {print n}' > "$out/size"
