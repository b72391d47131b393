# Build: docker build -t evo .
#        For a Ray cluster (docs/cluster.md): --build-arg EXTRAS=ray
#        For the smaller CPU build of torch, give PyTorch's own index of it: --build-arg TORCH_INDEX=URL.
# Run:   docker run --rm -it --gpus all --security-opt seccomp=unconfined --security-opt apparmor=unconfined \
#            -v "$PWD:/project" evo run --pop 16 --gens 40
# The two security options let candidates have namespaces of their own (bubblewrap); without them evo uses Landlock.
ARG BASE=ubuntu:24.04
FROM ${BASE}

ARG TORCH_INDEX=
ARG EXTRAS=

# No versions: the archive of the distribution keeps the newest ones only.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends bubblewrap ca-certificates git python3 python3-venv ${EXTRAS:+wget} \
    && rm -rf /var/lib/apt/lists/*

WORKDIR /opt/evo
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY evo evo
COPY operators operators
COPY populations populations
COPY trainer trainer
RUN python3 -m venv /opt/venv \
    && /opt/venv/bin/pip install --no-cache-dir --constraint constraints.txt ${TORCH_INDEX:+--extra-index-url ${TORCH_INDEX}} ".${EXTRAS:+[${EXTRAS}]}" \
    && useradd --create-home --uid 10001 user

ENV PATH=/opt/venv/bin:$PATH
USER 10001
WORKDIR /project
ENTRYPOINT ["evo"]
CMD ["--help"]
