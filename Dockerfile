# falgate as a container: no root, nothing to write but /data.
FROM python:3.11-slim-bookworm AS build
WORKDIR /src
RUN python -m venv /opt/falgate
COPY requirements.lock ./
RUN /opt/falgate/bin/pip install --no-cache-dir --require-hashes --no-deps --only-binary :all: \
    -r requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY service service
RUN PATH="/opt/falgate/bin:$PATH" pip install --no-cache-dir --no-deps --no-build-isolation \
    --no-index .

FROM python:3.11-slim-bookworm
COPY --from=build /opt/falgate /opt/falgate
RUN useradd --uid 10001 --home-dir /data --create-home falgate && chmod 700 /data
USER falgate
ENV PATH=/opt/falgate/bin:$PATH FALGATE_LISTEN=0.0.0.0:8080 FALGATE_DATA_DIR=/data
VOLUME /data
EXPOSE 8080 8443
# Asks where the settings say that it listens.
HEALTHCHECK --interval=30s --timeout=10s --start-period=30s \
    CMD ["falgate", "health"]
ENTRYPOINT ["falgate"]
CMD ["serve"]
