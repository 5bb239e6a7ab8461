# A stand-in for LocalStack's own image, which was not at hand: LocalStack's release from PyPI, as our image has it, in
# the folders where LocalStack's Dockerfile puts it, and without what is ours.
FROM rydelab AS packages

FROM python:3.13-slim-trixie
RUN mkdir -p /opt/code/localstack /usr/lib/localstack /var/lib/localstack /etc/localstack /tmp/localstack
WORKDIR /opt/code/localstack
RUN python -m venv .venv
COPY --from=packages /opt/rydelab/lib/python3.13/site-packages .venv/lib/python3.13/site-packages
RUN .venv/bin/python -m pip uninstall --quiet --yes rydelab awslambdaric cheroot sortedcontainers locust vl-convert-python
ENV PATH=/opt/code/localstack/.venv/bin:$PATH PYTHONUNBUFFERED=1
EXPOSE 4566
ENTRYPOINT ["python", "-m", "localstack.runtime.main"]
