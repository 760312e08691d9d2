# The gateway alone: a static binary that runs as nobody in an otherwise empty image.
#
#   docker build -t asyncgate .
#   docker run -v "$PWD/deployment:/etc/asyncgate:ro" -p 18092-18192:18092-18192 asyncgate run /etc/asyncgate/asyncapi.yml
FROM golang:1.26 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG VERSION=devel
RUN CGO_ENABLED=0 go build -trimpath -ldflags "-s -w -X main.version=$VERSION" -o /asyncgate ./cmd/asyncgate

FROM scratch
# For upstreams whose certificates public authorities signed.
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /asyncgate /asyncgate
USER 65532:65532
ENTRYPOINT ["/asyncgate"]
