UPDATE stock SET on_hand = on_hand + 1 WHERE (tenant, item, location) = (SELECT tenant, item, location FROM stock LIMIT 1);
