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
RUN useradd --uid 10001 --home-dir /data --create-home falgate
USER falgate
ENV FALGATE_LISTEN=0.0.0.0:8080 FALGATE_DATA_DIR=/data
VOLUME /data
EXPOSE 8080
HEALTHCHECK CMD ["/opt/falgate/bin/python", "-c", \
    "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8080/healthz')"]
ENTRYPOINT ["/opt/falgate/bin/falgate"]
CMD ["serve"]
