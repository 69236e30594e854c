# load.py - clients that post for as long as something happens to the servers
#
# SPDX-License-Identifier: BSD-2-Clause
import threading
import time

import requests

from harness.api import Client, mail


class Poster(threading.Thread):
    """Posts with idempotency keys until told to stop; a request that got no
    clear answer is repeated with its key, as a careful client does."""

    def __init__(self, tenant, number):
        super().__init__(daemon=True)
        self.tenant, self.number = tenant, number
        self.client = Client(tenant.stack.url, tenant.key)
        self.accepted, self.statuses = {}, {}
        self.took = []  # (when it ended, how long it took), in seconds
        self.over = threading.Event()

    def run(self):
        count = 0
        while not self.over.is_set():
            key = f"{self.number}-{count}"
            if self.post(key):
                count += 1
            else:
                time.sleep(0.05)

    def post(self, key):
        begin = time.monotonic()
        try:
            answer = self.client.send(mail(f"{key}@example.org"),
                                      idempotency_key=key)
            status = answer.status_code
        except requests.RequestException:
            status = 0
        self.took.append((time.monotonic(), time.monotonic() - begin))
        self.statuses[status] = self.statuses.get(status, 0) + 1
        if status != 202:
            return False
        self.accepted[key] = answer.json()["id"]
        return True

    def finish(self):
        self.over.set()
        self.join(60)
        assert not self.is_alive()


class Load:
    """Several posters at once: with Load(tenant) as load: ..."""

    def __init__(self, tenant, posters=3):
        self.started = time.monotonic()
        self.posters = [Poster(tenant, i) for i in range(posters)]

    def __enter__(self):
        for poster in self.posters:
            poster.start()
        return self

    def __exit__(self, *_):
        for poster in self.posters:
            poster.finish()

    def accepted(self):
        return sum(len(p.accepted) for p in self.posters)

    def addresses(self):
        return {f"{key}@example.org" for p in self.posters for key in p.accepted}

    def ids(self):
        return [i for p in self.posters for i in p.accepted.values()]

    def p95(self, since):
        """Of what was answered since that time.monotonic(), in seconds."""
        took = sorted(t for p in self.posters for at, t in list(p.took)
                      if at >= since)
        return took[len(took) * 95 // 100] if took else 0.0

    def statuses(self):
        """How often each status was answered; 0 stands for no answer."""
        total = {}
        for poster in self.posters:
            for status, count in poster.statuses.items():
                total[status] = total.get(status, 0) + count
        return total
