# Two stages: the second holds the environment and nothing that built it.
ARG PYTHON=3.12
FROM python:${PYTHON}-slim AS build
WORKDIR /src
COPY pyproject.toml README.md LICENSE ./
COPY polyframe ./polyframe
RUN python -m venv /env && /env/bin/pip install --no-cache-dir .

FROM python:${PYTHON}-slim
RUN useradd --create-home --uid 10001 polyframe
COPY --from=build /env /env
# Compiled kernels are cached where the unprivileged user may write.
ENV PATH=/env/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    NUMBA_CACHE_DIR=/tmp/numba
USER polyframe
WORKDIR /data
VOLUME /data
HEALTHCHECK --interval=60s --timeout=20s --start-period=20s --retries=3 \
    CMD ["polyframe", "plugins", "--json"]
ENTRYPOINT ["polyframe"]
CMD ["--help"]
