# A stand-in for LocalStack's own image, which was not at hand: its release from PyPI, where its Dockerfile puts it.
FROM python:3.13-slim-trixie
RUN mkdir -p /opt/code/localstack /usr/lib/localstack /var/lib/localstack /etc/localstack /tmp/localstack
WORKDIR /opt/code/localstack
RUN --mount=type=cache,target=/root/.cache python -m venv .venv \
 && .venv/bin/python -m pip install --quiet 'localstack-core[runtime]==4.14.0' 'cbor2<6' 'pyopenssl<26'
ENV PATH=/opt/code/localstack/.venv/bin:$PATH PYTHONUNBUFFERED=1
EXPOSE 4566
ENTRYPOINT ["localstack-supervisor"]
