-- payment_columns(p): what is shown of payment p and of its latest attempt.
$(1).order_id, $(1).group_no, $(1).state, $(1).amount_minor, $(1).authorized_minor, $(1).captured_minor, $(1).currency, $(1).method_token,
$(1).authorized_until,
(SELECT a.decline_code FROM payment_attempt a
  WHERE (a.tenant, a.order_id, a.group_no) = ($(1).tenant, $(1).order_id, $(1).group_no) ORDER BY a.n DESC LIMIT 1),
(SELECT a.action_url FROM payment_attempt a
  WHERE (a.tenant, a.order_id, a.group_no) = ($(1).tenant, $(1).order_id, $(1).group_no) ORDER BY a.n DESC LIMIT 1)
