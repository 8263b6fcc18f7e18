-- payment_state(state): what the payments of one order come to; an aggregate over their states.  What waits for a person
-- is told before what waits for the gateway.
CASE WHEN bool_or($(1) = 'declined') THEN 'declined'
     WHEN bool_or($(1) = 'requires_action') THEN 'requires_action'
     WHEN bool_or($(1) = 'unknown') THEN 'unknown'
     WHEN bool_and($(1) = 'voided') THEN 'voided'
     WHEN bool_and($(1) IN ('captured', 'voided')) THEN 'captured'
     WHEN bool_or($(1) = 'captured') THEN 'partially_captured'
     WHEN bool_and($(1) IN ('authorized', 'voided')) THEN 'authorized'
     ELSE 'pending' END
