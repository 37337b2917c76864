# syntax=docker/dockerfile:1
# The build stage needs npm; the runtime itself comes from the npm package `node`.
FROM debian:12-slim AS build
RUN apt-get update && apt-get install -y --no-install-recommends nodejs npm ca-certificates libatomic1 \
  && rm -rf /var/lib/apt/lists/*
WORKDIR /build
COPY package.json package-lock.json .npmrc ./
COPY scripts ./scripts
RUN npm ci
COPY tsconfig.json tsconfig.build.json ./
COPY src ./src
RUN npm run build && npm prune --omit=dev && mkdir -p /data && chown 65532:65532 /data

# Nothing but the files below; runs as a user without a name, and needs no shell.
FROM debian:12-slim
RUN apt-get update && apt-get install -y --no-install-recommends libatomic1 \
  && rm -rf /var/lib/apt/lists/*
WORKDIR /app
COPY --from=build /build/node_modules ./node_modules
COPY --from=build /build/package.json ./package.json
COPY --from=build /build/dist ./dist
COPY deploy ./deploy
COPY --from=build --chown=65532:65532 /data /data
ENV NODE_ENV=production SALLYPORT_CONFIG=/etc/sallyport/config.yaml
USER 65532:65532
VOLUME /data
EXPOSE 9091
HEALTHCHECK --interval=30s --timeout=5s --start-period=5s \
  CMD ["/app/node_modules/node/bin/node", "/app/dist/main.js", "healthcheck"]
ENTRYPOINT ["/app/node_modules/node/bin/node", "/app/dist/main.js"]
CMD ["serve"]
