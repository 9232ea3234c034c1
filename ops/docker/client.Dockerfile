# The client. The build context is the root of the repository:
#
#     docker build -f ops/docker/client.Dockerfile -t chat-client .
#     docker run -it --rm --network chat chat-client chat-server --nick ana
#
# Recordings (/record) are in /home/chat; mount a folder there to keep them. -e TZ=Europe/Madrid
# sets the time zone.

FROM rust:1.95-slim-bookworm AS build
WORKDIR /src
COPY . .
# One step, so that the layer has the program without the build directory. No cache mount, so that
# this file builds with and without BuildKit.
RUN cargo build --release --locked -p chat-client \
 && mv target/release/chat-client /usr/local/bin/ \
 && rm -r target "$CARGO_HOME/registry"

FROM debian:bookworm-slim
RUN useradd --uid 10001 --user-group --create-home --shell /usr/sbin/nologin chat
COPY --from=build /usr/local/bin/chat-client /usr/local/bin/
# Completions and manual pages, for use inside the container or to copy out.
RUN cd /usr/local/share \
 && mkdir -p bash-completion/completions zsh/site-functions fish/vendor_completions.d \
 && chat-client completions bash >bash-completion/completions/chat-client \
 && chat-client completions zsh >zsh/site-functions/_chat-client \
 && chat-client completions fish >fish/vendor_completions.d/chat-client.fish \
 && chat-client man man/man1

# The default server: the container of this name in the network.
ENV CHAT_SERVER=chat-server LANG=C.UTF-8
WORKDIR /home/chat
USER chat

# The signal of Ctrl-C: the client says goodbye.
STOPSIGNAL SIGINT
ENTRYPOINT ["chat-client"]
