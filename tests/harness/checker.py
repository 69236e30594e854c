# checker.py - the judge of durability: three logs that must agree
#
# SPDX-License-Identifier: BSD-2-Clause
#
# What the API promised (ids of its 202s), what the provider received (its log, one line
# per message that was there to its last byte), and what the database tells (deliveries
# and their attempts).
import collections
from dataclasses import dataclass, field

SENT, DELIVERED = 4, 5
OPEN = {1, 2, 3}  # waiting, ready, sending
UNKNOWN, ACCEPTED = 8, 1


@dataclass
class Report:
    accepted: int = 0        # notifications that got a 202
    deliveries: int = 0
    received: int = 0        # messages at the provider
    recovered: int = 0       # sent after an attempt that has no result
    ended: int = 0           # visibly not sent: dead, failed, expired ...
    lost: list = field(default_factory=list)
    unfinished: list = field(default_factory=list)
    unexpected: list = field(default_factory=list)
    duplicated: dict = field(default_factory=dict)  # delivery: how often too many
    unnamed: list = field(default_factory=list)     # duplicates nobody can see
    unclear: list = field(default_factory=list)     # sent without one success
    changed: list = field(default_factory=list)     # other bytes the second time

    @property
    def duplicates(self):
        return sum(self.duplicated.values())

    def table(self):
        rows = [(name, value if isinstance(value, int) else len(value))
                for name, value in vars(self).items()]
        rows.append(("duplicates", self.duplicates))
        return "\n".join(f"  {name:<12}{count:>8}" for name, count in rows)

    def check(self, duplicates_max):
        """Fails unless nothing was lost, nothing came from nowhere, and each
        duplicate is named in its timeline; there may be so many of those."""
        print(self.table())
        for name in ("lost", "unfinished", "unexpected", "unnamed", "unclear",
                     "changed"):
            assert not getattr(self, name), \
                f"{name}: {getattr(self, name)[:5]}\n{self.table()}"
        assert self.duplicates <= duplicates_max, \
            f"more than was in flight\n{self.table()}"
        return self


def deliveries(tenant):
    """Every delivery of a tenant with its attempts in their order."""
    return tenant.rows("""
        SELECT d.id::text, d.notification_id::text AS notification, d.channel,
            d.state, d.address, count(a.n) AS attempts,
            array_agg(a.class ORDER BY a.n) FILTER (WHERE a.n > 0) AS classes
        FROM delivery d LEFT JOIN attempt a ON a.tenant_id = d.tenant_id
            AND a.notification_id = d.notification_id AND a.delivery_id = d.id
        WHERE d.tenant_id = %s GROUP BY d.tenant_id, d.notification_id, d.id,
            d.channel, d.state, d.address""")


CHANNELS = {1: "email", 2: "sms", 6: "webhook"}


def receipts_of(rows, receipts):
    """The receipts by delivery, and those that belong to none.  Where the
    protocol carries no id, the recipient must be the delivery's alone."""
    known = {row["id"] for row in rows}
    by_address = {(CHANNELS[row["channel"]], row["address"]): row["id"]
                  for row in rows}
    found, strangers = collections.defaultdict(list), []
    for receipt in receipts:
        identity = receipt.id or by_address.get((receipt.channel, receipt.to))
        if identity in known:
            found[identity].append(receipt)
        else:
            strangers.append(receipt)
    return found, strangers


def judge_delivery(report, row, got):
    classes = row["classes"] or []
    doubtful = sum(c is None or c == UNKNOWN for c in classes)
    sent = row["state"] in (SENT, DELIVERED)
    if row["state"] in OPEN:
        report.unfinished.append(row)
    elif sent and not got:
        report.lost.append(row)
    elif not sent:
        report.ended += 1
    if sent and classes.count(ACCEPTED) != 1:
        report.unclear.append(row)
    report.recovered += sent and None in classes
    extra = len(got) - sent
    if len(got) > 1:
        report.duplicated[row["id"]] = len(got) - 1
    if extra > doubtful or len(got) > row["attempts"]:
        report.unnamed.append((row, got))
    if len({r.hash for r in got}) > 1:
        report.changed.append((row, got))


def judge(tenant, provider, accepted, per_notification=None):
    """Compares the logs.  "accepted" are the ids of the 202s; each must have
    become per_notification deliveries when that is given.  Call it when the
    queue is empty."""
    rows = deliveries(tenant)
    found, strangers = receipts_of(rows, list(provider.receipts))
    report = Report(accepted=len(accepted), deliveries=len(rows),
                    received=len(provider.receipts), unexpected=strangers)
    of = collections.Counter(row["notification"] for row in rows)
    for notification in accepted:
        if of[notification] == 0 or \
                per_notification not in (None, of[notification]):
            report.lost.append(notification)
    for row in rows:
        judge_delivery(report, row, found[row["id"]])
    return report
