/** One address in front of all replicas, as a load balancer is: in turn, and past those that do not answer. */
import { createServer, request, Agent, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Where a request may be sent */
export interface Upstream {
  readonly port: number;
}

export class Address {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 64 });
  readonly #upstreams = new Set<Upstream>();
  readonly #server = createServer((incoming, response) => this.#forward(incoming, response));
  #turn = 0;

  /** Once it listens */
  async open(): Promise<this> {
    // Whoever keeps a connection must not find it closed just when it is used again.
    this.#server.keepAliveTimeout = 10 * 60_000;
    await new Promise<void>(resolve => this.#server.listen(0, '127.0.0.1', resolve));
    return this;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  add(upstream: Upstream): void {
    this.#upstreams.add(upstream);
  }

  remove(upstream: Upstream): void {
    this.#upstreams.delete(upstream);
  }

  async close(): Promise<void> {
    this.#agent.destroy();
    this.#server.closeAllConnections();
    await new Promise(resolve => this.#server.close(resolve));
  }

  #forward(incoming: IncomingMessage, response: ServerResponse): void {
    const body: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => body.push(chunk));
    incoming.on('end', () => {
      this.#turn += 1;
      const inTurn = [...this.#upstreams];
      inTurn.unshift(...inTurn.splice(this.#turn % Math.max(1, inTurn.length)));
      this.#send(incoming, response, Buffer.concat(body), inTurn);
    });
  }

  /** What a replica did not answer as a whole is asked of the next: all that the soak asks may be asked twice */
  #send(incoming: IncomingMessage, response: ServerResponse, body: Buffer, inTurn: readonly Upstream[]): void {
    const [upstream, ...others] = inTurn;
    if (upstream === undefined) {
      response.writeHead(502).end();
      return;
    }
    const { method, url: path, headers } = incoming;
    let isOver = false;
    const next = () => {
      if (isOver) return;
      isOver = true;
      this.#send(incoming, response, body, others);
    };
    const options = { agent: this.#agent, host: '127.0.0.1', port: upstream.port, method, path, headers };
    const outgoing = request(options, answer => {
      const parts: Buffer[] = [];
      answer.on('data', (part: Buffer) => parts.push(part));
      answer.on('error', next);
      answer.on('end', () => {
        const whole = Buffer.concat(parts);
        const { 'transfer-encoding': _, ...said } = answer.headers;
        const added = { 'x-replica': String(upstream.port), 'content-length': String(whole.length) };
        response.writeHead(answer.statusCode ?? 502, { ...said, ...added }).end(whole);
      });
    });
    outgoing.on('error', next);
    outgoing.end(body);
  }
}
