# test_rls.py - tenants never see each other: the catalogue, the roles, the API
#
# SPDX-License-Identifier: BSD-2-Clause
import re

import psycopg2
import pytest

from harness.api import ADMIN, SERVICES, mail, problem
from harness.endpoint import Endpoint
from harness.tenant import Tenant
from harness.wait import wait_until

ROLES = ["belfry_api", "belfry_spooler", "belfry_gateway", "belfry_report"]
# What a role may see without a tenant, and why.
SEEN_BY_ALL = {
    "belfry_spooler": {
        "q_ready", "q_leased", "q_later", "tenant_ready", # it finds work
        "idempotency", # it deletes old keys
        "provider_health", # it knows which accounts are well, and no secret
        "hook_seen", # so it does here
        "heard", # the same, of those alone that are old
        "throughput", # it writes statistics
        "webhook_queue", "webhook_health", # it finds work, by ids alone
        "webhook_message", "webhook_attempt", # it deletes old ones
    },
}
DEFINERS = {"partitions_make", "partitions_drop", "vacuum_holders",
            "hook_tenants", "overload_mark", "audit_chain", "audit_stray",
            "provider_shares", "shared_wake", "shared_account",
            "tenant_erase", "privacy_erase", "privacy_export",
            "retention_apply", "tenant_held"}

TENANT_TABLES = """
    SELECT c.oid, c.relname FROM pg_class c
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id'
    WHERE c.relnamespace = 'belfry'::regnamespace AND c.relkind IN ('r', 'p')
"""

# What must not be found in the catalogue.
FINDINGS = {
    "a tenant table without forced row-level security": f"""
        SELECT t.relname FROM ({TENANT_TABLES}) t JOIN pg_class c USING (oid)
        WHERE NOT (c.relrowsecurity AND c.relforcerowsecurity)""",
    "a tenant table whose tenant_id may be null": f"""
        SELECT t.relname FROM ({TENANT_TABLES}) t
        JOIN pg_attribute a ON a.attrelid = t.oid AND a.attname = 'tenant_id'
        WHERE NOT a.attnotnull OR a.atttypid <> 'bigint'::regtype""",
    "a tenant table without a policy for reading and writing": f"""
        SELECT t.relname FROM ({TENANT_TABLES}) t WHERE NOT EXISTS (
            SELECT FROM pg_policy p WHERE p.polrelid = t.oid
            AND p.polcmd = '*' AND p.polpermissive AND p.polroles = '{{0}}'
            AND p.polqual IS NOT NULL AND p.polwithcheck IS NOT NULL)""",
    "a policy with a sub-select": """
        SELECT polrelid::regclass::text || ' ' || polname FROM pg_policy
        WHERE pg_get_expr(polqual, polrelid) ILIKE '%select%'
        OR pg_get_expr(polwithcheck, polrelid) ILIKE '%select%'""",
    "a table that another role than belfry_owner owns": """
        SELECT relname FROM pg_class
        WHERE relnamespace = 'belfry'::regnamespace
        AND relowner <> 'belfry_owner'::regrole""",
    "an owner that can log in": """
        SELECT rolname FROM pg_roles WHERE rolname = 'belfry_owner'
        AND (rolcanlogin OR rolsuper OR rolbypassrls)""",
    "a program's role with a privilege beyond rows": """
        SELECT rolname FROM pg_roles WHERE rolname LIKE 'belfry\\_%'
        AND rolname <> 'belfry_owner' AND (rolsuper OR rolbypassrls
            OR rolcreaterole OR rolcreatedb OR rolreplication
            OR pg_has_role(oid, 'belfry_owner', 'member'))""",
    "a program's role with TRUNCATE, REFERENCES or TRIGGER": """
        SELECT r.rolname || ' ' || c.relname FROM pg_roles r, pg_class c
        WHERE r.rolname LIKE 'belfry\\_%' AND r.rolname <> 'belfry_owner'
        AND c.relnamespace = 'belfry'::regnamespace
        AND c.relkind IN ('r', 'p') AND (
            has_table_privilege(r.oid, c.oid, 'TRUNCATE')
            OR has_table_privilege(r.oid, c.oid, 'REFERENCES')
            OR has_table_privilege(r.oid, c.oid, 'TRIGGER'))""",
    "a program's role that may create": """
        SELECT r.rolname FROM pg_roles r WHERE r.rolname LIKE 'belfry\\_%'
        AND r.rolname <> 'belfry_owner'
        AND (has_schema_privilege(r.oid, 'belfry', 'CREATE')
            OR has_schema_privilege(r.oid, 'public', 'CREATE'))""",
    "a view with its owner's rights": """
        SELECT relname FROM pg_class
        WHERE relnamespace = 'belfry'::regnamespace AND (relkind = 'm'
            OR relkind = 'v' AND NOT COALESCE(
                'security_invoker=true' = ANY (reloptions), false))""",
    "a function with its owner's rights and a search path to be chosen": """
        SELECT proname FROM pg_proc
        WHERE pronamespace = 'belfry'::regnamespace AND prosecdef
        AND NOT COALESCE(array_to_string(proconfig, ',')
            LIKE '%search_path=%', false)""",
    "a key of a tenant table that does not begin with tenant_id": f"""
        SELECT i.indexrelid::regclass::text FROM ({TENANT_TABLES}) t
        JOIN pg_index i ON i.indrelid = t.oid AND i.indisunique
        JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = i.indkey[0]
        WHERE a.attname <> 'tenant_id'""",
    "a foreign key of a tenant table without tenant_id": f"""
        SELECT k.conname FROM ({TENANT_TABLES}) t
        JOIN pg_constraint k ON k.conrelid = t.oid AND k.contype = 'f'
        WHERE NOT EXISTS (SELECT FROM pg_attribute a
            WHERE a.attrelid = t.oid AND a.attnum = ANY (k.conkey)
            AND a.attname = 'tenant_id')""",
    "an enum, numeric or array column in a tenant table's key": f"""
        SELECT t.relname || ' ' || a.attname FROM ({TENANT_TABLES}) t
        JOIN pg_index i ON i.indrelid = t.oid AND i.indisunique
        JOIN pg_attribute a ON a.attrelid = t.oid
            AND a.attnum = ANY (i.indkey)
        JOIN pg_type y ON y.oid = a.atttypid
        WHERE y.typtype = 'e' OR y.typcategory IN ('A')
        OR y.oid = 'numeric'::regtype""",
    "a table without a primary key": """
        SELECT relname FROM pg_class c
        WHERE relnamespace = 'belfry'::regnamespace AND relkind IN ('r', 'p')
        AND NOT EXISTS (SELECT FROM pg_index WHERE indrelid = c.oid
            AND indisprimary)""",
    "a sequence in a tenant table": f"""
        SELECT t.relname FROM ({TENANT_TABLES}) t
        JOIN pg_attribute a ON a.attrelid = t.oid AND a.attidentity <> ''""",
}


@pytest.mark.parametrize("finding", FINDINGS)
def test_catalogue(stack, finding):
    assert [next(iter(r.values())) for r in stack.rows(FINDINGS[finding])] \
        == []


def test_definers_are_known(stack):
    found = {r["proname"] for r in stack.rows(
        "SELECT proname FROM pg_proc WHERE prosecdef "
        "AND pronamespace = 'belfry'::regnamespace")}
    assert found <= DEFINERS


def test_catalogue_check_can_fail(stack):
    """A careless table is found."""
    with stack.db() as connection:
        connection.autocommit = False
        cursor = connection.cursor()
        cursor.execute("CREATE TABLE careless (id serial, tenant_id bigint)")
        found = 0
        for sql in FINDINGS.values():
            cursor.execute(sql)
            found += any("careless" in str(r.values())
                         for r in cursor.fetchall())
        connection.rollback()
    assert found >= 5


def readable(stack, role):
    """The tenant tables that a role may read."""
    return [r["relname"] for r in stack.rows(
        f"SELECT t.relname FROM ({TENANT_TABLES}) t "
        "WHERE has_table_privilege(%s, t.oid, 'SELECT') ORDER BY 1", role)]


@pytest.mark.parametrize("role", ROLES)
def test_role_sees_nothing_without_a_tenant(stack, tenant, role):
    tenant.api.ended(tenant.api.accepted(mail(), idempotency_key="x"))
    seen = {table for table in readable(stack, role)
            if stack.value(f"SELECT count(*) FROM {table}", user=role)}
    assert seen <= SEEN_BY_ALL.get(role, set())


@pytest.mark.parametrize("role", ROLES)
def test_role_sees_its_tenant_alone(stack, tenant, other_tenant, role):
    for one in (tenant, other_tenant):
        one.api.ended(one.api.accepted(mail(), idempotency_key="x"))
    seen = 0
    for table in readable(stack, role):
        rows = stack.rows(f"SELECT DISTINCT tenant_id FROM {table}",
                          user=role, tenant=tenant.id)
        if table in SEEN_BY_ALL.get(role, set()):
            continue
        assert {r["tenant_id"] for r in rows} <= {tenant.id}, table
        seen += len(rows)
    assert seen > 0 or role == "belfry_gateway"


@pytest.mark.parametrize("role, sql", [
    ("belfry_api", "INSERT INTO recipient (tenant_id, user_id) "
                   "VALUES (%s, 'x')"),
    ("belfry_api", "INSERT INTO tenant_ready VALUES (%s, 0, 0)"),
    ("belfry_api", "INSERT INTO service_account (tenant_id, id, name, scopes)"
                   " VALUES (%s, gen_random_uuid(), 'x', '{}')"),
])
@pytest.mark.parametrize("context", ["none", "another"])
def test_role_cannot_write_for_another(stack, tenant, other_tenant, role, sql,
                                       context):
    mine = other_tenant.id if context == "another" else None
    with pytest.raises(psycopg2.errors.InsufficientPrivilege):
        stack.rows(sql, tenant.id, user=role, tenant=mine)


@pytest.mark.parametrize("role", ROLES)
def test_role_has_no_ddl(stack, role):
    for sql in ("CREATE TABLE belfry.x (y int)", "DROP TABLE tenant",
                "TRUNCATE notification", "ALTER TABLE tenant ADD x int",
                "SET ROLE belfry_owner"):
        with pytest.raises(psycopg2.Error):
            stack.rows(sql, user=role)


# The same through the API

def same_answer(one, two):
    """Status and body are equal but for what names the request."""
    a, b = one.json(), two.json()
    for body in (a, b):
        body.pop("request_id")
        body.pop("instance", None)
    return one.status_code == two.status_code and a == b


MISSING = "01920000-0000-7000-8000-000000000000"


def test_foreign_notification_does_not_exist(tenant, other_tenant):
    identity = tenant.api.accepted(mail())
    for path in ("", "/timeline"):
        foreign = other_tenant.api.get(f"{SERVICES}/{identity}{path}")
        missing = other_tenant.api.get(f"{SERVICES}/{MISSING}{path}")
        problem(foreign, 404, "not_found")
        assert same_answer(foreign, missing)


@pytest.mark.parametrize("kind", ["templates", "providers"])
def test_foreign_objects_do_not_exist(tenant, other_tenant, kind):
    tenant.push_template("templates/welcome")
    theirs = tenant.admin.get(f"{ADMIN}/{kind}").json()["data"]
    assert theirs
    for thing in theirs:
        name = thing.get("key") or thing["id"]
        for method, body in (("GET", None), ("PUT", {}), ("PATCH", {}),
                             ("DELETE", None)):
            foreign = other_tenant.admin.request(
                method, f"{ADMIN}/{kind}/{name}", json=body)
            assert foreign.status_code in (404, 415, 422), \
                (method, foreign.text)
    assert other_tenant.admin.get(f"{ADMIN}/{kind}").json()["data"] != theirs
    assert tenant.admin.get(f"{ADMIN}/{kind}").json()["data"] == theirs


def test_foreign_template_is_unknown(tenant, other_tenant):
    tenant.push_template("templates/welcome")
    answer = other_tenant.api.send({"template": "welcome", "data": {},
                                    "to": {"email": "a@example.org"}})
    told = problem(answer, 422, "validation_failed")
    assert [(e["pointer"], e["code"]) for e in told["errors"]] == \
        [("/template", "not_found")]


def test_mails_stay_apart(tenant, other_tenant):
    tenant.api.accepted(mail("one@example.org"))
    other_tenant.api.accepted(mail("two@example.org"))
    assert [m["To"] for m in tenant.wait_for_mails(1)] == ["Ann <one@example.org>"]
    assert [m["To"] for m in other_tenant.wait_for_mails(1)] == \
        ["Ann <two@example.org>"]


# ---- T5 -----------------------------------------------------------------------------

PLATFORM = "-1"
FOR_LONG = re.compile(r"set_config\('belfry\.tenant'[^)]*, false\)|SET (SESSION )?belfry")
SET = re.compile(r"execute [^:]*: .*set_config\('belfry\.tenant', \$1")


def log_everything(stack):
    connection = psycopg2.connect(host=stack.directory / "s", port=5432,
                                  dbname="belfry", user="postgres")
    connection.autocommit = True
    cursor = connection.cursor()
    for setting in ("log_statement = 'all'", "log_line_prefix = 'T5 %u %p %v '"):
        cursor.execute(f"ALTER SYSTEM SET {setting}")
    cursor.execute("SELECT pg_reload_conf()")
    connection.close()


def transactions(text):
    """Role, what was executed, and the tenants that were set, of each transaction of the
    programs.  "%v" names it, BEGIN or not."""
    found = {}
    entries = re.split(r"^T5 ", text, flags=re.MULTILINE)[1:]
    setting = {}
    for entry in entries:
        role, process, which, said = entry.split(" ", 3)
        if not role.startswith("belfry_") or "/" not in which:
            continue
        one = found.setdefault((role, process, which), (set(), []))
        if said.startswith("LOG:") and "execute" in said:
            one[1].append(said)
            setting[process] = SET.search(said) is not None
        elif said.startswith("DETAIL:") and setting.get(process):
            value = re.search(r"\$1 = '([^']*)'", said)[1].strip()
            if value != PLATFORM:
                one[0].add(value)
    return found


def test_one_tenant_per_transaction(own_stack):
    """T5: whatever the programs do, by what PostgreSQL was asked."""
    log = own_stack.logs.path("postgres")
    log_everything(own_stack)
    start = log.stat().st_size
    tenants = [Tenant(own_stack) for _ in range(4)]
    with Endpoint() as endpoint:
        for tenant in tenants:
            endpoint.subscribe(tenant, events=[])
        sent = [(t, t.api.accepted(mail(f"p{n}@example.org")))
                for n in range(10) for t in tenants]
        for tenant, identity in sent:
            tenant.api.ended(identity)
        wait_until(lambda: endpoint.count() >= len(sent), 30, "webhooks")
        for tenant in tenants:
            tenant.idle()
    with open(log, encoding="utf-8", errors="replace") as file:
        file.seek(start)
        found = transactions(file.read())
    ours = {str(t.id) for t in tenants}
    for role in ("belfry_api", "belfry_spooler"):
        sets = [names for (who, _, _), (names, _) in found.items()
                if who == role]
        assert sum(bool(names & ours) for names in sets) >= len(tenants), role
    several = {key: one for key, one in found.items() if len(one[0]) > 1}
    assert not several, next(iter(several.items()))
    # Outside of a transaction nothing is set.
    assert not any(FOR_LONG.search(said) for _, said_all in found.values()
                   for said in said_all)
