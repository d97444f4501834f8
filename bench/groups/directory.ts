/** Groups in groups: a user resolved, the closure, and the way in, on a tenant of 100,000 users and 20,000 groups. */
import assert from 'node:assert/strict';
import { closureOf, listsOf, setsOf } from '../cases/closures';
import {
  entraAccess,
  entraAccessTexts,
  graphology,
  ingest,
  loadedCore,
  mapAndSet,
  resolverCase,
  typedArrays,
  typedArraysClosed,
} from '../cases/resolvers';
import { groupsOf, makeTenant, pagesOf, TENANT_ID, type TenantData } from '../cases/tenant';
import type { Case, GroupPlan } from '../harness';
import type { Effort } from '../sampling';

/** Some thousand users, so that no contender has them all in a cache near the processor; those in 200 groups are every 100th */
const STEP = 17;
/** Each sample takes a large part of a second */
const INGEST_ROUNDS = 9;
const CLOSURE_ROUNDS = 21;

interface Scene {
  tenant: TenantData;
  pages: Buffer[];
}

let made: { effort: Effort; scene: Scene } | undefined;

function sceneOf(effort: Effort): Scene {
  if (made?.effort === effort) return made.scene;
  const quick = effort.distinct < 100;
  const tenant = quick ? makeTenant(400, 2_000) : makeTenant(20_000, 100_000);
  made = { effort, scene: { tenant, pages: pagesOf(tenant) } };
  return made.scene;
}

export const plans: GroupPlan[] = [
  {
    name: 'directory: all groups of a user',
    make: effort => {
      const { tenant, pages } = sceneOf(effort);
      const { core, report } = loadedCore(pages);
      const users = tenant.users.map((_, at) => at).filter(at => at % STEP === 0);
      const sizes = users.map(user => groupsOf(tenant, user).length);
      const mean = sizes.reduce((sum, size) => sum + size, 0) / sizes.length;
      return {
        reference: 'Map and Set',
        cases: [
          resolverCase(mapAndSet(tenant), tenant, users),
          resolverCase(graphology(tenant), tenant, users),
          resolverCase(typedArrays(tenant), tenant, users),
          resolverCase(typedArraysClosed(tenant), tenant, users),
          resolverCase(entraAccess(core, tenant), tenant, users),
          resolverCase(entraAccessTexts(core, tenant), tenant, users),
        ],
        notes: [
          `${tenant.users.length} users, ${tenant.groups.length} groups, ${report.nested} of them in another, ${report.memberships} memberships; ${mean.toFixed(1)} groups for a user, ${Math.max(...sizes)} at most`,
          `the whole directory takes ${(report.bytes / 1e6).toFixed(1)} MB in the core, ids and users included`,
          'typed arrays and entra-access answer numbers, the others ids',
        ],
      };
    },
  },
  {
    name: 'directory: closure',
    make: effort => {
      const { tenant, pages } = sceneOf(effort);
      const { core } = loadedCore(pages);
      const lists = listsOf(tenant.inside);
      const rebuild = () => core.setDirectory({ groups: [], owners: [] }).ok;
      const some = [0, tenant.users.length - 1];
      const checked = (work: () => unknown, check: () => void, name: string): Case => ({
        name,
        work: { kind: 'sync', once: work },
        check,
      });
      const sizes = setsOf(tenant.inside).map(set => set.size);
      return {
        reference: 'typed arrays',
        maxRounds: CLOSURE_ROUNDS,
        cases: [
          checked(
            () => closureOf(lists),
            () => {
              const { cycle, above } = closureOf(lists);
              const lengths = Array.from(cycle, list => above.starts[list + 1]! - above.starts[list]!);
              assert.deepEqual(lengths, sizes);
            },
            'typed arrays',
          ),
          checked(
            () => setsOf(tenant.inside),
            () => {},
            'a Set for each group',
          ),
          checked(
            rebuild,
            () => {
              assert.ok(rebuild());
              for (const user of some) {
                const found = core.members.groupsOf(TENANT_ID, tenant.users[user] as string)?.sort();
                assert.deepEqual(found, groupsOf(tenant, user));
              }
            },
            'entra-access',
          ),
        ],
        notes: [
          'entra-access: everything that a change in the catalog costs, lists of neighbours and a new epoch included',
        ],
      };
    },
  },
  {
    name: 'directory: ingest',
    make: effort => {
      const { tenant, pages } = sceneOf(effort);
      const { core } = loadedCore(pages);
      const megabytes = pages.reduce((sum, page) => sum + page.length, 0) / 1e6;
      const last = tenant.users.length - 1;
      return {
        reference: 'JSON.parse and Map',
        maxRounds: INGEST_ROUNDS,
        cases: [
          {
            name: 'JSON.parse alone',
            work: { kind: 'sync', once: () => pages.map(parse).length },
            check: () => {},
          },
          {
            name: 'JSON.parse and Map',
            work: { kind: 'sync', once: () => mapsOf(pages).direct.size },
            check: () => {
              const { direct, above } = mapsOf(pages);
              const found = new Set(direct.get(tenant.users[last] as string));
              for (const group of found) for (const next of above.get(group) ?? []) found.add(next);
              assert.deepEqual([...found].sort(), groupsOf(tenant, last));
            },
          },
          {
            name: 'entra-access',
            work: { kind: 'sync', once: () => ingest(core, pages).groups },
            check: () => {
              const found = core.members.groupsOf(TENANT_ID, tenant.users[last] as string)?.sort();
              assert.deepEqual(found, groupsOf(tenant, last));
            },
          },
        ],
        notes: [
          `${pages.length} pages of Microsoft Graph, ${megabytes.toFixed(1)} MB, as bytes; entra-access includes the closure`,
        ],
      };
    },
  },
];

interface Page {
  value: Array<{ id: string; 'members@delta': Array<{ '@odata.type': string; id: string }> }>;
}

const parse = (page: Buffer) => JSON.parse(page.toString('utf8')) as Page;

function mapsOf(pages: Buffer[]) {
  const direct = new Map<string, string[]>();
  const above = new Map<string, string[]>();
  for (const page of pages) {
    for (const { id: group, 'members@delta': members } of parse(page).value) {
      for (const { '@odata.type': type, id } of members) {
        const map = type === '#microsoft.graph.group' ? above : direct;
        const groups = map.get(id);
        if (groups) groups.push(group);
        else map.set(id, [group]);
      }
    }
  }
  return { direct, above };
}
