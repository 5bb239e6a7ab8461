# One image for every service of docker-compose.yml: the lab, what deploys to it, what loads it, what compares.
# Nothing in it needs a registry other than for this line: no syntax directive, no digest.
FROM python:3.13-slim-trixie AS base

# The packages to install; a change elsewhere in pyproject.toml leaves the list as it is, and so the layers after it.
FROM base AS requirements
COPY requirements.lock pyproject.toml bin/image-requirements /
RUN cd / && ./image-requirements > /requirements.txt && awk '/^uv==/,!/\\$/' requirements.lock > /uv.txt

FROM base
ENV PATH=/opt/rydelab/bin:$PATH
COPY --from=requirements /requirements.txt /uv.txt /opt/
# uv installs in seconds, and stays out of the image. Its own certificates would not do behind a proxy that the base
# image trusts. Bytecode is for what is loaded often. The jars are for Amazon's Kinesis client, which needs Java.
RUN --mount=type=cache,target=/root/.cache --mount=type=tmpfs,target=/tmp \
    python -m venv --without-pip /opt/rydelab \
 && pip install --quiet --root-user-action ignore --target /tmp/uv --require-hashes -r /opt/uv.txt \
 && VIRTUAL_ENV=/opt/rydelab UV_LINK_MODE=copy /tmp/uv/bin/uv pip install --quiet --system-certs --no-deps \
      --require-hashes -r /opt/requirements.txt \
 && rm -r /opt/rydelab/lib/python3.13/site-packages/amazon_kclpy/jars \
 && python -W ignore -m compileall -q -j 0 -x '/(awscli|mpmath|networkx|sympy|tests?)/' /opt/rydelab/lib
# LocalStack's index of all AWS services, which it would otherwise build at every start.
RUN mkdir -p /opt/rydelab/share/localstack/usr/lib/localstack \
 && FILESYSTEM_ROOT=/opt/rydelab/share/localstack OVERRIDE_IN_DOCKER=0 \
      python -c 'from localstack.aws import spec; spec.main()'

WORKDIR /rydelab
COPY . .
RUN pip --python /opt/rydelab/bin/python install --quiet --root-user-action ignore --no-cache-dir --no-deps \
      --no-build-isolation --editable . \
 && python -m compileall -q src bootstrap \
 && mkdir -m 0755 results

# Numbers, for engines that check that a user is not root. Compose makes every folder that is written to a tmpfs.
USER 10001:10001
ENV HOME=/tmp RYDELAB_DATA_DIR=/tmp/rydelab RYDELAB_IN_CONTAINER=1 PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
# A plug-in that does not load ends the build here, with its name.
RUN --mount=type=tmpfs,target=/tmp python -m rydelab.lab.emulation.container --check
CMD ["python", "-m", "rydelab.lab.emulation.container"]
