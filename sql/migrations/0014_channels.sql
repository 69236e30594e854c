-- 0014_channels: push devices, the in-app inbox, and a channel for chats.

-- Channel 7 is "chat".
ALTER TABLE provider DROP CONSTRAINT provider_channel_check;
ALTER TABLE provider ADD CONSTRAINT provider_channel_check
    CHECK (channel BETWEEN 1 AND 7);
ALTER TABLE delivery DROP CONSTRAINT delivery_channel_check;
ALTER TABLE delivery ADD CONSTRAINT delivery_channel_check
    CHECK (channel BETWEEN 1 AND 7);

-- Where push messages of a user go.  A token belongs to who registered it last; each
-- registration makes it younger, and a provider's word that it is gone counts only for
-- what is older than the attempt.
CREATE TABLE device (
    tenant_id bigint NOT NULL,
    user_id text NOT NULL CHECK (length(user_id) BETWEEN 1 AND 255),
    id uuid NOT NULL,
    token text NOT NULL CHECK (octet_length(token) BETWEEN 1 AND 2048),
    platform smallint NOT NULL CHECK (platform BETWEEN 1 AND 4), -- android, ios, web, other
    app text, -- the service's name for it
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(), -- when it was registered last
    PRIMARY KEY (tenant_id, user_id, id),
    UNIQUE (tenant_id, token)
);

-- What users find in their apps.  The id is the delivery's, so a message is there once
-- whatever is repeated.  "category" and "template" are copies: the notification goes
-- with its partition, the entry when the user or the retention says so.
CREATE TABLE inbox (
    tenant_id bigint NOT NULL,
    user_id text NOT NULL,
    id uuid NOT NULL,
    notification_id uuid NOT NULL,
    category text NOT NULL DEFAULT '',
    template text, -- its key; NULL: it was inline
    title text NOT NULL,
    body text NOT NULL DEFAULT '',
    url text,
    data json,
    read_at timestamptz,
    archived_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, user_id, id)
);
-- Counts what is unread, in all and by category.
CREATE INDEX inbox_unread ON inbox (tenant_id, user_id, category)
    WHERE read_at IS NULL AND archived_at IS NULL;

CALL tenant_wall('device'::regclass);
CALL tenant_wall('inbox'::regclass);

GRANT SELECT, INSERT, UPDATE, DELETE ON device TO belfry_api;
GRANT SELECT, DELETE ON device TO belfry_spooler;
GRANT SELECT, INSERT, UPDATE, DELETE ON inbox TO belfry_api;
GRANT SELECT, INSERT ON inbox TO belfry_spooler;
