/** Callers that ask for decisions as fast as they are answered, and what came of each question */
import type { Client } from '../story/client';

/** What must be recorded, by how it is answered; and readings, which are counted */
export const KINDS = ['deny', 'allow', 'conditional', 'read'] as const;
export type Kind = (typeof KINDS)[number];

export const RUN_RULES = [
  { id: 'run-allows', effect: 'allow', permissions: ['run.allow.*', 'run.read.*'] },
  { id: 'run-owned', effect: 'allow', permissions: ['run.conditional.*'], when: { owned: true } },
];

const RESULT: Readonly<Record<Kind, string>> = {
  deny: 'DENY',
  allow: 'ALLOW',
  conditional: 'CONDITIONAL',
  read: 'ALLOW',
};
/** Questions of one request, at most: Backstage's own clients batch, too */
const IN_ONE = 5;
/** Where an answer is an error: it says to try again */
const PAUSE_MS = 200;

/** Every question has a name of its own, so that its record can be told from all others */
export class Load {
  /** Answers by the name of the permission */
  readonly answered = new Map<string, string>();
  /** Names whose request got an error, or none at all */
  readonly unanswered = new Set<string>();
  /** Answers that are not what the policy says */
  readonly wrong: string[] = [];
  #asked = 0;
  #ended = false;

  /** Asks with so many callers at once until there are `decisions` answers; whom they call may change meanwhile */
  async run(decisions: number, callers: number, to: () => Promise<{ client: Client; token: string }>): Promise<void> {
    const caller = async () => {
      while (this.answered.size < decisions) {
        const names = Array.from({ length: 1 + (this.#asked % IN_ONE) }, () => this.#next());
        const answers = await this.#ask(names, to).catch(() => undefined);
        if (answers) this.#take(names, answers);
        else {
          names.forEach(name => this.unanswered.add(name));
          await new Promise(resolve => setTimeout(resolve, PAUSE_MS));
        }
      }
    };
    await Promise.all(Array.from({ length: callers }, caller));
    this.#ended = true;
  }

  /** Waits until so many answers were given */
  async until(answers: number): Promise<void> {
    while (this.answered.size < answers && !this.#ended) await new Promise(resolve => setTimeout(resolve, 5));
  }

  #next(): string {
    const at = this.#asked;
    this.#asked += 1;
    return `run.${KINDS[at % KINDS.length]}.n${at}`;
  }

  async #ask(names: string[], to: () => Promise<{ client: Client; token: string }>): Promise<Map<string, string>> {
    const { client, token } = await to();
    const items = names.map(name => ({ id: name, permission: permissionOf(name) }));
    const { status, body } = await client.call('/api/permission/authorize', token, { items });
    if (status !== 200) throw new Error(String(status));
    return new Map(body.items.map(({ id, result }: { id: string; result: string }) => [id, result]));
  }

  #take(names: string[], answers: Map<string, string>): void {
    for (const name of names) {
      const result = answers.get(name) ?? 'none';
      this.answered.set(name, result);
      if (result !== RESULT[kindOf(name)]) this.wrong.push(`${name}: ${result}`);
    }
  }
}

/** What a question is about, by its name */
export function kindOf(name: string): Kind {
  return name.split('.')[1] as Kind;
}

function permissionOf(name: string): object {
  const kind = kindOf(name);
  const attributes = { action: kind === 'read' ? 'read' : 'update' };
  return kind === 'conditional'
    ? { type: 'resource', name, attributes, resourceType: 'catalog-entity' }
    : { type: 'basic', name, attributes };
}
