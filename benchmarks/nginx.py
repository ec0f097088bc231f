"""nginx, the baseline of HTTP playback: it serves the same files, by sendfile, with one worker a processor."""

import os
import pwd
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import click

from benchmarks.service_process import free_ports, wait_until_listening
from recording_service.adapters.parent_death import bound_to_this_process

#: Where Debian puts it, which is not on the PATH of everybody.
SYSTEM_FOLDERS = "/usr/sbin:/usr/local/sbin"
#: Longest wait for nginx to end, in seconds.
STOP_SECONDS = 10.0

#: As it comes, except that it writes nothing outside its folder, and no access log. The master ends with the benchmark,
#: and takes its workers along, however that ends.
_CONFIGURATION = """\
daemon off;
{user}
worker_processes auto;
pid nginx.pid;
error_log stderr;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    sendfile on;
    keepalive_requests 1000000;
    default_type audio/mpeg;
    client_body_temp_path body;
    proxy_temp_path proxy;
    fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi;
    scgi_temp_path scgi;
    server {{
        listen 127.0.0.1:{port};
        root files;
    }}
}}
"""


class NginxMissing(click.ClickException):
    """Raised where there is no nginx."""

    def __init__(self) -> None:
        super().__init__("this benchmark measures against nginx, which is not there: apt-get install nginx-light")


@contextmanager
def nginx(folder: Path, files: Mapping[str, Path]) -> Iterator[int]:
    """Serves each file under its path, in a folder of the benchmark's, until the end of the block; the port.

    Raises NginxMissing, and ServiceFailed if it does not come up.
    """
    program = shutil.which("nginx") or shutil.which("nginx", path=SYSTEM_FOLDERS)
    if program is None:
        raise NginxMissing
    (port,) = free_ports(1)
    for path, file in files.items():
        link = folder / "files" / path.lstrip("/")
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(file)
    # Of root's processes the workers would become somebody who may not read the shelf.
    user = f"user {pwd.getpwuid(0).pw_name};" if os.geteuid() == 0 else ""
    (folder / "nginx.conf").write_text(_CONFIGURATION.format(user=user, port=port))
    log = folder / "nginx.log"
    command = [program, "-p", f"{folder}/", "-e", "stderr", "-c", "nginx.conf"]
    with log.open("wb") as output:
        process = subprocess.Popen(bound_to_this_process(command), stdout=output, stderr=output)
    try:
        wait_until_listening(port, process, log)
        yield port
    finally:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
