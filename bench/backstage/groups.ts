/** What is asked of the peers over HTTP, and what they must answer. */
import assert from 'node:assert/strict';
import type { Case, Group, GroupPlan } from '../harness';
import { CLAIMS, componentRef, COMPONENTS, OWNED } from './catalog';
import { call } from './requests';

const ROUNDS = 11;
/** Where a tenth is what is asked about: two backends that do the same differ by as much from one round to the next */
const CLOSE_ROUNDS = 21;
const CONCURRENT = 100;
/** More than the catalog's rule can take: Backstage answers 413 at far fewer (backstage#20188) */
export const MANY = 5_000;
const BATCH = 100;
/** In which the peers are warmed up in turn */
const TURN_MS = 250;

/** A peer with somebody signed in */
export interface Asked {
  name: string;
  url: string;
  token: string;
}

/** The peers by what they are, and ours with somebody in more groups than a token lists */
export interface Scene {
  trivial: Asked;
  owners: Asked;
  entraAccess: Asked;
  rbac: Asked[];
  ownersMany: Asked;
  entraAccessMany: Asked;
  manyGroups: number;
  /** Groups inside groups */
  nested: number;
}

export function plansOf(scene: Scene): GroupPlan[] {
  const { trivial, owners, entraAccess, rbac } = scene;
  const groups = `${scene.nested.toLocaleString('en')} nested groups`;
  const alike = [trivial, owners, entraAccess, ...rbac];
  const plan = (what: string, make: () => Group): GroupPlan => ({ name: `${what}, ${groups}`, make });
  const plain = (count: number) =>
    plan(`authorize x${count}`, () => ({
      reference: trivial.name,
      maxRounds: CLOSE_ROUNDS,
      cases: alike.map(peer => awaited(peer.name, authorize(peer, LOOK, components(count)))),
      notes: ['one request with so many items, each about another component; no answer depends on its owner'],
    }));
  const atOnce = (permission: typeof LOOK, maxRounds: number) => ({
    reference: trivial.name,
    maxRounds,
    cases: alike.map(peer => concurrent(peer.name, authorize(peer, permission, components(1)))),
    notes: [`${CONCURRENT} requests under way at any time; wall time for each`],
  });
  const recorded = (count: number) =>
    plan(`authorize x${count}, recorded`, () => ({
      reference: trivial.name,
      maxRounds: ROUNDS,
      cases: alike.map(peer => awaited(peer.name, authorize(peer, UPDATE, components(count)))),
      notes: ['entra-access answers once its record of each is committed; the others keep none in a database'],
    }));
  return [
    plain(1),
    plain(10),
    plain(25),
    plan(`authorize x1, ${CONCURRENT} concurrent`, () => atOnce(LOOK, CLOSE_ROUNDS)),
    recorded(1),
    recorded(25),
    plan(`authorize x1, recorded, ${CONCURRENT} concurrent`, () => atOnce(UPDATE, ROUNDS)),
    plan(`authorize x25 by ownership, user in ${CLAIMS} groups`, () => ({
      reference: owners.name,
      maxRounds: ROUNDS,
      cases: [owners, entraAccess].map(peer => awaited(peer.name, authorize(peer, READ, components(25)))),
      notes: [
        'the permission backend asks the catalog to apply the condition to each; the RBAC plugin is not asked here',
      ],
    })),
    plan(`catalog by-query, 20 of ${COMPONENTS} components`, () => ({
      reference: owners.name,
      maxRounds: ROUNDS,
      cases: [
        ...[owners, entraAccess].map(peer => awaited(peer.name, byQuery(peer, OWNED))),
        ...[trivial, ...rbac].map(peer => awaited(`${peer.name}, unfiltered`, byQuery(peer, COMPONENTS))),
      ],
      notes: [
        `by ownership ${OWNED} components are the person's; where all may be read, SQL has no condition to look at`,
      ],
    })),
    plan(`${scene.manyGroups.toLocaleString('en')} groups x ${BATCH} entities in one batch`, () => many(scene)),
  ];
}

/** Asks each peer for so long, in turns: none is idle for longer than the others before it is measured */
export async function warmUp({ trivial, owners, entraAccess, rbac }: Scene, ms: number): Promise<void> {
  const questions = [trivial, owners, ...rbac, entraAccess].map(peer => authorize(peer, LOOK, components(1)));
  for (let left = ms; left > 0; left -= TURN_MS) {
    for (const { ask } of questions) {
      const until = performance.now() + TURN_MS;
      while (performance.now() < until) assert.ok(await ask(), 'a wrong answer while it was warmed up');
    }
  }
}

/** Ours only: the catalog's own rule is refused, which is looked at before ours is timed */
function many({ entraAccessMany, ownersMany }: Scene): Group {
  const ours = authorize(entraAccessMany, READ, components(BATCH));
  const theirs = authorize(ownersMany, READ, components(BATCH));
  const measured = awaited(entraAccessMany.name, ours);
  return {
    reference: measured.name,
    maxRounds: ROUNDS,
    cases: [
      {
        ...measured,
        async check() {
          await measured.check();
          assert.ok(!(await theirs.ask()), 'IS_ENTITY_OWNER with 5,000 claims is answered: say so in the notes');
        },
      },
    ],
    notes: [`the policy with IS_ENTITY_OWNER is refused by Backstage with ${MANY.toLocaleString('en')} claims already`],
  };
}

interface Question {
  /** Whether it answered, and rightly */
  ask(): Promise<boolean>;
  /** The same, and why not */
  check(): Promise<void>;
}

const READ = { name: 'catalog.entity.read', attributes: { action: 'read' } };
/** Allowed whoever owns it, and as a reading not recorded one by one */
const LOOK = { name: 'techdocs.read', attributes: { action: 'read' } };
const UPDATE = { name: 'catalog.entity.refresh', attributes: { action: 'update' } };

/** Components of the person's teams */
const components = (count: number) => Array.from({ length: count }, (_, at) => componentRef(at % CLAIMS));

function authorize({ name, url, token }: Asked, permission: typeof READ, refs: string[]): Question {
  const body = JSON.stringify({
    items: refs.map((resourceRef, at) => ({
      id: String(at),
      permission: { type: 'resource', resourceType: 'catalog-entity', ...permission },
      resourceRef,
    })),
  });
  const post = () => call(`${url}/api/permission/authorize`, token, body);
  const right = ({ status, body: answer }: Awaited<ReturnType<typeof post>>) =>
    status === 200 &&
    answer.items.length === refs.length &&
    answer.items.every(({ result }: { result: string }) => result === 'ALLOW');
  return {
    ask: async () => right(await post()),
    async check() {
      const answer = await post();
      assert.ok(right(answer), `${name}: ${answer.status} ${JSON.stringify(answer.body).slice(0, 500)}`);
    },
  };
}

function byQuery({ name, url, token }: Asked, total: number): Question {
  const get = () => call(`${url}/api/catalog/entities/by-query?filter=kind=component&limit=20`, token);
  const right = ({ status, body }: Awaited<ReturnType<typeof get>>) =>
    status === 200 && body.totalItems === total && body.items.length === 20;
  return {
    ask: async () => right(await get()),
    async check() {
      const answer = await get();
      assert.ok(right(answer), `${name}: ${answer.status}, ${answer.body.totalItems} of ${total} components`);
    },
  };
}

const awaited = (name: string, { ask, check }: Question): Case => ({
  ...{ name, work: { kind: 'awaited', once: ask }, check },
});

const concurrent = (name: string, { ask, check }: Question): Case => ({
  ...{ name, work: { kind: 'inFlight', width: CONCURRENT, once: ask }, check },
});
