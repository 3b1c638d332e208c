"""zjolcrawl: crawler and archiver for the provincial news of 浙江在线 (zjol.com.cn)."""

__version__ = "0.1.0"
