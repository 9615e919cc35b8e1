# The steps are scripts/image-build.sh, which is also tested without Docker.
ARG DEBIAN_RELEASE=bookworm

FROM debian:${DEBIAN_RELEASE}-slim AS build
WORKDIR /source
COPY scripts/image-build.sh scripts/
RUN scripts/image-build.sh build-packages && useradd --create-home build && chown build /source && install -d -o build /app
COPY --chown=build . .
USER build
RUN scripts/image-build.sh app /app

FROM debian:${DEBIAN_RELEASE}-slim
COPY scripts/image-build.sh /tmp/build/scripts/
RUN /tmp/build/scripts/image-build.sh run-packages && rm -r /tmp/build && mkdir -p /data /config
COPY --from=build --chown=root:root /app /app
# "docker compose exec torrx torrx passwd" gives up root on the same way as the start.
RUN ln -s /app/scripts/image-entrypoint.sh /usr/local/bin/torrx
# Says to the program that its own network address is none that other machines could use.
ENV container=oci
# Defaults of the configuration are relative to /, hence /data/downloads, /data/torrx.db, /data/tmp, /config/torrx.yaml.
WORKDIR /
VOLUME ["/data", "/config"]
EXPOSE 8080/tcp 51414/tcp 51414/udp
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=10s --retries=3 \
  CMD ["/app/bin/bun", "--no-env-file", "/app/scripts/image-health.ts"]
ENTRYPOINT ["/app/scripts/image-entrypoint.sh"]
CMD ["start"]
