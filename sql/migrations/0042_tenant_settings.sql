-- 0042_tenant_settings: the settings of a tenant are an object, whoever writes them.  A number
-- or a list in their place made each request of the tenant fail.

UPDATE tenant SET settings = '{}' WHERE jsonb_typeof(settings) <> 'object';
ALTER TABLE tenant ADD CONSTRAINT settings_object
    CHECK (jsonb_typeof(settings) = 'object');
