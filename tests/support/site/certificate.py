"""The throw-away certificate behind CONNECT."""

import functools
import ssl
import subprocess
import tempfile
import threading
from pathlib import Path

# Scrapy accepts any certificate, but warns on each connection if it lacks the host name.
NAMES = "subjectAltName=DNS:zjol.com.cn,DNS:*.zjol.com.cn"

_making = threading.Lock()


class CertificateError(Exception):
    """`openssl` is missing or did not create a certificate."""


def tls_context() -> ssl.SSLContext:
    """A server's TLS context with a self-signed certificate, created once per process by `openssl`.

    Blocks for a few hundredths of a second the first time. Raises `CertificateError`.
    """
    # Two proxies may call at the same time, and a cache alone would then create two.
    with _making:
        try:
            return _make_context()
        except subprocess.CalledProcessError as error:
            raise CertificateError(error.stderr.decode(errors="replace")) from error
        except OSError as error:
            raise CertificateError(str(error)) from error


@functools.cache
def _make_context() -> ssl.SSLContext:
    with tempfile.TemporaryDirectory(prefix="site-") as folder:
        key, certificate = Path(folder, "key.pem"), Path(folder, "certificate.pem")
        subprocess.run(
            [
                *(
                    "openssl",
                    "req",
                    "-x509",
                    "-nodes",
                    "-days",
                    "30",
                    "-subj",
                    "/CN=tests.support.site",
                ),
                *("-addext", NAMES),
                *("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"),
                *("-keyout", str(key), "-out", str(certificate)),
            ],
            check=True,
            capture_output=True,
            stdin=subprocess.DEVNULL,
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
    return context
