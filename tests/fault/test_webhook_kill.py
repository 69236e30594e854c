# test_webhook_kill.py - the spooler is killed while endpoints are told: nothing is lost
#
# SPDX-License-Identifier: BSD-2-Clause
import pytest

from harness.api import mail
from harness.endpoint import Endpoint
from harness.fake_provider import Fault
from harness.size import size
from harness.tenant import Tenant
from harness.wait import wait_until

NOTIFICATIONS, KILLS = size((60, 3), full=(1000, 20))
WAY = ["notification.accepted", "notification.routed", "notification.done"]


def kill(stack, endpoint):
    """With a message on the wire that is not answered: it is the one to be sent again."""
    endpoint.hanging.clear()
    endpoint.faults = [Fault(hang=True)]
    assert endpoint.hanging.wait(20), "a message on the wire"
    stack.kill_workers("spooler")
    endpoint.faults = []


@pytest.mark.settings(settings={"spooler.dead_after": "1500ms"})
@pytest.mark.expect_log("a worker has crashed|took over|late")
def test_each_event_arrives(own_stack):
    tenant = Tenant(own_stack)
    with Endpoint(latency_s=0.05) as endpoint:
        endpoint.subscribe(tenant, rate=200)
        sent = [tenant.api.accepted(mail()) for _ in range(NOTIFICATIONS)]
        for number in range(KILLS):
            goal = endpoint.count() + 10
            wait_until(lambda: endpoint.count() >= goal, 60,
                       f"work before kill {number}")
            kill(own_stack, endpoint)
        wait_until(lambda: tenant.count("webhook_queue") == 0 and
                   tenant.rows("SELECT count(*) AS n FROM notification WHERE "
                               "tenant_id = %s AND state <> 3")[0]["n"] == 0,
                   90, "the end of all")
        wait_until(lambda: tenant.count("webhook_queue") == 0, 60, "told")
        came = {h["webhook-id"] for h in endpoint.headers}
    written = tenant.rows("SELECT 'msg_' || id AS id, type, notification_id "
                          "FROM webhook_message WHERE tenant_id = %s")
    assert came == {m["id"] for m in written}, "each, and nothing else"
    for identity in sent:
        types = [m["type"] for m in written
                 if str(m["notification_id"]) == identity]
        for kind in WAY:
            assert types.count(kind) == 1
    again = tenant.rows("SELECT DISTINCT spooler FROM webhook_attempt WHERE tenant_id = "
                        "%s AND error LIKE 'the spooler that sent it is gone%%'")
    assert len(again) == KILLS, "each kill was felt"
    events = sum(len(tenant.api.timeline(i)) for i in sent)
    assert len(written) == events, "what stands on timelines"
