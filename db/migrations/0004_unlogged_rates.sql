-- Counters that a crash may lose: without the log, counting waits for no disk.
ALTER TABLE "rate_limits" SET UNLOGGED;
