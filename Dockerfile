# zjolcrawl with the extras for the services in compose.yaml, and the versions of requirements.lock.
FROM python:3.12-slim
WORKDIR /srv/zjolcrawl
COPY pyproject.toml requirements.lock README.md LICENSE scrapy.cfg ./
COPY zjolcrawl zjolcrawl
COPY deploy deploy
RUN pip install --no-cache-dir --constraint requirements.lock '.[browse,export,s3]' \
    && useradd --uid 1000 zjolcrawl \
    && install -d -o zjolcrawl /data
USER zjolcrawl
ENV PYTHONUNBUFFERED=1 TZ=Asia/Shanghai
CMD ["scrapy", "health"]
