# The server. The build context is the root of the repository:
#
#     docker build -f ops/docker/server.Dockerfile -t chat-server .
#     docker network create chat
#     docker run -d --network chat --name chat-server -v chat-data:/data chat-server
#
# History and accounts are in the volume /data. To change the configuration, mount a file over the
# default (-v ./server.toml:/etc/chat/server.toml:ro) or set single keys (-e
# CHAT_LIMITS__RATE_PER_SECOND=5).

FROM rust:1.95-slim-bookworm AS build
WORKDIR /src
COPY . .
# One step, so that the layer has the program without the build directory. No cache mount, so that
# this file builds with and without BuildKit.
RUN cargo build --release --locked -p chat-server \
 && mv target/release/chat-server /usr/local/bin/ \
 && rm -r target "$CARGO_HOME/registry"

FROM debian:bookworm-slim
# A fixed id, so that the owner of a bind mount can be set to it. A new named volume gets the owner
# of /data.
RUN useradd --uid 10001 --user-group --no-create-home --home-dir /data --shell /usr/sbin/nologin chat \
 && install -d -o chat -g chat -m 700 /data
COPY ops/server.toml /etc/chat/server.toml
COPY --from=build /usr/local/bin/chat-server /usr/local/bin/

# The default, loopback, is not reachable from outside the container. This variable overrides a
# mounted file; use --publish for another port. Relative paths in the configuration start at the
# volume.
ENV CHAT_LISTEN__TCP=0.0.0.0:12345
WORKDIR /data
VOLUME /data
EXPOSE 12345 8080
USER chat

STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --retries=3 \
    CMD ["chat-server", "--config", "/etc/chat/server.toml", "healthcheck"]
ENTRYPOINT ["chat-server", "--config", "/etc/chat/server.toml"]
