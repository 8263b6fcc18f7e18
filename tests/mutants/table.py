"""Rules that refuse: (name, file, what stands there once, what it becomes, the test that must fail).

A test is "unit NAME", "sql NAME" (tests/integration/sql_NAME.py) or "e2e NAME STORY ...".
"""
CELLS = "e2e access role__calls_what_its_row_says_and_nothing_else"
TENANT = "e2e access other_tenant__is_as_if_it_were_not_there"
CUSTOMER = "e2e access other_customer__is_as_if_it_were_not_there"
LOCATION = "e2e access other_location__is_as_if_it_were_not_there"
TOLD = "e2e customer_view customer__is_told_no_internals_by_any_way"
OWN = "e2e access customer__orders_for_nobody_else_and_pays_the_price"
KEYS = "e2e access key__has_no_more_scopes_than_its_maker"
READERS = "e2e record_asked tenants__ask_and_verify_each_its_own_and_those_alone_who_may_read"
TAMPERING = "e2e record_asked tampering__is_told_to_who_asks_with_the_number_of_the_first_broken_link"
TOKENS = "e2e auth good_token__is_known_and_nothing_else_is"

REFUSED = "e2e activation sockets_that_will_not_do__are_refused_by_name"
HELD, LISTENERS = "core/listen/held_sockets.c", "server/auth/listeners.c"
POLICY, JWT, JWKS, API_KEY = "server/auth/policy.c", "server/auth/jwt.c", "server/auth/jwks.c", "server/auth/api_key.c"
VIEW = "server/orders/customer_view.c"


def sql(name):
    return "db/queries/%s.sql" % name


# The policies of row-level security, open: a tenant's predicate in a statement is the first of two guards, and to see what it
# does by itself the second is taken away with it.
OPEN = ("db/migrations/0015_row_security.sql", "'WHEN tenant = ANY ((SELECT orderd.told_tenants())::int[]) THEN 1'", "'WHEN true THEN 1'")

ROWS = [
    # Who may call: the table, and that it is asked.
    ("call_is_judged", "server/runtime/rpc_call.c", "return e != ERR_OK ? e : read_request(c);", "return e == ERR_UNAUTHENTICATED ? e : read_request(c);", CELLS),
    ("caller_is_known", "server/auth/auth.c", "if (cause == AUTH_OK)", "if (cause != AUTH_CAUSES)", TOKENS),
    ("role", POLICY, "if (row == NULL || row->reach[who->role] == REACH_NO)", "if (row == NULL)", "unit server_policy"),
    ("role_at_the_door", POLICY, "if (row == NULL || row->reach[who->role] == REACH_NO)", "if (row == NULL)", CELLS),
    ("bound_to_a_customer", POLICY, "return row->reach[ROLE_CUSTOMER] == REACH_OWN;", "return true;", "unit server_policy"),
    ("bound_at_the_door", POLICY, "return row->reach[ROLE_CUSTOMER] == REACH_OWN;", "return true;", CELLS),
    ("customer_of_nobody", POLICY, "return row->reach[who->role] != REACH_OWN;", "return true;", "unit server_policy"),
    ("scope", POLICY, "return ERR_SCOPE_MISSING;", "return ERR_OK;", "unit server_policy"),
    ("scope_at_the_door", POLICY, "return ERR_SCOPE_MISSING;", "return ERR_OK;", "e2e access scope__narrows_a_credential_to_its_calls"),
    ("scope_whole_word", "server/auth/identity.c", "if (str_eq(one, word))", "if (one.n <= word.n && memcmp(one.p, word.p, one.n) == 0)", "unit server_policy"),
    ("operator", POLICY, "return ERR_NOT_OPERATOR;", "return ERR_OK;", "unit server_policy"),
    ("operator_at_the_door", POLICY, "return ERR_NOT_OPERATOR;", "return ERR_OK;", CELLS),
    ("operator_of_the_settings", "server/runtime/rpc_call.c", "c->server->opt.cfg->operator_tenant", "1", "e2e access operator__is_the_tenant_that_the_settings_name"),
    # Keys: what a maker may give.
    ("key_scope_known", "server/auth/key_service.c", "if (!policy_has_scope(&policy_of_orderd, word))", "if (false)", "e2e keys mistakes__are_named"),
    ("key_scope_of_its_maker", "server/auth/key_service.c", "else if (own.n > 0 && !identity_has_scope(own, word))", "else if (false)", KEYS),
    ("key_without_scopes", "server/auth/key_service.c", "else if (rest.n == 0 && own.n > 0)", "else if (false)", KEYS),
    # A customer's requests.
    ("customer_named", "server/request.c", "if (named.n > 0 && !str_eq(named, owner))", "if (false)", OWN),
    ("customer_given", "server/request.c", "\treturn owner;\n", "\treturn named.n > 0 ? named : STR(\"nobody\");\n", OWN),
    ("own_price", "server/orders/place_order.c", "if (line->own_price && rpc_identity(fl)->customer.p != NULL)", "if (false)", OWN),
    ("request_ids_apart", "server/request.c", "if (owner.p == NULL || id.n == 0 || id.n > REQUEST_ID_MAX)", "if (true)", "e2e access request_ids_of_customers__are_apart"),
    ("cost_of_a_parcel", "server/shipping/get_shipment.c", "if (rpc_identity(fl)->customer.p == NULL)", "if (true)", OWN),
    ("waiting_payments", "server/payment/payments.c", "else if (rq->order_id.len == 0 && rpc_identity(fl)->customer.p != NULL)", "else if (false)", CUSTOMER),
    # Owners: in each statement, and that it is asked with.
    ("owner_fragment", "db/queries/fragments/owned.sql", "($(2).owner IS NULL OR $(1).customer = $(2).owner)", "true", "sql request"),
    ("owner_fragment_at_the_door", "db/queries/fragments/owned.sql", "($(2).owner IS NULL OR $(1).customer = $(2).owner)", "true", CUSTOMER),
    ("owner_empty_is_nobody", "db/queries/fragments/owned.sql", "$(2).owner IS NULL", "$(2).owner IS NULL OR $(2).owner = ''", "sql request"),
    *[("owner_" + name, sql(name), " AND @owned(%s)" % args, "", "sql request") for name, args in (
        ("order_view", "o, h"), ("order_status", "o, h"), ("order_groups", "o, h"), ("order_cancel", "o, h"), ("orders_view", "o, l"),
        ("watch_events", "o, l"), ("payment_view", "o, h"), ("shipment_view", "x, h"))],
    ("asked_order_view", "server/orders/order_read.c", "\t\t\t\t    .owner = rpc_identity(fl)->customer};", "\t\t\t\t    };", CUSTOMER),
    ("asked_order_status", "server/orders/get_order.c", ".owner = rpc_identity(fl)->customer};", "};", CUSTOMER),
    ("asked_orders_view", "server/orders/batch_get_orders.c", ".owner = rpc_identity(fl)->customer};", "};", CUSTOMER),
    ("asked_watch_events", "server/watch/watch_order.c", "\tw->owner = rpc_identity(fl)->customer;\n", "", CUSTOMER),
    ("asked_payment_view", "server/payment/payment_message.c", ".owner = rpc_identity(fl)->customer};", "};", CUSTOMER),
    ("asked_shipment_view", "server/shipping/shipment_read.c", "\t\t\t\t       .owner = rpc_identity(fl)->customer,\n", "", CUSTOMER),
    ("asked_watch_orders", "server/watch/watch_orders.c", "w->customer = may_customer(fl, rq->customer);", "w->customer = may_text(fl, rq->customer, REQUEST_KEY_MAX, \"customer\");", "e2e feed_many caller_bound_to_a_customer__follows_that_one_alone"),
    ("asked_list_orders", "server/orders/list_orders.c", "l->customer = may_customer(fl, rq->customer);", "l->customer = may_text(fl, rq->customer, REQUEST_KEY_MAX, \"customer\");", CUSTOMER),
    # Locations: in each statement that finds by what a request names, and that it is asked with.
    ("located_fragment", "db/queries/fragments/located.sql", "($(2).locations IS NULL OR", "(true OR", "sql request"),
    ("located_fragment_at_the_door", "db/queries/fragments/located.sql", "($(2).locations IS NULL OR", "(true OR", LOCATION),
    ("located_empty_is_nowhere", "db/queries/fragments/located.sql", "$(2).locations IS NULL", "coalesce($(2).locations, '') = ''", "sql request"),
    ("located_fulfillment_by_id", sql("fulfillment_list"), "(h.tenant, h.fulfillment_id) AND @located(f, h))", "(h.tenant, h.fulfillment_id))", "sql request"),
    ("located_fulfillment_by_order", sql("fulfillment_list"), "\n\t\t    AND @located(f, h)\n", "\n", "sql request"),
    ("located_fulfillment_by_state", sql("fulfillment_list"), "p.tenant = h.tenant AND p.code = coalesce(h.location_code, p.code) AND @located(p, h)", "p.tenant = h.tenant AND p.code = coalesce(h.location_code, p.code)", "sql request"),
    ("located_fulfillment_by_location", sql("fulfillment_list"), "\t\t    AND p.code = coalesce(h.location_code, p.code) AND @located(p, h)", "\t\t    AND p.code = coalesce(h.location_code, p.code)", "sql request"),
    ("located_fulfillment_all", sql("fulfillment_list"), "AND h.locations IS NULL AND f.tenant", "AND f.tenant", "sql request"),
    ("located_movements_of_an_order", sql("movement_list"), "(h.tenant, h.order_id) AND @located(m, h)", "(h.tenant, h.order_id)", "sql request"),
    ("located_movements_of_an_item", sql("movement_list"), "(h.tenant, h.item) AND @located(m, h)", "(h.tenant, h.item)", "sql request"),
    ("located_movements_at_a_location", sql("movement_list"), "h.location_code) AND @located(w, h)", "h.location_code)", "sql request"),
    *[("located_" + name, sql(name), " AND @located(%s)" % args, "", "sql request") for name, args in (
        ("availability", "s, l"), ("shipment_view", "s, h"), ("label_view", "s, h"), ("pick_confirmed", "f, h"),
        ("pack_confirmed", "f, h"), ("handover_confirm", "s, l"), ("stock_receive", "p, h"))],
    ("located_handover_seen", sql("handover_confirm"), "WHERE trouble = 'not_found' OR (trouble IS NOT NULL", "WHERE (trouble IS NOT NULL", "sql request"),
    ("located_receipt_seen", sql("stock_receive"), "CASE WHEN location IS NULL THEN", "CASE WHEN location IS NULL AND (n IN (SELECT n FROM seen)) IS NOT TRUE THEN", "sql request"),
    ("locations_of_a_role", POLICY, "if (placed && row->reach[ROLE_MES] != REACH_AT)", "if (placed && row->reach[ROLE_MES] == REACH_SITE)", "unit server_policy"),
    ("locations_at_the_door", POLICY, "if (placed && row->reach[ROLE_MES] != REACH_AT)", "if (placed && row->reach[ROLE_MES] == REACH_SITE)", CELLS),
    ("locations_of_a_token", JWT, "return n > 0 && ret->p != NULL;", "return true;", "unit server_jwt"),
    ("locations_of_a_customers_certificate", "server/auth/peer.c", "if (ret->role == ROLE_CUSTOMER && ret->locations.p != NULL)", "if (false)", "unit server_auth"),
    ("locations_of_a_customers_key", "server/auth/key_service.c", "if (rq->n_locations > 0 && h->customer.p != NULL)", "if (false)", "e2e keys mistakes__are_named"),
    ("locations_of_a_key", "server/auth/key_feed.c", "\tret->who.locations = r->locations;\n", "", LOCATION),
    ("asked_at_fulfillment", "server/fulfillment/fulfillment_read.c", ".locations = rpc_identity(fl)->locations};", "};", LOCATION),
    ("asked_at_fulfillment_list", "server/fulfillment/list_fulfillment_orders.c", ".locations = rpc_identity(fl)->locations};", "};", LOCATION),
    ("asked_at_movements", "server/inventory/stock_movements.c", "\t\t\t\t\t.locations = rpc_identity(fl)->locations,\n", "", LOCATION),
    ("asked_at_receipt", "server/inventory/stock.c", ".actor = rpc_identity(fl)->subject,\n\t\t.locations = rpc_identity(fl)->locations};", ".actor = rpc_identity(fl)->subject};", LOCATION),
    ("asked_at_availability", "server/inventory/stock.c", "\t\t\t\t      .locations = rpc_identity(fl)->locations};", "\t\t\t\t      };", LOCATION),
    ("asked_at_label", "server/shipping/get_label.c", ".locations = rpc_identity(fl)->locations};", "};", LOCATION),
    ("asked_at_shipment", "server/shipping/shipment_read.c", ".locations = rpc_identity(fl)->locations};", "};", LOCATION),
    ("asked_at_handover", "server/shipping/confirm_handover.c", ".locations = rpc_identity(fl)->locations};", "};", LOCATION),
    # What a customer is told.
    ("told_event_kind", VIEW, "if (told == OTHER)\n\t\te->kind", "if (false)\n\t\te->kind", "unit server_customer_view"),
    ("told_actor", VIEW, "\te->actor = (ProtobufCBinaryData){0, NULL};\n", "", "unit server_customer_view"),
    ("told_detail", VIEW, "else if (told != DETAIL)", "else if (told == OTHER)", "unit server_customer_view"),
    ("told_hold", VIEW, "if (told == OTHER)\n\t\t\tcontinue;", "if (false)\n\t\t\tcontinue;", "unit server_customer_view"),
    ("told_code", VIEW, "TOLD_OF(codes, *code) == OTHER", "TOLD_OF(codes, *code) == CODE", "unit server_customer_view"),
    *[("told_" + name, VIEW, "{&orderd__v1__%s__descriptor, cut_%s}" % (of, cut), "{NULL, cut_%s}" % cut, "unit server_customer_view") for name, of, cut in (
        ("group", "shipment_group", "group"), ("payment", "payment", "payment"), ("attempt", "payment_attempt", "attempt"), ("scan", "tracking_scan", "scan"),
        ("reasons", "place_order_response", "reasons"))],
    ("told_by_any_way", "server/runtime/rpc_call.c", "if (rpc_identity(&c->flow)->customer.p != NULL && opt->customer_view != NULL)", "if (false && opt->customer_view != NULL)", TOLD),
    ("told_and_not_to_others", "server/watch/watch_orders.c", "if (rpc_identity(w->fl)->customer.p != NULL)\n\t\tsend_copies", "if (false)\n\t\tsend_copies", TOLD),
    # Tenants: in each statement that finds by what a request names.
    ("tenant_order_view", sql("order_view"), "(o.tenant, o.id) = (h.tenant, h.order_id)", "o.id = h.order_id", TENANT),
    ("tenant_order_status", sql("order_status"), "(o.tenant, o.id) = (h.tenant, h.order_id)", "o.id = h.order_id", TENANT),
    ("tenant_order_groups", sql("order_groups"), "(o.tenant, o.id) = (h.tenant, h.order_id)", "o.id = h.order_id", "sql request"),
    ("tenant_order_cancel", sql("order_cancel"), "(o.tenant, o.id) = (h.tenant, h.order_id)", "o.id = h.order_id", "sql request"),
    ("tenant_orders_view", sql("orders_view"), "SELECT @of(tenant) AS tenant, @of(most)", "SELECT (SELECT z.tenant FROM orders z WHERE z.id = l.order_id) AS tenant, @of(most)", TENANT),
    ("tenant_watch_events", sql("watch_events"), "(o.tenant, o.id) = (l.tenant, l.order_id)", "o.id = l.order_id", TENANT),
    ("tenant_order_list", sql("order_list"), "h.customer IS NULL AND o.tenant = h.tenant", "h.customer IS NULL", TENANT),
    ("tenant_order_list_customer", sql("order_list"), "o.customer = h.customer AND o.tenant = h.tenant", "o.customer = h.customer", TENANT),
    ("tenant_payment_view", sql("payment_view"), "(o.tenant, o.id) = (h.tenant, h.order_id)", "o.id = h.order_id", TENANT),
    ("tenant_payment_retry", sql("payment_retry"), "(x.tenant, x.id) = (h.tenant, h.order_id)", "x.id = h.order_id", TENANT),
    ("tenant_payments_waiting", sql("payments_waiting"), "d.tenant = h.tenant AND ", "", TENANT),
    ("tenant_shipment_view", sql("shipment_view"), "(s.tenant, s.id) = (h.tenant, h.shipment_id)", "s.id = h.shipment_id", TENANT),
    ("tenant_label_view", sql("label_view"), "(s.tenant, s.id) = (h.tenant, h.shipment_id)", "s.id = h.shipment_id", TENANT),
    ("tenant_handover_confirm", sql("handover_confirm"), "(s.tenant, s.id) = (l.tenant, l.shipment_id)", "s.id = l.shipment_id", TENANT),
    ("tenant_fulfillment_by_id", sql("fulfillment_list"), "(f.tenant, f.id) = (h.tenant, h.fulfillment_id)", "f.id = h.fulfillment_id", "sql request"),
    ("tenant_fulfillment_by_order", sql("fulfillment_list"), "(f.tenant, f.order_id) = (h.tenant, h.order_id)", "f.order_id = h.order_id", TENANT),
    ("tenant_fulfillment_by_location", sql("fulfillment_list"), "p.tenant = h.tenant AND (h.location_code IS NOT NULL", "(h.location_code IS NOT NULL", TENANT),
    ("tenant_fulfillment_all", sql("fulfillment_list"), "AND h.locations IS NULL AND f.tenant = h.tenant", "AND h.locations IS NULL", TENANT),
    ("tenant_job", sql("job_list"), "d.tenant = h.tenant AND (h.kind", "(h.kind", TENANT),
    ("tenant_movements_of_an_order", sql("movement_list"), "(m.tenant, m.order_id) = (h.tenant, h.order_id)", "m.order_id = h.order_id", TENANT),
    ("tenant_key_list", sql("api_key_list"), "d.tenant = h.tenant AND ", "", TENANT),
    ("tenant_key_revoke", sql("api_key_revoke"), "(k.tenant, k.kid) = (f.tenant, f.kid)", "k.kid = f.kid", TENANT),
    ("tenant_sku", sql("availability"), "(i.tenant, i.sku) = (l.tenant, l.sku)", "i.sku = l.sku", TENANT),
    ("tenant_sku_of_a_quote", sql("catalog_quote"), "(i.tenant, i.sku) = (l.tenant, l.sku)", "i.sku = l.sku", TENANT),
    ("tenant_page_token", "core/base/seal.c", "aad[i] = (uint8_t)((uint32_t)tenant >> (24 - 8 * i));", "aad[i] = (uint8_t)(tenant < 0);", TENANT),
    *[("tenant_call_list_" + road, sql("call_list"), "r.tenant = h.tenant AND r.%s = h.%s" % (road, road), "r.%s = h.%s" % (road, road),
       READERS) for road in ("object", "actor")],
    ("tenant_call_list_refused", sql("call_list"), "AND r.tenant = h.tenant AND r.seq >= h.from_seq AND r.seq < h.before_seq\n"
     "\t\t ORDER BY r.tenant DESC, r.seq DESC LIMIT h.looks)\n\t\tUNION", "AND r.seq >= h.from_seq AND r.seq < h.before_seq\n"
     "\t\t ORDER BY r.tenant DESC, r.seq DESC LIMIT h.looks)\n\t\tUNION", READERS),
    ("tenant_call_verify", sql("call_verify"), "d.tenant = h.tenant AND d.seq > h.after", "d.seq > h.after", READERS),
    ("row_security", *OPEN, "unit store_tenants"),
    # Calls on record: asked for, verified, removed.
    ("record_token_of_its_filter", "server/ops/call_records.c", "\t\trecord_hex((const uint8_t *)digest.p, l->filter);\n", "\t\t(void)l;\n",
     "e2e record_asked token__is_of_its_own_filter_alone"),
    ("record_order", "core/store/record_chain.c", "if (seq != *ret_seq)", "if (false)", TAMPERING),
    ("record_link", "core/store/record_chain.c", "if (!is_hash(r->prev, c->hash))", "if (false)", "unit store_record"),
    ("record_hash", "core/store/record_chain.c", "if (!is_hash(r->hash, hash))", "if (false)", TAMPERING),
    ("record_head", "core/store/record_chain.c", "if (seq == c->seq && is_hash(hash, c->hash))", "if (true || (seq == c->seq && is_hash(hash, c->hash)))", TAMPERING),
    ("record_kept_head", "server/ops/verify_records.c", "s->rs.kept = record_link_is(&s->chain, &s->kept)", "s->rs.kept = true",
     "e2e record_asked chain__is_verified_a_stretch_at_a_time_while_it_grows"),
    ("record_removed_where", "core/store/record_chain.c", "return cut.p == NULL || record_link_read(cut, c);", "return cut.p == NULL || (record_link_read(cut, c), true);", "unit store_record"),
    ("record_floor", "db/migrations/0016_record_queries.sql", "now() - greatest(make_interval(days => keep_days), call_record_kept_at_least())",
     "now() - make_interval(days => keep_days)", "sql record"),
    ("record_floor_of_a_row", "db/migrations/0016_record_queries.sql", "AND OLD.recorded_at < now() - orderd.call_record_kept_at_least()", "", "sql record"),
    ("record_said_first", "db/migrations/0016_record_queries.sql", "OLD.seq <= split_part(said, ':', 1)::bigint", "true", "sql record"),
    ("record_cut_by_workers", "db/migrations/0016_record_queries.sql", "REVOKE EXECUTE ON FUNCTION call_record_cut(int, int) FROM PUBLIC;\n", "", "sql record"),
    # Tokens.
    ("jwt_alg", JWKS, "if (k == NULL || !str_eq(alg, str_of(alg_names[k->alg])))", "if ((void)alg, k == NULL)", "unit server_jwt"),
    ("jwt_signature", JWT, "!jwks_verify(keys, kid, alg, p->signed_text, signature))", "(jwks_verify(keys, kid, alg, p->signed_text, signature), false))", "unit server_jwt"),
    ("jwt_kid", JWT, "if (kid.p == NULL || !jwks_has(keys, kid))", "if (kid.p == NULL)", "unit server_jwt"),
    ("jwt_crit", JWT, "if (json_object_get(header, \"crit\") != NULL)", "if (false)", "unit server_jwt"),
    ("jwt_typ", JWT, ": AUTH_WRONG_TYPE;", ": AUTH_OK;", "unit server_jwt"),
    ("jwt_exp", JWT, "return AUTH_EXPIRED;", "return AUTH_OK;", "unit server_jwt"),
    ("jwt_exp_leeway", JWT, "if (now_s >= c->expires_s + JWT_LEEWAY_S)", "if (now_s > c->expires_s + JWT_LEEWAY_S)", "unit server_jwt"),
    ("jwt_exp_there", JWT, "if (!read_time(json_object_get(claims, \"exp\"), &ret->expires_s) ||", "ret->expires_s = now_s;\n\tif ((json_object_get(claims, \"exp\") != NULL && !read_time(json_object_get(claims, \"exp\"), &ret->expires_s)) ||", "unit server_jwt"),
    ("jwt_exp_remembered", "server/auth/auth.c", "before != NULL ? jwt_check_time(before, now_s) :", "before != NULL ? AUTH_OK :", "e2e auth token_that_was_known__expires_all_the_same"),
    ("jwt_nbf", JWT, "? AUTH_NOT_YET_VALID : AUTH_OK;", "? AUTH_OK : AUTH_OK;", "unit server_jwt"),
    ("jwt_life", JWT, "return AUTH_TOO_LONG_LIVED;", "return AUTH_OK;", "unit server_jwt"),
    ("jwt_iss", JWT, "return AUTH_WRONG_ISSUER;", "(void)0;", "unit server_jwt"),
    ("jwt_aud", JWT, "return AUTH_WRONG_AUDIENCE;", "(void)0;", "unit server_jwt"),
    ("jwt_role", JWT, "return AUTH_WRONG_ROLE;", "(void)0;", "unit server_jwt"),
    ("jwt_customer", JWT, "return identity_name_ok(who->customer) ? AUTH_OK : AUTH_WRONG_CLAIMS;", "return AUTH_OK;", "unit server_jwt"),
    ("jwt_size", JWT, "if (token.n > JWT_MAX)", "if (false)", "unit server_jwt"),
    ("jwt_denied", "server/auth/auth.c", "if (deny_has(a->deny, claims.jti))", "if (false)", "e2e auth denied__though_it_is_good"),
    ("edge_alone", "server/auth/auth.c", "if (!peer_is_edge(call, a->edge_from))", "if (call == NULL)", "e2e edge header_on_another_listener__is_believed_by_nobody"),
    # Sockets that systemd holds: whose they are, which will do, and what an edge's connection is known by.
    ("held_pid", HELD, "n == getpid();", "n > 0;", "unit listen_held_sockets"),
    ("held_two_of_a_name", HELD, "if (found != NULL)\n\t\t\tconfig_refuse(", "if (false)\n\t\t\tconfig_refuse(", "unit listen_held_sockets"),
    ("held_listens", HELD, "if (!is_listening(fd) || getsockname(", "if ((!is_listening(fd) && fd < 0) || getsockname(", REFUSED),
    ("held_path", HELD, "if (at->sun_path[0] != '/')", "if (false)", REFUSED),
    ("held_loopback", HELD, "if (!address_is_loopback(at))", "if (false)", REFUSED),
    ("held_tls", LISTENERS, "if (kind == LISTENER_TLS)\n\t\tconfig_refuse(", "if (kind == LISTENER_KINDS)\n\t\tconfig_refuse(", REFUSED),
    ("held_twice", LISTENERS, "if (listener_is_held(&one) && str_eq(one, name))", "if (false)", REFUSED),
    ("held_edge_unix", LISTENERS, "if (!take_prefix(&path, STR(\"unix:\")))", "if (false)", REFUSED),
    ("held_edge_mode", LISTENERS, "(st.st_mode & S_IWOTH) != 0", "false", REFUSED),
    ("held_edge_number", "server/auth/peer.c", "str_to_i64(str_of(peer + 3), from, INT_MAX, &fd)", "str_to_i64(str_of(peer + 3), 0 * from, INT_MAX, &fd)",
     "e2e activation certificate__is_believed_on_the_edges_own_socket_alone"),
    ("held_number_of_others", "core/listen/held_listener.c", "moved < h->opt.below", "moved <= INT32_MAX", "unit listen_held_listener"),
    ("held_crowd", "core/listen/held_listener.c", "if (h->n_silent == HELD_SILENT_MAX)", "if (false)", "unit listen_held_listener"),
    ("certificate_denied", "server/auth/auth.c", "return e == AUTH_OK && deny_has(a->deny, uri) ? AUTH_DENIED : e;", "return e;", "e2e auth denied__though_it_is_good"),
    # Keys.
    ("key_mac", API_KEY, "if (!same)", "if (!same && now_us < 0)", "unit server_api_key"),
    ("key_unknown", API_KEY, "if (k == NULL)\n\t\treturn AUTH_UNKNOWN_KEY;", "if (k == NULL)\n\t\treturn AUTH_FORGED;", "unit server_api_key"),
    ("key_expired", API_KEY, "if (now_us >= k->expires_us)", "if (now_us < 0)", "unit server_api_key"),
    ("key_revoked", sql("api_keys_live"), "d.revoked_at IS NULL AND ", "", "e2e keys key_revoked__is_refused_within_five_seconds"),
    ("keys_stale", "server/auth/auth.c", "if (keys_are_stale(a))", "if (keys_are_stale(a) && a->keys == NULL)", "e2e keys database_away__known_callers_stay_known_for_a_while"),
]
