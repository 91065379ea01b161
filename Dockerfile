# One image for every role: `lookreel serve`, `work`, `migrate`, … Postgres, Redis and S3 come from outside.

FROM rust:1.96-bookworm AS build
COPY --from=node:22-bookworm-slim /usr/local/ /usr/local/
RUN rustup target add wasm32-unknown-unknown
WORKDIR /src
# The tool has to be of the patch that Cargo.lock has.
COPY Cargo.lock .
RUN cargo install --root /usr/local \
      --version "=$(awk '/^name = "wasm-bindgen"$/ { getline; gsub(/"/, "", $3); print $3; exit }' Cargo.lock)" wasm-bindgen-cli
COPY frontend/package.json frontend/package-lock.json frontend/
RUN npm ci --prefix frontend --no-audit --no-fund
COPY . .
ENV CARGO_TARGET_DIR=/src/target SQLX_OFFLINE=true
RUN scripts/build-site
RUN cargo build --release --package server

FROM debian:bookworm-slim
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates ffmpeg bubblewrap \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --system --create-home lookreel \
 && install --directory --owner lookreel --mode 0700 /var/lib/lookreel
WORKDIR /app
COPY --from=build /src/target/release/lookreel /app/lookreel
COPY --from=build /src/target/site /app/site
ENV LEPTOS_SITE_ROOT=/app/site \
    WORK_DIR=/var/lib/lookreel
USER lookreel
EXPOSE 3000
ENTRYPOINT ["/app/lookreel"]
CMD ["serve"]
