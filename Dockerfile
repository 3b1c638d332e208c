# zjolcrawl with the extras that the services of compose.yaml need.
FROM python:3.12-slim
WORKDIR /srv/zjolcrawl
COPY pyproject.toml README.md LICENSE scrapy.cfg ./
COPY zjolcrawl zjolcrawl
COPY deploy deploy
RUN pip install --no-cache-dir '.[browse,export,s3]' \
    && useradd --uid 1000 zjolcrawl \
    && install -d -o zjolcrawl /data
USER zjolcrawl
ENV PYTHONUNBUFFERED=1 TZ=Asia/Shanghai
CMD ["scrapy", "health"]
