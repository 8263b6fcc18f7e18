// The gateway's webhooks, judged by Stripe's own SDK: what it makes of the bytes and the signature.
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import Stripe from 'stripe';
import { Receiver } from './receiver.js';
import { Sim } from './sim.js';

const SECRET = 'whsec_judge_of_the_gateway';
let sim;
let stripe;
let receiver;

before(async () => {
  sim = await Sim.start();
  stripe = new Stripe('sk_test_judge', {
    host: '127.0.0.1', port: sim.port, protocol: 'http', maxNetworkRetries: 0, telemetry: false,
  });
});

after(() => sim.stop());

beforeEach(async () => {
  receiver = await Receiver.start();
  await sim.listen({ gateway: { url: receiver.url, secret: SECRET, first_ms: 10 } });
});

// Each test has a receiver of its own, and leaves nothing waiting for the next.
function judged(name, run) {
  test(name, async () => {
    let failed;
    try {
      await run();
    } catch (error) {
      failed = error;
    }
    try {
      await fetch(`${sim.url}/_sim/faults`, { method: 'DELETE' });
      receiver.answer = () => 200;
      await sim.webhooks_until((now) => now.gateway.waiting === 0);
    } catch (error) {
      failed ??= error; // what went wrong first is what is told
    }
    await receiver.stop();
    if (failed !== undefined) throw failed;
  });
}

function authorization(more = {}) {
  return {
    amount: 4200, currency: 'eur', capture_method: 'manual', confirm: true,
    payment_method: 'pm_card_visa', payment_method_types: ['card'], ...more,
  };
}

async function failure(promise) {
  const result = await promise.then((value) => ({ value }), (error) => ({ error }));
  assert.ok(result.error, `no error but ${JSON.stringify(result.value)}`);
  return result.error;
}

function construct(delivery, secret = SECRET) {
  return stripe.webhooks.constructEvent(delivery.raw, delivery.headers['stripe-signature'], secret);
}

// The types of the first n deliveries, every one of them accepted by the SDK.
async function types(n) {
  await receiver.events(n);
  return receiver.got.map((delivery) => construct(delivery).type);
}

judged('taken_and_given_back__each_step_is_told_in_order', async () => {
  const held = await stripe.paymentIntents.create(authorization(), { idempotencyKey: 'told' });
  await stripe.paymentIntents.capture(held.id, { amount_to_capture: 4000 });
  const refund = await stripe.refunds.create({ payment_intent: held.id, amount: 100 });
  assert.deepEqual(await types(7), [
    'payment_intent.created', 'charge.succeeded', 'payment_intent.amount_capturable_updated',
    'charge.captured', 'payment_intent.succeeded', 'refund.created', 'charge.refunded']);
  const [created, charged, capturable, captured, succeeded, refunded, given] =
    receiver.got.map((delivery) => construct(delivery));
  assert.equal(created.data.object.status, 'requires_confirmation');
  assert.equal(created.request.idempotency_key, 'told');
  assert.match(created.request.id, /^req_/);
  assert.match(created.id, /^evt_[0-9A-Za-z]{24}$/);
  assert.equal(charged.data.object.captured, false);
  assert.equal(charged.data.object.id, capturable.data.object.latest_charge);
  assert.equal(capturable.data.object.amount_capturable, 4200);
  assert.equal(captured.data.object.amount_captured, 4000);
  assert.equal(succeeded.data.object.amount_received, 4000);
  assert.equal(refunded.data.object.id, refund.id);
  assert.equal(given.data.object.amount_refunded, 100);
  assert.equal(new Set(receiver.got.map((delivery) => delivery.event.id)).size, 7);
});

judged('captured_at_once_declined_and_canceled__are_told', async () => {
  await stripe.paymentIntents.create(authorization({ capture_method: 'automatic' }));
  await failure(stripe.paymentIntents.create(authorization({ payment_method: 'pm_card_chargeDeclined' })));
  const held = await stripe.paymentIntents.create(authorization());
  await stripe.paymentIntents.cancel(held.id, { cancellation_reason: 'abandoned' });
  assert.deepEqual(await types(10), [
    'payment_intent.created', 'charge.succeeded', 'payment_intent.succeeded',
    'payment_intent.created', 'charge.failed', 'payment_intent.payment_failed',
    'payment_intent.created', 'charge.succeeded', 'payment_intent.amount_capturable_updated',
    'payment_intent.canceled']);
  const failed = construct(receiver.got[5]).data.object;
  assert.equal(failed.last_payment_error.decline_code, 'generic_decline');
  assert.equal(construct(receiver.got[9]).data.object.cancellation_reason, 'abandoned');
});

judged('customer_follows_the_link__is_authenticated_and_told', async () => {
  const waits = await stripe.paymentIntents.create(
    authorization({ payment_method: 'pm_card_threeDSecure2Required', return_url: 'https://shop.example/back' }));
  assert.equal(waits.status, 'requires_action');
  assert.equal(waits.next_action.redirect_to_url.return_url, 'https://shop.example/back');
  const link = waits.next_action.redirect_to_url.url;
  assert.equal((await fetch(link)).status, 200);
  assert.equal((await fetch(link)).status, 400, 'once is enough');
  assert.deepEqual(await types(4), ['payment_intent.created', 'payment_intent.requires_action',
    'charge.succeeded', 'payment_intent.amount_capturable_updated']);
  assert.equal(construct(receiver.got[1]).data.object.next_action.redirect_to_url.url, link);
  assert.equal((await stripe.paymentIntents.capture(waits.id)).status, 'succeeded');
});

judged('customer_fails_the_challenge__is_told_and_another_card_may_follow', async () => {
  const waits = await stripe.paymentIntents.create(
    authorization({ payment_method: 'pm_card_authenticationRequired' }));
  assert.equal((await fetch(`${waits.next_action.redirect_to_url.url}?outcome=fail`)).status, 402);
  const events = await types(3);
  assert.equal(events[2], 'payment_intent.payment_failed');
  const failed = construct(receiver.got[2]).data.object;
  assert.equal(failed.status, 'requires_payment_method');
  assert.equal(failed.last_payment_error.code, 'payment_intent_authentication_failure');
  assert.equal(failed.latest_charge, null);
  const held = await stripe.paymentIntents.confirm(waits.id, { payment_method: 'pm_card_visa' });
  assert.equal(held.status, 'requires_capture');
  await types(5);
});

judged('other_secret_other_bytes_or_old__are_refused_by_the_sdk', async () => {
  await stripe.paymentIntents.create(authorization());
  await receiver.events(3);
  const [delivery] = receiver.got;
  assert.equal(construct(delivery).type, 'payment_intent.created');
  const refused = Stripe.errors.StripeSignatureVerificationError;
  assert.throws(() => construct(delivery, `${SECRET}x`), refused);
  assert.throws(() => construct({ ...delivery, raw: delivery.raw.replace('4200', '4201') }), refused);
  const [, t] = /^t=(\d+),v1=[0-9a-f]{64}$/.exec(delivery.headers['stripe-signature']);
  assert.ok(Math.abs(Number(t) - Date.now() / 1000) < 60, 't is the wall clock, not the simulated one');
});

judged('answer_is_no_2xx__is_sent_again_until_it_is', async () => {
  const answers = [503, 302, 404, 200];
  receiver.answer = (delivery, n) => answers[n - 1] ?? 200;
  await stripe.paymentIntents.create(authorization({ confirm: false }));
  await receiver.until((got) => got[3]?.status === 200);
  assert.equal(new Set(receiver.got.map((delivery) => delivery.raw)).size, 1, 'the same bytes each time');
  for (const delivery of receiver.got) construct(delivery);
  const { gateway } = await sim.webhooks_until((now) => now.gateway.waiting === 0);
  const told = gateway.events.find((event) => event.id === receiver.got[0].event.id);
  assert.deepEqual([told.type, told.state, told.attempts, told.status],
    ['payment_intent.created', 'delivered', 4, 200]);
});

judged('receiver_never_accepts__is_given_up_after_the_attempts', async () => {
  await sim.listen({ gateway: { url: receiver.url, secret: SECRET, first_ms: 1, attempts: 3 } });
  receiver.answer = () => 500;
  const made = await stripe.paymentIntents.create(authorization({ confirm: false }));
  const { gateway } = await sim.webhooks_until((now) => now.gateway.waiting === 0);
  assert.equal(gateway.events.at(-1).state, 'given_up');
  assert.equal(gateway.events.at(-1).status, 500);
  assert.deepEqual(receiver.got.map((delivery) => delivery.event.data.object.id), [made.id, made.id, made.id]);
});

judged('receiver_is_away__events_wait_for_it', async () => {
  const { port } = receiver;
  await receiver.stop();
  const made = await stripe.paymentIntents.create(authorization({ confirm: false }));
  await sim.webhooks_until((now) => now.gateway.events.at(-1).attempts > 1);
  receiver = await Receiver.start();
  assert.notEqual(receiver.port, port);
  await sim.listen({ gateway: { url: receiver.url, secret: SECRET } });
  assert.deepEqual((await receiver.events(1)).map((event) => event.data.object.id), [made.id]);
});

judged('receiver_does_not_answer__calls_are_answered_all_the_same', async () => {
  let let_go;
  const held = new Promise((resolve) => { let_go = () => resolve(200); });
  receiver.answer = () => held;
  await stripe.paymentIntents.create(authorization());
  await receiver.until((got) => got.length === 1);
  for (let i = 0; i < 5; i++) await stripe.paymentIntents.create(authorization());
  assert.equal(receiver.got.length, 1, 'one at a time');
  assert.equal((await sim.webhooks()).gateway.waiting, 18);
  let_go();
  await receiver.events(18);
});

judged('more_wait_than_may__the_rest_is_dropped', async () => {
  await sim.listen({ gateway: { url: receiver.url, secret: SECRET, waiting: 2 } });
  let let_go;
  const held = new Promise((resolve) => { let_go = () => resolve(200); });
  receiver.answer = () => held;
  const make = () => stripe.paymentIntents.create(authorization({ confirm: false }));
  const made = [await make()];
  await receiver.until((got) => got.length === 1); // this one is being sent, and waits no more
  for (let i = 0; i < 3; i++) made.push(await make());
  assert.equal((await sim.webhooks()).gateway.events.filter((event) => event.state === 'dropped').length, 1);
  let_go();
  const sent = await receiver.events(3);
  assert.deepEqual(sent.map((event) => event.data.object.id), made.slice(0, 3).map((intent) => intent.id));
});

judged('fault_lost__never_comes', async () => {
  await sim.fault('lost', '/webhooks/gateway/charge.*');
  await stripe.paymentIntents.create(authorization());
  await stripe.paymentIntents.create(authorization());
  assert.deepEqual((await types(5)).filter((type) => type.startsWith('charge')), ['charge.succeeded']);
  const { gateway } = await sim.webhooks_until((now) => now.gateway.waiting === 0);
  assert.equal(receiver.got.length, 5);
  assert.equal(gateway.events.filter((event) => event.state === 'lost').length, 1);
});

judged('fault_doubled__comes_twice', async () => {
  await sim.fault('doubled', '/webhooks/gateway/payment_intent.created');
  await stripe.paymentIntents.create(authorization({ confirm: false }));
  const [first, second] = await receiver.events(2);
  assert.deepEqual(second, first);
  await sim.webhooks_until((now) => now.gateway.waiting === 0);
  assert.equal(receiver.got.length, 2);
});

judged('fault_late__comes_after_its_time', async () => {
  await sim.fault('late', '/webhooks/gateway/payment_intent.created', { ms: 2000 });
  const before_ms = Date.now();
  await stripe.paymentIntents.create(authorization());
  assert.deepEqual(await types(3), [
    'charge.succeeded', 'payment_intent.amount_capturable_updated', 'payment_intent.created']);
  assert.ok(receiver.got[2].at - before_ms >= 1999);
});

judged('fault_reordered__comes_after_the_next_one', async () => {
  await sim.fault('reordered', '/webhooks/gateway/payment_intent.created', { ms: 60000 });
  await stripe.paymentIntents.create(authorization());
  assert.deepEqual(await types(3), [
    'charge.succeeded', 'payment_intent.created', 'payment_intent.amount_capturable_updated']);
});

judged('fault_reordered_without_a_next_one__comes_in_the_end', async () => {
  await sim.fault('reordered', '/webhooks/gateway/payment_intent.created', { ms: 50 });
  await stripe.paymentIntents.create(authorization({ confirm: false }));
  assert.deepEqual(await types(1), ['payment_intent.created']);
});

judged('fault_bad_signature__is_refused_and_sent_again_well_signed', async () => {
  receiver.answer = (delivery) => {
    try {
      construct(delivery);
      return 200;
    } catch {
      return 400;
    }
  };
  await sim.fault('bad_signature', '/webhooks/gateway/*');
  await stripe.paymentIntents.create(authorization({ confirm: false }));
  await receiver.until((got) => got[1]?.status === 200);
  assert.deepEqual(receiver.got.map((delivery) => delivery.status), [400, 200]);
});

judged('nobody_listens__nothing_is_kept_for_later', async () => {
  await sim.listen({ gateway: null });
  const unheard = await stripe.paymentIntents.create(authorization());
  await sim.listen({ gateway: { url: receiver.url, secret: SECRET } });
  const heard = await stripe.paymentIntents.create(authorization({ confirm: false }));
  assert.deepEqual((await receiver.events(1)).map((event) => event.data.object.id), [heard.id]);
  assert.notEqual(unheard.id, heard.id);
});

judged('wrong_settings_and_faults__are_named', async () => {
  for (const [body, why] of [
    [{ gateway: { url: 'ftp://x', secret: SECRET } }, /gateway: url/],
    [{ gateway: { url: receiver.url } }, /gateway: secret/],
    [{ carrier: { url: receiver.url, secret: 'not ascii: é' } }, /carrier: secret/],
    [{ gateway: { url: receiver.url, secret: SECRET, attempts: 0 } }, /attempts/],
    [{ gateway: { url: receiver.url, secret: SECRET, waiting: 65537 } }, /waiting/],
  ]) {
    const error = await failure(sim.listen(body));
    assert.match(error.message, /: 400 /);
    assert.match(error.message, why);
  }
  assert.match((await failure(sim.fault('slow', '/webhooks/gateway/*'))).message, /late, doubled/);
  assert.match((await failure(sim.fault('late', '/v1/refunds'))).message, /drop_before/);
  assert.match((await failure(sim.fault('late', '/webhooks/*/*', { method: 'POST' }))).message, /no method/);
  assert.equal((await sim.webhooks()).gateway.url, receiver.url, 'as it was');
  assert.ok(!(await (await sim.control('webhooks')).text()).includes(SECRET));
});

// The last one: whatever the others have left behind ends with it, in no order.
judged('authorization_expires__is_told_though_nobody_looked', async () => {
  const held = await stripe.paymentIntents.create(authorization());
  const taken = await stripe.paymentIntents.create(authorization());
  await stripe.paymentIntents.capture(taken.id);
  await types(8);
  await sim.advance(7 * 86400);
  const about = await receiver.until((got) => {
    const found = got.slice(8).filter(({ event: { data: { object } } }) =>
      [object.id, object.payment_intent].includes(held.id));
    return found.length >= 2 && found;
  });
  const [expired, gone] = about.map((delivery) => construct(delivery));
  assert.deepEqual([expired.type, gone.type], ['charge.expired', 'payment_intent.canceled']);
  assert.equal(gone.data.object.cancellation_reason, 'automatic');
  assert.equal(gone.request.id, null);
  await sim.webhooks_until((now) => now.gateway.waiting === 0);
  assert.ok(!receiver.got.slice(8).some(({ event }) => event.data.object.id === taken.id), 'what is taken does not end');
});
