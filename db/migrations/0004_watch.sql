-- Reading the ledger by item and by place, a page at a time: `at`, `cause` and `n` are where a page ends.
CREATE INDEX stock_movement_by_item ON stock_movement (tenant, item, at, cause, n);
CREATE INDEX stock_movement_by_location ON stock_movement (tenant, location, at, cause, n);
