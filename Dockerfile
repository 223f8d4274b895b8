# The Action's image: one static binary. It runs as root, as GitHub asks of container actions, and has no USER and no
# WORKDIR: the runner sets both the folder and its mounts.
FROM golang:1.26-bookworm AS build
ARG VERSION=dev
ARG TARGETOS
ARG TARGETARCH
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN GOOS=$TARGETOS GOARCH=$TARGETARCH make build VERSION=$VERSION \
 && mkdir -p /image/etc/ssl/certs \
 && cp bin/tidegate /image/tidegate \
 && ln -s tidegate /image/tidegate-post \
 && mkdir -m 1777 /image/tmp \
 && cp /etc/ssl/certs/ca-certificates.crt /image/etc/ssl/certs/ \
 && cp "$(go env GOROOT)/lib/time/zoneinfo.zip" /image/etc/zoneinfo.zip

FROM scratch
LABEL org.opencontainers.image.title=Tidegate \
      org.opencontainers.image.source=https://github.com/tidegate/tidegate \
      org.opencontainers.image.licenses=Apache-2.0
ENV ZONEINFO=/etc/zoneinfo.zip
COPY --from=build /image/ /
ENTRYPOINT ["/tidegate"]
