-- Wrong codes that count for nothing any more are swept.
create index totp_failures_old on totp_failures (window_began_at);
