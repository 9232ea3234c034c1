# The server. The build context is the root of the repository:
#
#     docker build -f ops/docker/server.Dockerfile -t chat-server .
#     docker network create chat
#     docker run -d --network chat --name chat-server -v chat-data:/data chat-server
#
# History and accounts are in the volume /data. Another configuration is mounted over the default one
# (-v ./server.toml:/etc/chat/server.toml:ro), or single keys are set (-e CHAT_LIMITS__RATE_PER_SECOND=5).

FROM rust:1.95-slim-bookworm AS build
WORKDIR /src
COPY . .
# One step, so that the layer holds the program and not the gigabytes it was made from. No cache mount:
# this file builds with and without BuildKit.
RUN cargo build --release --locked -p chat-server \
 && mv target/release/chat-server /usr/local/bin/ \
 && rm -r target "$CARGO_HOME/registry"

FROM debian:bookworm-slim
# The id is fixed so that a bind mount can be given to it; a new named volume takes over the owner of /data.
RUN useradd --uid 10001 --user-group --no-create-home --home-dir /data --shell /usr/sbin/nologin chat \
 && install -d -o chat -g chat -m 700 /data
COPY ops/server.toml /etc/chat/server.toml
COPY --from=build /usr/local/bin/chat-server /usr/local/bin/

# The default, loopback, cannot be reached from outside a container, so this wins over a mounted file:
# another port is a matter of --publish. Relative paths of the configuration begin at the volume.
ENV CHAT_LISTEN__TCP=0.0.0.0:12345
WORKDIR /data
VOLUME /data
EXPOSE 12345 8080
USER chat

STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --retries=3 \
    CMD ["chat-server", "--config", "/etc/chat/server.toml", "healthcheck"]
ENTRYPOINT ["chat-server", "--config", "/etc/chat/server.toml"]
