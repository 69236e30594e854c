-- 0002_express: belfry-api may lease what it accepts to the spooler of its host.

GRANT INSERT ON attempt, q_leased TO belfry_api;
