"""An S3 server (moto) on loopback, in its own process."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from typing import Any, Self

from botocore.session import get_session


class S3Server:
    """A context manager; `environ` has the variables that a command needs, `client` is a botocore client."""

    def __init__(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self._port = probe.getsockname()[1]
        self.environ = {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{self._port}",
            "AWS_ACCESS_KEY_ID": "key",
            "AWS_SECRET_ACCESS_KEY": "secret",
        }
        self.client: Any = get_session().create_client(
            "s3", endpoint_url=self.environ["AWS_ENDPOINT_URL"], aws_access_key_id="key",
            aws_secret_access_key="secret", region_name="us-east-1",
        )  # fmt: skip

    def bucket(self, name: str) -> None:
        self.client.create_bucket(Bucket=name)

    def objects(self, bucket: str) -> dict[str, bytes]:
        """The names of all objects in a bucket."""
        listed = self.client.list_objects_v2(Bucket=bucket).get("Contents", [])
        return {
            each["Key"]: self.client.get_object(Bucket=bucket, Key=each["Key"])["Body"].read()
            for each in listed
        }

    def stop(self) -> None:
        self._running.kill()
        self._running.wait()

    def __enter__(self) -> Self:
        environment = {k: v for k, v in os.environ.items() if not k.startswith("AWS_")}
        self._running = subprocess.Popen(
            [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(self._port)],
            env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        end = time.monotonic() + 60
        while time.monotonic() < end:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self._port)) == 0:
                    return self
            time.sleep(0.05)
        self.stop()
        raise TimeoutError("moto's server does not listen")

    def __exit__(self, *_: object) -> None:
        self.client.close()
        self.stop()
