// Who listens to webhooks: keeps what came, byte for byte, and answers as it is told to.
import { createServer } from 'node:http';

const DEADLINE_MS = 20000;

export class Receiver {
  // `answer` gives a status, or a promise of one, for each delivery.
  static async start(answer = () => 200) {
    const receiver = new Receiver();
    receiver.got = [];
    receiver.answer = answer;
    receiver.waiting = new Set();
    receiver.server = createServer((request, response) => receiver.take(request, response));
    await new Promise((resolve) => receiver.server.listen(0, '127.0.0.1', resolve));
    receiver.server.unref(); // one that a failed test left behind does not keep the file from ending
    receiver.port = receiver.server.address().port;
    receiver.url = `http://127.0.0.1:${receiver.port}/hook`;
    return receiver;
  }

  async take(request, response) {
    const pieces = [];
    for await (const piece of request) pieces.push(piece);
    const raw = Buffer.concat(pieces).toString('utf8');
    const delivery = { raw, event: JSON.parse(raw), headers: request.headers, at: Date.now() };
    this.got.push(delivery);
    this.look();
    const status = await this.answer(delivery, this.got.length);
    delivery.status = status;
    response.writeHead(status, { Location: '/elsewhere' }).end();
    this.look();
  }

  look() {
    for (const look of this.waiting) look();
  }

  // Until `enough(deliveries)`; what it gave.
  until(enough) {
    return new Promise((resolve, reject) => {
      const look = () => {
        const found = enough(this.got);
        if (!found) return;
        clearTimeout(timer);
        this.waiting.delete(look);
        resolve(found);
      };
      const timer = setTimeout(() => {
        this.waiting.delete(look);
        reject(new Error(`only ${JSON.stringify(this.got.map((d) => d.event.type ?? d.event.description))}`));
      }, DEADLINE_MS);
      this.waiting.add(look);
      look();
    });
  }

  // Until as many have come; their events.
  async events(n) {
    await this.until((got) => got.length >= n && got[n - 1].status !== undefined);
    return this.got.map((delivery) => delivery.event);
  }

  async stop() {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}
