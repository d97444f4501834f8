/** Questions at a constant rate, whether the last were answered or not: who waits must not make the load lighter. */
import { Agent, request } from 'node:http';
import type { Person } from './company';

/** One question and what came of it; times in milliseconds of `performance.now()` */
export interface Asked {
  person: Person;
  askedAt: number;
  answeredAt: number;
  /** `undefined`: no answer that says yes or no */
  allowed?: boolean;
  status: number;
  /** Its port */
  replica?: string;
}

const PERMISSION = {
  ...{ type: 'resource', name: 'catalog.entity.refresh', resourceType: 'catalog-entity' },
  attributes: { action: 'update' },
};
const BODY = JSON.stringify({ items: [{ id: '1', permission: PERMISSION, resourceRef: 'component:default/any' }] });
const GIVE_UP_MS = 30_000;

export class Load {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 256 });
  readonly #url: string;
  readonly #seen: (asked: Asked) => void;
  #timer?: NodeJS.Timeout;
  #begun = 0;
  #sent = 0;
  #open = 0;

  constructor(address: string, seen: (asked: Asked) => void) {
    this.#url = `${address}/api/permission/authorize`;
    this.#seen = seen;
  }

  /** Asks about `next()` so many times a second */
  start(perSecond: number, next: () => Person): void {
    this.#begun = performance.now();
    this.#timer = setInterval(() => {
      const due = ((performance.now() - this.#begun) * perSecond) / 1000;
      for (; this.#sent < due; this.#sent += 1) void this.#ask(next());
    }, 5);
  }

  /** Once all are answered */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    while (this.#open > 0) await new Promise(resolve => setTimeout(resolve, 20));
    this.#agent.destroy();
  }

  /** One question beside the others */
  async ask(person: Person): Promise<Asked> {
    const asked = await this.#question(person);
    this.#seen(asked);
    return asked;
  }

  async #ask(person: Person): Promise<void> {
    this.#open += 1;
    await this.ask(person).finally(() => (this.#open -= 1));
  }

  #question(person: Person): Promise<Asked> {
    const askedAt = performance.now();
    return new Promise(resolve => {
      const done = (status: number, replica?: string, allowed?: boolean) =>
        resolve({ person, askedAt, answeredAt: performance.now(), status, replica, allowed });
      const headers = { authorization: `Bearer ${person.token}`, 'content-type': 'application/json' };
      const asking = request(
        this.#url,
        { method: 'POST', agent: this.#agent, headers, timeout: GIVE_UP_MS },
        answer => {
          let text = '';
          answer.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
          answer.on('error', () => done(0));
          answer.on('end', () => {
            const status = answer.statusCode ?? 0;
            done(status, String(answer.headers['x-replica'] ?? ''), status === 200 ? allowedBy(text) : undefined);
          });
        },
      );
      asking.on('timeout', () => asking.destroy(new Error('no answer in time')));
      asking.on('error', () => done(0));
      asking.end(BODY);
    });
  }
}

function allowedBy(text: string): boolean | undefined {
  try {
    const [item] = (JSON.parse(text) as { items: Array<{ result: string }> }).items;
    return item === undefined ? undefined : item.result === 'ALLOW';
  } catch {
    return undefined;
  }
}
