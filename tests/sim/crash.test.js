// What orderd-sim has answered it knows after kill -9; what it was still writing is gone whole.
import assert from 'node:assert/strict';
import { appendFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
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

// Calls run until the kill; returns key -> answer of those that were answered.
async function killed_under_load(sim) {
  const answered = new Map();
  let count = 0;
  async function client(name) {
    for (let i = 0; ; i++) {
      const key = `${name}-${i}`;
      const answer = await create(sim, key).then((a) => a.text()).catch(() => undefined);
      if (answer === undefined) return;
      answered.set(key, answer);
      if (++count === 100) await sim.kill();
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
