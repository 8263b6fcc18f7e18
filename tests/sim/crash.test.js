// What orderd-sim has answered it knows after kill -9; what it was still writing is gone whole.
import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import Stripe from 'stripe';
import { Receiver } from './receiver.js';
import { Sim } from './sim.js';

const params = {
  amount: '4200', currency: 'eur', capture_method: 'manual', confirm: 'true', payment_method: 'pm_card_visa',
};

// Stopped whatever becomes of the test.
async function started(t) {
  const sim = await Sim.start();
  t.after(() => sim.stop());
  return sim;
}

function create(sim, key) {
  return fetch(`${sim.url}/v1/payment_intents`, {
    method: 'POST',
    headers: { Authorization: 'Bearer sk_test_judge', 'Idempotency-Key': key },
    body: new URLSearchParams(params),
  });
}

// Calls run until the kill, which comes when many were answered and `ready`; returns key -> answer of those that were.
async function killed_under_load(sim, ready = Promise.resolve()) {
  const answered = new Map();
  let count = 0;
  async function client(name) {
    for (let i = 0; ; i++) {
      const key = `${name}-${i}`;
      const answer = await create(sim, key).then((a) => a.text()).catch(() => undefined);
      if (answer === undefined) return;
      answered.set(key, answer);
      if (++count === 100) await ready.finally(() => sim.kill());
    }
  }
  await Promise.all(['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'].map(client));
  return answered;
}

test('killed_under_load__every_answer_is_given_again', async (t) => {
  const sim = await started(t);
  const answered = await killed_under_load(sim);
  assert.ok(answered.size >= 100);
  appendFileSync(join(sim.dir, 'gateway.jsonl'), '{"time":"2026-01-0'); // a line cut short
  await sim.spawn();
  for (const [key, text] of answered) {
    const again = await create(sim, key);
    assert.equal(again.headers.get('idempotent-replayed'), 'true', key);
    assert.equal(await again.text(), text, key);
  }
  const facts = (await sim.charges()).filter((fact) => answered.has(fact.key));
  assert.equal(facts.length, answered.size);
  await create(sim, 'after');
  for (const line of readFileSync(join(sim.dir, 'gateway.jsonl'), 'utf8').trim().split('\n')) JSON.parse(line);
});

// ---- webhooks ----

const SECRET = 'whsec_judge_of_crashes';

// What stands behind the last end of a line was cut short by the kill: it has not happened.
function ids_in_journal(sim) {
  const lines = readFileSync(join(sim.dir, 'gateway.jsonl'), 'utf8').split('\n').slice(0, -1);
  return lines.flatMap((line) => (JSON.parse(line).events ?? []).map((event) => event.body.id));
}

test('killed_with_webhooks_not_acknowledged__they_are_sent_after_the_restart', async (t) => {
  const sim = await started(t);
  const receiver = await Receiver.start();
  t.after(() => receiver.stop());
  await sim.listen({ gateway: { url: receiver.url, secret: SECRET } });
  await create(sim, 'accepted');
  await sim.webhooks_until((now) => now.gateway.waiting === 0);
  const accepted = receiver.got.map((delivery) => delivery.event.id);
  assert.equal(accepted.length, 3);
  receiver.answer = () => 503;
  await create(sim, 'refused');
  await create(sim, 'refused too');
  await receiver.until((got) => got.some((delivery) => delivery.status === 503));
  await sim.kill();
  receiver.got.length = 0;
  receiver.answer = () => 200;
  await sim.spawn();
  // One that had left before the kill may arrive behind it, and comes once more.
  const sent = () => [...new Set(receiver.got.map((delivery) => delivery.event.id))];
  await receiver.until(() => sent().length >= 6);
  assert.deepEqual(sent().sort(), ids_in_journal(sim).filter((id) => !accepted.includes(id)).sort());
  for (const delivery of receiver.got)
    Stripe.webhooks.constructEvent(delivery.raw, delivery.headers['stripe-signature'], SECRET);
  await sim.webhooks_until((now) => now.gateway.waiting === 0);
  await sim.kill();
  receiver.got.length = 0;
  await sim.spawn();
  await create(sim, 'after');
  const rest = await receiver.events(3);
  assert.ok(rest.every((event) => event.request.idempotency_key === 'after'), 'what was accepted is over');
});

test('killed_under_load__nothing_was_told_that_is_not_in_the_journal_and_all_of_it_is_told', async (t) => {
  const sim = await started(t);
  const receiver = await Receiver.start();
  t.after(() => receiver.stop());
  await sim.listen({ gateway: { url: receiver.url, secret: SECRET } });
  await killed_under_load(sim, receiver.events(1));
  const before = new Set(receiver.got.map((delivery) => delivery.event.id));
  const journal = ids_in_journal(sim);
  assert.ok(before.size > 0 && journal.length >= 300);
  for (const id of before) assert.ok(journal.includes(id), `${id} was told but never happened`);
  await sim.spawn();
  await receiver.until((got) => new Set(got.map((delivery) => delivery.event.id)).size === journal.length);
});

test('event_is_lost__it_stays_lost_after_a_restart', async (t) => {
  const sim = await started(t);
  const receiver = await Receiver.start();
  t.after(() => receiver.stop());
  await sim.listen({ gateway: { url: receiver.url, secret: SECRET } });
  await sim.fault('lost', '/webhooks/gateway/charge.*');
  await create(sim, 'lost');
  await sim.kill();
  await sim.spawn();
  await create(sim, 'after');
  await sim.webhooks_until((now) => now.gateway.waiting === 0);
  const charges = receiver.got.filter((delivery) => delivery.event.type === 'charge.succeeded');
  assert.deepEqual([...new Set(charges.map((delivery) => delivery.event.request.idempotency_key))], ['after']);
});

test('started_with_webhooks__secrets_come_from_files', async (t) => {
  const receiver = await Receiver.start();
  t.after(() => receiver.stop());
  const dir = mkdtempSync(join(tmpdir(), 'orderd-sim-secret-'));
  t.after(() => rmSync(dir, { recursive: true }));
  writeFileSync(join(dir, 'secret'), `${SECRET}\n`);
  const sim = await Sim.start('--gateway-webhook', receiver.url, '--gateway-webhook-secret-file', join(dir, 'secret'));
  t.after(() => sim.stop());
  await create(sim, 'told');
  await receiver.events(3);
  const [{ raw, headers }] = receiver.got;
  assert.equal(Stripe.webhooks.constructEvent(raw, headers['stripe-signature'], SECRET).type, 'payment_intent.created');
  for (const options of [['--gateway-webhook', receiver.url],
    ['--carrier-webhook', receiver.url, '--carrier-webhook-secret-file', join(dir, 'none')],
    ['--carrier-webhook', 'nowhere', '--carrier-webhook-secret-file', join(dir, 'secret')]])
    await assert.rejects(Sim.start(...options), /exit [12]/);
});

test('authorization_ends_while_it_is_down__is_told_at_the_next_start', async (t) => {
  const sim = await Sim.start('--auth-life-s', '1');
  t.after(() => sim.stop());
  const receiver = await Receiver.start();
  t.after(() => receiver.stop());
  await sim.listen({ gateway: { url: receiver.url, secret: SECRET } });
  await create(sim, 'ends');
  await sim.kill();
  await sim.spawn();
  const types = await receiver.until((got) => {
    const found = got.map((delivery) => delivery.event.type);
    return found.includes('payment_intent.canceled') && found;
  });
  assert.ok(types.includes('charge.expired'));
});

test('clock_was_advanced__it_stays_so_after_a_restart', async (t) => {
  const sim = await started(t);
  const made = await (await create(sim, 'k')).json();
  await sim.advance(7 * 86400);
  await sim.kill();
  await sim.spawn();
  const seen = await fetch(`${sim.url}/v1/payment_intents/${made.id}`, {
    headers: { Authorization: 'Bearer sk_test_judge' },
  });
  assert.equal((await seen.json()).status, 'canceled');
});

test('second_simulator_on_the_same_books__is_refused', async (t) => {
  const sim = await started(t);
  const second = new Sim();
  t.after(() => second.process.kill('SIGKILL')); // had it been let in
  second.dir = sim.dir;
  second.options = [];
  await assert.rejects(second.spawn(), /exit 1/);
});
