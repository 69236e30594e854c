# tickets.py - what the first spooler of a stack offers to take straight
#
# SPDX-License-Identifier: BSD-2-Clause
import struct


def page(stack):
    return stack.directory / "s/doorbell.sock.0.tickets"


def tickets(stack):
    """How many are offered: the lower half of the page's word."""
    return struct.unpack_from("=I", page(stack).read_bytes(), 8)[0]
