"""Calls at a steady rate while Redis is lost: the first seconds, and what follows."""

from dataclasses import replace

from scripts.bench.bursts import answered
from scripts.bench.installation import Installation
from scripts.bench.load import Measured, Order
from scripts.bench.processes import Cores
from scripts.bench.web import serving
from scripts.embedded_address import socket_path
from scripts.soak.fault_proxy import Fault, FaultProxy


def redis_lost(
    installation: Installation, cores: Cores, fault: Fault, order: Order
) -> tuple[Measured, Measured]:
    """Do the order twice at a warm web process that loses Redis at the beginning of the first one."""
    with FaultProxy(str(socket_path(installation.settings.var))) as line:
        environ = installation.environ | {"REDIS_URL": f"redis://127.0.0.1:{line.port}/0"}
        with serving("wsgi:create_app()", replace(installation, environ=environ), cores.measured) as web:
            answered(web, order, cores)
            line.turn(fault)
            return answered(web, order, cores), answered(web, order, cores)
