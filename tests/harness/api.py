# api.py - a client of Belfry's REST API, as a test uses it
#
# SPDX-License-Identifier: BSD-2-Clause
import datetime

import requests

from harness.wait import wait_until, wait_until_known

SERVICES = "/api/v1/services/notifications"
ADMIN = "/api/v1/admin"
# Timeline events that end a delivery.
ENDS = {"delivery.sent", "delivery.failed", "delivery.dead", "delivery.held",
        "delivery.skipped", "delivery.expired", "delivery.cancelled"}


def after(seconds):
    """A moment in so many seconds, as the API writes times."""
    at = datetime.datetime.now(datetime.timezone.utc) + \
        datetime.timedelta(seconds=seconds)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Client:
    def __init__(self, url, key):
        self.url = url
        self.session = requests.Session()
        if key is not None:
            self.session.headers["Authorization"] = f"Bearer {key}"

    def request(self, method, path, **more):
        answer = self.session.request(method, self.url + path, timeout=30,
                                      **more)
        if method != "GET" and path.startswith(ADMIN):
            wait_until_known()
        return answer

    def get(self, path, **more):
        return self.request("GET", path, **more)

    def post(self, path, **more):
        return self.request("POST", path, **more)

    def send(self, body, idempotency_key=None, **headers):
        """POST .../send; returns the response, whatever it is."""
        if idempotency_key is not None:
            headers["Idempotency-Key"] = idempotency_key
        return self.post(f"{SERVICES}/send", json=body, headers=headers)

    def accepted(self, body, **more):
        """Sends what must be accepted; returns the notification's id."""
        answer = self.send(body, **more)
        assert answer.status_code == 202, answer.text
        return answer.json()["id"]

    def notification(self, notification_id):
        answer = self.get(f"{SERVICES}/{notification_id}")
        assert answer.status_code == 200, answer.text
        return answer.json()

    def timeline(self, notification_id):
        answer = self.get(f"{SERVICES}/{notification_id}/timeline")
        assert answer.status_code == 200, answer.text
        return answer.json()["data"]

    def ended(self, notification_id, timeout=30):
        """Waits until a delivery ended; returns the timeline."""
        def over():
            events = self.timeline(notification_id)
            return events if ENDS & {e["type"] for e in events} else None
        return wait_until(over, timeout, f"the end of {notification_id}")


def mail(address="ann@example.org", **more):
    """A body that needs no template."""
    return {"to": {"email": address, "name": "Ann"},
            "content": {"email": {"subject": "Order {{order}}",
                                  "text": "Your order {{order}} shipped."}},
            "data": {"order": "42"}, **more}


def problem(answer, status, code):
    """Checks that an answer is this problem; returns its body."""
    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"].split(";")[0] == \
        "application/problem+json"
    body = answer.json()
    assert body["status"] == status
    assert body["code"] == code
    assert body["title"] and body["type"]
    assert body["request_id"] == answer.headers["X-Request-Id"]
    return body


def checks(answer):
    """The dependencies of /health/ready by their names."""
    return {check["name"]: check for check in answer.json()["checks"]}
