/** Questions at a constant rate, whether the last were answered or not: who waits must not make the load lighter. */
import { Agent, request } from 'node:http';
import type { Person } from './company';

/** What is answered: the policy's word, or that the account is not in force */
export type Answer = 'allow' | 'deny' | 'revoked';

/** One question and what came of it; times in milliseconds of `performance.now()` */
export interface Asked {
  person: Person;
  askedAt: number;
  answeredAt: number;
  /** `undefined`: none that says yes or no */
  answer?: Answer;
  /** Of an error */
  code?: string;
  /** 0 where nothing came */
  status: number;
  /** Its port */
  replica?: string;
  /** Of one replica, which may be killed meanwhile */
  direct: boolean;
}

const PERMISSION = {
  ...{ type: 'resource', name: 'catalog.entity.refresh', resourceType: 'catalog-entity' },
  attributes: { action: 'update' },
};
const BODY = JSON.stringify({ items: [{ id: '1', permission: PERMISSION, resourceRef: 'component:default/any' }] });
const GIVE_UP_MS = 30_000;

export class Load {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 256 });
  readonly #address: string;
  readonly #seen: (asked: Asked) => void;
  #timer?: NodeJS.Timeout;
  #begun = 0;
  #sent = 0;
  #open = 0;

  constructor(address: string, seen: (asked: Asked) => void) {
    this.#address = address;
    this.#seen = seen;
  }

  /** Asks about `next()` so many times a second, less what is asked beside */
  start(perSecond: number, next: () => Person): void {
    [this.#begun, this.#sent] = [performance.now(), 0];
    this.#timer = setInterval(() => {
      const due = ((performance.now() - this.#begun) * perSecond) / 1000;
      while (this.#sent < due) void this.ask(next());
    }, 5);
  }

  /** Asks no more; once all are answered */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    while (this.#open > 0) await new Promise(resolve => setTimeout(resolve, 20));
  }

  close(): void {
    clearInterval(this.#timer);
    this.#agent.destroy();
  }

  /** One question, maybe of one replica */
  async ask(person: Person, replica?: string): Promise<Asked> {
    this.#sent += 1;
    this.#open += 1;
    const asked = await this.#question(person, replica ?? this.#address, replica !== undefined);
    this.#open -= 1;
    this.#seen(asked);
    return asked;
  }

  #question(person: Person, address: string, direct: boolean): Promise<Asked> {
    const askedAt = performance.now();
    return new Promise(resolve => {
      const done = (status: number, replica?: string, said: Said = {}) =>
        resolve({ person, askedAt, answeredAt: performance.now(), status, replica, direct, ...said });
      const headers = { authorization: `Bearer ${person.token}`, 'content-type': 'application/json' };
      const asking = request(
        `${address}/api/permission/authorize`,
        { method: 'POST', agent: this.#agent, headers, timeout: GIVE_UP_MS },
        response => {
          let text = '';
          response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
          response.on('error', () => done(0));
          response.on('end', () => {
            const status = response.statusCode ?? 0;
            done(status, String(response.headers['x-replica'] ?? new URL(address).port), answerIn(status, text));
          });
        },
      );
      asking.on('timeout', () => asking.destroy(new Error('no answer in time')));
      asking.on('error', () => done(0));
      asking.end(BODY);
    });
  }
}

type Said = Pick<Asked, 'answer' | 'code'>;

function answerIn(status: number, text: string): Said {
  try {
    const { items, error } = JSON.parse(text) as Body;
    // The permission backend asks the auth backend about the user: who is disabled between the two is refused by the second.
    const isRefused = error?.code === 'principal_revoked' || error?.name === 'ResponseError';
    if (status === 401 && isRefused) return { answer: 'revoked' };
    const result = status === 200 ? items?.[0]?.result : undefined;
    if (result === 'ALLOW' || result === 'DENY') return { answer: result === 'ALLOW' ? 'allow' : 'deny' };
    return { code: error?.code ?? error?.name };
  } catch {
    return {};
  }
}

interface Body {
  items?: Array<{ result: string }>;
  error?: { code?: string; name?: string };
}
