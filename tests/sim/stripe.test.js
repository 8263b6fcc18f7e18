// Stripe's own SDK against the gateway of orderd-sim: what it cannot tell from the real
// thing here, our client may rely on.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import Stripe from 'stripe';
import { Sim } from './sim.js';

const DAY_S = 86400;
let sim;
let stripe;

function sdk(key = 'sk_test_judge') {
  return new Stripe(key, {
    host: '127.0.0.1', port: sim.port, protocol: 'http', maxNetworkRetries: 0, telemetry: false,
  });
}

before(async () => {
  sim = await Sim.start();
  stripe = sdk();
});

after(() => sim.stop());

function authorization(more = {}) {
  return {
    amount: 4200, currency: 'eur', capture_method: 'manual', confirm: true,
    payment_method: 'pm_card_visa', payment_method_types: ['card'],
    metadata: { order_id: 'o-1' }, ...more,
  };
}

// The error a call ends in; what class it is of is the SDK's judgement.
async function failure(promise) {
  const result = await promise.then((value) => ({ value }), (error) => ({ error }));
  assert.ok(result.error, `no error but ${JSON.stringify(result.value)}`);
  return result.error;
}

test('authorize_capture_refund__money_and_states_follow', async () => {
  const held = await stripe.paymentIntents.create(authorization({ expand: ['latest_charge'] }));
  assert.equal(held.status, 'requires_capture');
  assert.equal(held.amount_capturable, 4200);
  assert.equal(held.amount_received, 0);
  assert.equal(held.latest_charge.captured, false);
  const before_s = held.latest_charge.payment_method_details.card.capture_before;
  assert.equal(before_s - held.latest_charge.created, 7 * DAY_S);

  const taken = await stripe.paymentIntents.capture(held.id);
  assert.equal(taken.status, 'succeeded');
  assert.equal(taken.amount_received, 4200);
  assert.equal(taken.amount_capturable, 0);

  const part = await stripe.refunds.create({ payment_intent: held.id, amount: 1200, reason: 'requested_by_customer' });
  assert.equal(part.status, 'succeeded');
  const rest = await stripe.refunds.create({ payment_intent: held.id });
  assert.equal(rest.amount, 3000);
  const none = await failure(stripe.refunds.create({ payment_intent: held.id }));
  assert.equal(none.code, 'charge_already_refunded');
  assert.equal((await stripe.refunds.retrieve(part.id)).amount, 1200);
  assert.equal((await stripe.refunds.list({ payment_intent: held.id })).data.length, 2);
  const charge = await stripe.charges.retrieve(taken.latest_charge);
  assert.equal(charge.amount_refunded, 4200);
  assert.equal(charge.refunded, true);
});

test('refund_of_more_than_was_captured__is_refused', async () => {
  const held = await stripe.paymentIntents.create(authorization());
  await stripe.paymentIntents.capture(held.id, { amount_to_capture: 1000 });
  const error = await failure(stripe.refunds.create({ payment_intent: held.id, amount: 1001 }));
  assert.ok(error instanceof Stripe.errors.StripeInvalidRequestError);
  assert.equal(error.param, 'amount');
});

test('partial_capture__the_rest_is_released', async () => {
  const held = await stripe.paymentIntents.create(authorization());
  const taken = await stripe.paymentIntents.capture(held.id, { amount_to_capture: 1500 });
  assert.equal(taken.status, 'succeeded');
  assert.equal(taken.amount_received, 1500);
  assert.equal(taken.amount_capturable, 0);
  const again = await failure(stripe.paymentIntents.capture(held.id, { amount_to_capture: 1500 }));
  assert.equal(again.code, 'payment_intent_unexpected_state');
  assert.equal(again.payment_intent.status, 'succeeded');
});

test('final_capture_false__needs_multicapture_and_keeps_the_rest', async () => {
  const single = await stripe.paymentIntents.create(authorization());
  const refused = await failure(
    stripe.paymentIntents.capture(single.id, { amount_to_capture: 100, final_capture: false }));
  assert.equal(refused.param, 'final_capture');

  const several = await stripe.paymentIntents.create(authorization({
    payment_method_options: { card: { request_multicapture: 'if_available' } },
  }));
  const first = await stripe.paymentIntents.capture(several.id, { amount_to_capture: 100, final_capture: false });
  assert.equal(first.status, 'requires_capture');
  assert.equal(first.amount_capturable, 4100);
  const last = await stripe.paymentIntents.capture(several.id);
  assert.equal(last.amount_received, 4200);
  assert.equal(last.status, 'succeeded');
});

test('capture_of_more_than_is_held__is_refused_and_takes_nothing', async () => {
  const held = await stripe.paymentIntents.create(authorization());
  const error = await failure(stripe.paymentIntents.capture(held.id, { amount_to_capture: 4201 }));
  assert.equal(error.code, 'amount_too_large');
  assert.equal((await stripe.paymentIntents.retrieve(held.id)).amount_received, 0);
});

test('cancel__releases_the_hold_and_is_final', async () => {
  const held = await stripe.paymentIntents.create(authorization());
  const gone = await stripe.paymentIntents.cancel(held.id, { cancellation_reason: 'abandoned' });
  assert.equal(gone.status, 'canceled');
  assert.equal(gone.cancellation_reason, 'abandoned');
  assert.equal(gone.amount_capturable, 0);
  assert.ok(gone.canceled_at > 0);
  for (const verb of ['capture', 'cancel', 'confirm']) {
    const error = await failure(stripe.paymentIntents[verb](held.id));
    assert.equal(error.code, 'payment_intent_unexpected_state', verb);
  }
});

test('create_then_confirm__declined_card_leaves_a_second_chance', async () => {
  const fresh = await stripe.paymentIntents.create({
    amount: 900, currency: 'usd', capture_method: 'manual', payment_method_types: ['card'],
  });
  assert.equal(fresh.status, 'requires_payment_method');
  const error = await failure(
    stripe.paymentIntents.confirm(fresh.id, { payment_method: 'pm_card_chargeDeclined' }));
  assert.ok(error instanceof Stripe.errors.StripeCardError);
  assert.equal(error.payment_intent.status, 'requires_payment_method');
  assert.equal(error.payment_intent.last_payment_error.decline_code, 'generic_decline');
  const held = await stripe.paymentIntents.confirm(fresh.id, { payment_method: 'pm_card_visa' });
  assert.equal(held.status, 'requires_capture');
  assert.equal(held.last_payment_error, null);
});

test('automatic_capture__money_is_taken_at_once', async () => {
  const paid = await stripe.paymentIntents.create(authorization({ capture_method: 'automatic' }));
  assert.equal(paid.status, 'succeeded');
  assert.equal(paid.amount_received, 4200);
});

for (const card of ['authenticationRequired', 'threeDSecure2Required']) {
  test(`pm_card_${card}__waits_for_the_customer_or_is_declined_without_one`, async () => {
    const method = { payment_method: `pm_card_${card}` };
    const waits = await stripe.paymentIntents.create(authorization(method));
    assert.equal(waits.status, 'requires_action');
    assert.equal(waits.next_action.type, 'redirect_to_url');
    assert.ok(waits.next_action.redirect_to_url.url.startsWith(`${sim.url}/_sim/authenticate/`));
    assert.match(waits.client_secret, new RegExp(`^${waits.id}_secret_`));
    assert.equal((await failure(stripe.paymentIntents.capture(waits.id))).code, 'payment_intent_unexpected_state');
    await sim.control('authenticate', { payment_intent: waits.id, outcome: 'succeed' });
    const held = await stripe.paymentIntents.retrieve(waits.id);
    assert.equal(held.status, 'requires_capture');
    assert.equal(held.next_action, null);

    const error = await failure(stripe.paymentIntents.create(authorization({ ...method, off_session: true })));
    assert.ok(error instanceof Stripe.errors.StripeCardError);
    assert.equal(error.statusCode, 402);
    assert.equal(error.code, 'authentication_required');
    assert.equal(error.payment_intent.status, 'requires_payment_method');
  });
}

test('challenge_is_failed_or_the_intent_canceled__nothing_is_charged', async () => {
  const method = { payment_method: 'pm_card_threeDSecure2Required', metadata: { order_id: 'challenged' } };
  const waits = await stripe.paymentIntents.create(authorization(method));
  await assert.rejects(sim.control('authenticate', { payment_intent: waits.id, outcome: 'fail' }), / 402 /);
  const back = await stripe.paymentIntents.retrieve(waits.id);
  assert.equal(back.status, 'requires_payment_method');
  assert.equal(back.last_payment_error.code, 'payment_intent_authentication_failure');
  const other = await stripe.paymentIntents.create(authorization(method));
  assert.equal((await stripe.paymentIntents.cancel(other.id)).next_action, null);
  await assert.rejects(sim.control('authenticate', { payment_intent: other.id }), / 400 /);
  await assert.rejects(sim.control('authenticate', { payment_intent: 'pi_nobody' }), / 404 /);
  const kinds = (await sim.charges()).filter((fact) => fact.order === 'challenged').map((fact) => fact.kind);
  assert.ok(!kinds.includes('authorize'), kinds);
});

test('uncaptured_for_a_week__authorization_is_gone', async () => {
  const held = await stripe.paymentIntents.create(authorization());
  await sim.advance(7 * DAY_S - 60);
  assert.equal((await stripe.paymentIntents.retrieve(held.id)).status, 'requires_capture');
  await sim.advance(60);
  const error = await failure(stripe.paymentIntents.capture(held.id));
  assert.equal(error.code, 'payment_intent_unexpected_state');
  const gone = await stripe.paymentIntents.retrieve(held.id);
  assert.equal(gone.status, 'canceled');
  assert.equal(gone.cancellation_reason, 'automatic');
});

test('authorization_holds_as_long_as_the_option_says', async () => {
  const brief = await Sim.start('--auth-life-s', '90');
  try {
    const other = new Stripe('sk_test_judge', {
      host: '127.0.0.1', port: brief.port, protocol: 'http', maxNetworkRetries: 0, telemetry: false,
    });
    const held = await other.paymentIntents.create(authorization({ expand: ['latest_charge'] }));
    const charge = held.latest_charge;
    assert.equal(charge.payment_method_details.card.capture_before - charge.created, 90);
    await brief.advance(90);
    assert.equal((await other.paymentIntents.retrieve(held.id)).status, 'canceled');
  } finally {
    await brief.stop();
  }
});

test('list__newest_first_in_pages_and_by_time', async () => {
  const made = [];
  for (let i = 0; i < 5; i++) made.unshift((await stripe.paymentIntents.create(authorization())).id);
  const page = await stripe.paymentIntents.list({ limit: 3 });
  assert.deepEqual(page.data.map((pi) => pi.id), made.slice(0, 3));
  assert.equal(page.has_more, true);
  const next = await stripe.paymentIntents.list({ limit: 2, starting_after: made[2] });
  assert.deepEqual(next.data.map((pi) => pi.id), made.slice(3));
  const none = await stripe.paymentIntents.list({ created: { gt: page.data[0].created } });
  assert.deepEqual(none.data, []);
  const seen = [];
  for await (const pi of stripe.paymentIntents.list({ limit: 2 })) if (seen.push(pi.id) === 5) break;
  assert.deepEqual(seen, made);
});

// How orderd reads it: since a time, page by page, while others are made.
test('list_since_a_time__whole_in_pages_and_as_it_is_now', async () => {
  const since = (await stripe.paymentIntents.create(authorization())).created + 1;
  await sim.advance(1);
  const made = [];
  for (let i = 0; i < 5; i++) made.unshift((await stripe.paymentIntents.create(authorization({ metadata: { attempt_id: `a${i}` } }))).id);
  await stripe.paymentIntents.capture(made[0], { amount_to_capture: 100 });
  await stripe.paymentIntents.cancel(made[4]);
  const seen = [];
  for (let page, after; page === undefined || page.has_more;) {
    page = await stripe.paymentIntents.list({ limit: 2, created: { gte: since }, ...(after && { starting_after: after }) });
    seen.push(...page.data);
    after = seen.at(-1).id;
    await stripe.paymentIntents.create(authorization());
  }
  assert.deepEqual(seen.map((pi) => pi.id), made);
  assert.deepEqual(seen.map((pi) => pi.metadata.attempt_id), ['a4', 'a3', 'a2', 'a1', 'a0']);
  assert.deepEqual([seen[0].status, seen[0].amount_received, seen[0].amount_capturable], ['succeeded', 100, 0]);
  assert.deepEqual([seen[1].status, seen[1].amount_capturable], ['requires_capture', seen[1].amount]);
  assert.deepEqual([seen[4].status, seen[4].amount_capturable], ['canceled', 0]);
  const gone = await failure(stripe.paymentIntents.list({ starting_after: 'pi_nobody' }));
  assert.equal(gone.code, 'resource_missing');
});

// ---- error classes ----

for (const [card, code, declineCode] of [
  ['chargeDeclined', 'card_declined', 'generic_decline'],
  ['chargeDeclinedInsufficientFunds', 'card_declined', 'insufficient_funds'],
  ['visa_chargeDeclinedLostCard', 'card_declined', 'lost_card'],
  ['chargeDeclinedExpiredCard', 'expired_card', 'expired_card'],
]) {
  test(`pm_card_${card}__is_a_card_error`, async () => {
    const error = await failure(
      stripe.paymentIntents.create(authorization({ payment_method: `pm_card_${card}` })));
    assert.ok(error instanceof Stripe.errors.StripeCardError);
    assert.equal(error.statusCode, 402);
    assert.equal(error.code, code);
    assert.equal(error.decline_code, declineCode);
    assert.match(error.charge, /^ch_/);
    assert.match(error.requestId, /^req_/);
  });
}

for (const [title, params, code, param] of [
  ['no_amount', { amount: undefined }, 'parameter_missing', 'amount'],
  ['amount_is_no_number', { amount: 'ten' }, 'parameter_invalid_integer', 'amount'],
  ['amount_is_tiny', { amount: 1 }, 'amount_too_small', 'amount'],
  ['amount_is_huge', { amount: 100000000 }, 'amount_too_large', 'amount'],
  ['currency_is_upper_case', { currency: 'EUR' }, undefined, 'currency'],
  ['unknown_payment_method', { payment_method: 'pm_card_nobody' }, 'resource_missing', 'payment_method'],
  ['unknown_parameter', { amuont: 1 }, 'parameter_unknown', 'amuont'],
  ['confirmed_at_once_without_return_url', { payment_method_types: undefined }, undefined, 'return_url'],
]) {
  test(`${title}__is_an_invalid_request`, async () => {
    const error = await failure(stripe.paymentIntents.create(authorization(params)));
    assert.ok(error instanceof Stripe.errors.StripeInvalidRequestError);
    assert.equal(error.statusCode, 400);
    assert.equal(error.code, code);
    assert.equal(error.param, param);
  });
}

test('unknown_intent__is_missing', async () => {
  const error = await failure(stripe.paymentIntents.retrieve('pi_nobody'));
  assert.ok(error instanceof Stripe.errors.StripeInvalidRequestError);
  assert.equal(error.statusCode, 404);
  assert.equal(error.code, 'resource_missing');
});

test('wrong_key__is_an_authentication_error', async () => {
  const error = await failure(sdk('sk_nobody').paymentIntents.list());
  assert.ok(error instanceof Stripe.errors.StripeAuthenticationError);
  assert.equal(error.statusCode, 401);
  assert.equal((await fetch(`${sim.url}/v1/payment_intents`)).status, 401);
});

test('restricted_key_that_writes__is_a_permission_error', async () => {
  const reader = sdk('rk_test_judge');
  const error = await failure(reader.paymentIntents.create(authorization()));
  assert.ok(error instanceof Stripe.errors.StripePermissionError);
  assert.equal(error.statusCode, 403);
  assert.ok(Array.isArray((await reader.paymentIntents.list()).data));
});

test('too_many_requests__is_a_rate_limit_error', async () => {
  await sim.fault('429', '/v1/payment_intents');
  const error = await failure(stripe.paymentIntents.create(authorization()));
  assert.ok(error instanceof Stripe.errors.StripeRateLimitError);
  assert.equal(error.headers['retry-after'], '1');
});

test('gateway_fails_before_acting__is_an_api_error_and_leaves_no_trace', async () => {
  const before = (await stripe.paymentIntents.list({ limit: 1 })).data[0]?.id;
  const options = { idempotencyKey: 'fails-before' };
  await sim.fault('500', '/v1/payment_intents', { method: 'POST' });
  const error = await failure(stripe.paymentIntents.create(authorization(), options));
  assert.ok(error instanceof Stripe.errors.StripeAPIError);
  assert.equal(error.headers['stripe-should-retry'], 'true');
  assert.equal((await stripe.paymentIntents.list({ limit: 1 })).data[0]?.id, before);
  const held = await stripe.paymentIntents.create(authorization(), options);
  assert.equal(held.lastResponse.headers['idempotent-replayed'], undefined);
});

test('connection_is_closed_before_acting__is_a_connection_error', async () => {
  // Twice: this SDK asks again once by itself when a connection is closed.
  await sim.fault('drop_before', '/v1/payment_intents', { count: 2, method: 'POST' });
  const error = await failure(stripe.paymentIntents.create(authorization()));
  assert.ok(error instanceof Stripe.errors.StripeConnectionError);
});

// ---- idempotency ----

async function raw(key, params) {
  const answer = await fetch(`${sim.url}/v1/payment_intents`, {
    method: 'POST',
    headers: { Authorization: 'Bearer sk_test_judge', 'Idempotency-Key': key },
    body: new URLSearchParams(params),
  });
  return { status: answer.status, text: await answer.text(), headers: answer.headers };
}

const flat = {
  amount: '4200', currency: 'eur', capture_method: 'manual', confirm: 'true', payment_method: 'pm_card_visa',
};

test('same_key_again__same_bytes_and_one_charge', async () => {
  const first = await raw('twice', flat);
  const second = await raw('twice', flat);
  assert.equal(second.text, first.text);
  assert.equal(second.headers.get('idempotent-replayed'), 'true');
  assert.equal(first.headers.get('idempotent-replayed'), null);
  assert.equal(second.headers.get('idempotency-key'), 'twice');
  const facts = (await sim.charges()).filter((fact) => fact.key === 'twice');
  assert.deepEqual(facts.map((fact) => fact.kind), ['authorize']);
});

test('declined_and_asked_again__the_decline_is_replayed', async () => {
  const params = { ...flat, payment_method: 'pm_card_chargeDeclined' };
  const first = await raw('declined', params);
  assert.equal(first.status, 402);
  const second = await raw('declined', params);
  assert.equal(second.status, 402);
  assert.equal(second.text, first.text);
});

test('same_key_other_parameters__is_an_idempotency_error', async () => {
  const options = { idempotencyKey: 'other-parameters' };
  await stripe.paymentIntents.create(authorization(), options);
  const error = await failure(stripe.paymentIntents.create(authorization({ amount: 4300 }), options));
  assert.ok(error instanceof Stripe.errors.StripeIdempotencyError);
  assert.equal(error.statusCode, 400);
});

test('validation_failure__leaves_the_key_free', async () => {
  const options = { idempotencyKey: 'validated' };
  await failure(stripe.paymentIntents.create(authorization({ amount: 1 }), options));
  const held = await stripe.paymentIntents.create(authorization(), options);
  assert.equal(held.status, 'requires_capture');
});

test('key_of_256_characters__is_refused', async () => {
  assert.equal((await raw('k'.repeat(255), flat)).status, 200);
  assert.equal((await raw('k'.repeat(256), flat)).status, 400);
});

test('twenty_at_once_with_one_key__one_charge', async () => {
  await sim.fault('slow', '/v1/payment_intents', { ms: 200 });
  const answers = await Promise.all(Array.from({ length: 20 }, () => raw('rush', flat)));
  const ids = new Set(answers.filter((a) => a.status === 200).map((a) => JSON.parse(a.text).id));
  assert.equal(ids.size, 1);
  for (const a of answers.filter((one) => one.status !== 200)) {
    assert.equal(a.status, 409);
    assert.equal(JSON.parse(a.text).error.code, 'idempotency_key_in_use');
  }
  assert.ok(answers.some((a) => a.status === 409), 'a key at work is refused');
  assert.equal((await sim.charges()).filter((fact) => fact.key === 'rush').length, 1);
});

test('connection_is_closed_after_acting__the_key_gives_the_answer', async () => {
  await sim.fault('drop_after', '/v1/payment_intents', { method: 'POST' });
  await failure(raw('lost-answer', flat));
  const found = await raw('lost-answer', flat);
  assert.equal(found.headers.get('idempotent-replayed'), 'true');
  assert.equal(JSON.parse(found.text).status, 'requires_capture');
  assert.equal((await sim.charges()).filter((fact) => fact.key === 'lost-answer').length, 1);
});

test('gateway_fails_after_acting__the_key_gives_500_for_ever_and_the_list_tells', async () => {
  await sim.fault('500_after', '/v1/payment_intents', { method: 'POST' });
  const params = { ...flat, 'metadata[order_id]': 'o-500' };
  for (let i = 0; i < 2; i++) assert.equal((await raw('broken', params)).status, 500);
  const found = (await stripe.paymentIntents.list()).data.find((pi) => pi.metadata.order_id === 'o-500');
  assert.equal(found.status, 'requires_capture');
});

test('random_faults__every_charge_is_answered_for_in_the_end', async () => {
  await sim.fault('drop_after', '/v1/payment_intents', { rate: 0.3 });
  await sim.fault('drop_before', '/v1/payment_intents', { rate: 0.3 });
  for (let i = 0; i < 20; i++) {
    let answer;
    for (let n = 0; answer === undefined && n < 100; n++)
      answer = await raw(`random-${i}`, flat).catch(() => undefined);
    assert.equal(answer.status, 200);
  }
  await fetch(`${sim.url}/_sim/faults`, { method: 'DELETE' });
  const facts = (await sim.charges()).filter((fact) => fact.key?.startsWith('random-'));
  assert.equal(facts.length, 20);
});
