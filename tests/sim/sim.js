// A private orderd-sim on a free port, with its books in a fresh directory.  The program
// is named by ORDERD_SIM; run.sh sets it.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const PATIENCE_MS = 20000;

// A promise that is given up after a while, and says whose it was.
function within(promise, what) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what}: nothing in ${PATIENCE_MS / 1000} s`)), PATIENCE_MS);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

export class Sim {
  // A minute between scans: in these tests time passes when the clock is told to.
  static async start(...options) {
    const sim = new Sim();
    sim.dir = mkdtempSync(join(tmpdir(), 'orderd-sim-'));
    sim.options = ['--scan-ms', '60000', ...options];
    await sim.spawn().catch((error) => {
      rmSync(sim.dir, { recursive: true });
      throw error;
    });
    return sim;
  }

  async spawn() {
    const args = ['--listen', '127.0.0.1:0', '--journal', this.dir, ...this.options];
    this.process = spawn(process.env.ORDERD_SIM, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    this.ended = new Promise((resolve) => this.process.on('exit', (code) => resolve(code)));
    const lines = createInterface({ input: this.process.stdout });
    const first = await within(Promise.race([
      new Promise((resolve) => lines.once('line', resolve)),
      this.ended.then((code) => `exit ${code}`),
    ]), 'the start of orderd-sim').catch((error) => {
      this.process.kill('SIGKILL');
      throw error;
    });
    const at = /^listening=(127\.0\.0\.1):(\d+)$/.exec(first);
    if (at === null) throw new Error(`orderd-sim did not start: ${first}`);
    this.port = Number(at[2]);
    this.url = `http://127.0.0.1:${this.port}`;
  }

  async kill() {
    this.process.kill('SIGKILL');
    await this.ended;
  }

  // Its exit code is looked at: under a sanitizer a mistake inside it shows there.  One that a test killed has none.
  async stop() {
    this.process.kill('SIGTERM');
    const code = await within(this.ended, 'the end of orderd-sim').catch((error) => {
      this.process.kill('SIGKILL');
      throw error;
    }).finally(() => rmSync(this.dir, { recursive: true, force: true }));
    if (code !== 0 && this.process.signalCode !== 'SIGKILL') throw new Error(`orderd-sim ended with ${code}`);
  }

  async control(path, body) {
    const method = body === undefined ? 'GET' : 'POST';
    const answer = await fetch(`${this.url}/_sim/${path}`, {
      method, body: body && JSON.stringify(body), signal: AbortSignal.timeout(PATIENCE_MS),
    });
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
    return answer;
  }

  fault(fault, path, more = {}) {
    return this.control('faults', { fault, path, ...more });
  }

  advance(seconds) {
    return this.control('clock', { advance_s: seconds });
  }

  // `settings` of webhooks.
  listen(settings) {
    return this.control('webhooks', settings);
  }

  async webhooks() {
    return (await this.control('webhooks')).json();
  }

  // Until the simulator's own list of webhooks is as wanted: it learns of an acknowledgement after the receiver.
  async webhooks_until(enough) {
    for (const end = Date.now() + PATIENCE_MS; ;) {
      const now = await this.webhooks();
      if (enough(now)) return now;
      if (Date.now() > end) throw new Error(`webhooks stay ${JSON.stringify(now)}`);
    }
  }

  async charges() {
    const text = await (await this.control('charges')).text();
    return text.split('\n').filter(Boolean).map((line) => JSON.parse(line));
  }
}
