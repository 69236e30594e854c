# tenant.py - a tenant of its own for a test
#
# SPDX-License-Identifier: BSD-2-Clause
import email
import email.policy
import itertools
import os

from harness.api import Client
from harness.wait import wait_until

NUMBERS = itertools.count(1)
SERVICE = ("notifications:send", "notifications:read")


def key_id(key):
    """What stands between "blf_" and the secret."""
    return key[4:30]


def key_secret(key):
    return key[31:]


class Tenant:
    """A tenant with a service key, an admin key and a Maildir provider.

    Whatever else is needed is made through belfryctl.
    """

    def __init__(self, stack, maildir=True):
        self.stack = stack
        self.slug = f"t{os.getpid()}-{next(NUMBERS)}"
        self.maildir = stack.mail / self.slug
        stack.ctl("tenant", "add", self.slug)
        self.id = stack.value("SELECT id FROM tenant WHERE slug = %s",
                              self.slug)
        stack.tenants.append(self.id)
        self.key = self.make_key("service")
        self.admin_key = self.make_key("admin", scopes=("admin",))
        self.api = Client(stack.url, self.key)
        self.admin = Client(stack.url, self.admin_key)
        if maildir:
            self.add_provider("box", "maildir", directory=self.maildir)

    def ctl(self, *arguments, **more):
        return self.stack.ctl(*arguments, tenant=self.slug, **more)

    def make_key(self, name, scopes=SERVICE, **options):
        arguments = ["key", "add", name]
        for scope in scopes:
            arguments += ["--scope", scope]
        for option, value in options.items():
            arguments += ["--" + option.replace("_", "-"), value]
        return self.ctl(*arguments)["key"]

    def add_provider(self, name, kind, **settings):
        arguments = ["provider", "add", name, "--kind", kind]
        for key, value in settings.items():
            arguments += ["--set", f"{key}={value}"]
        return self.ctl(*arguments)

    def push_template(self, directory):
        return self.ctl("template", "push", directory)

    def client(self, key):
        return Client(self.stack.url, key)

    def rows(self, sql, *arguments, **more):
        """Rows of this tenant: the statement's first %s is the tenant's id."""
        return self.stack.rows(sql, self.id, *arguments, **more)

    def count(self, table):
        return self.rows(f"SELECT count(*) AS n FROM {table} "
                         "WHERE tenant_id = %s")[0]["n"]

    def written(self):
        """How many rows of each kind a request may have left behind."""
        return {table: self.count(table)
                for table in ("notification", "q_ready", "q_later",
                              "q_leased", "idempotency", "delivery")}

    def mails(self):
        """What lies in the Maildir, oldest first."""
        new = self.maildir / "new"
        # The clock of files has coarse steps; names are as old as their deliveries.
        paths = sorted(new.iterdir(), key=lambda p: (p.stat().st_mtime_ns, p.name)) \
            if new.is_dir() else []
        return [email.message_from_bytes(p.read_bytes(),
                                         policy=email.policy.default)
                for p in paths]

    def wait_for_mails(self, count, timeout=30):
        def enough():
            mails = self.mails()
            return mails if len(mails) >= count else None
        return wait_until(enough, timeout, f"the {count}. mail")

    def nothing_ready(self, timeout=30):
        """Waits until all that is not for later is done."""
        wait_until(lambda: not self.rows("""
            WITH t (id) AS (VALUES (%s::bigint))
            SELECT 1 FROM q_ready, t WHERE tenant_id = t.id UNION ALL
            SELECT 1 FROM q_leased, t WHERE tenant_id = t.id LIMIT 1"""),
                   timeout, "nothing but what is for later", every=0.1)

    def idle(self, timeout=30):
        """Waits until nothing is left to do: one look, since rows move."""
        def empty():
            return not self.rows("""
                WITH t (id) AS (VALUES (%s::bigint))
                SELECT 1 FROM q_ready, t WHERE tenant_id = t.id UNION ALL
                SELECT 1 FROM q_later, t WHERE tenant_id = t.id UNION ALL
                SELECT 1 FROM q_leased, t WHERE tenant_id = t.id LIMIT 1""")
        wait_until(empty, timeout, "an empty queue", every=0.1)
