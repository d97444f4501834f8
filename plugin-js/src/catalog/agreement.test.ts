/** `apply` and `toQuery` are two ways to one answer: generated catalogs, and a search as naive as the catalog's */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Entity } from '@backstage/catalog-model';
import type { EntitiesSearchFilter, EntityFilter } from '@backstage/plugin-catalog-node';
import { matches } from '../../e2e/support/catalogSearch';
import { mulberry32 } from '../../dev/mulberry32';
import { configurationOf, FROM_ENTRA, POLICY, recordOf } from '../../e2e/support/core';
import { RecordingLogger } from '../../e2e/support/logger';
import type { GroupState, Principal } from '../core';
import { EntraAccess } from '../service/entraAccess';
import { createOwnershipRules } from './ownershipRules';

const SEEDS = 200;
const IN_AN_HOUR = Math.floor(Date.now() / 1000) + 3600;
const CONFIGURATION = configurationOf({ authority: 'http://127.0.0.1:1', tenantId: recordOf().tenantId });
const id = (kind: string, at: number) => `${kind}00000-0000-4000-8000-${at.toString(16).padStart(12, '0')}`;

type Pick = ReturnType<typeof dice>;

function dice(seed: number) {
  const next = mulberry32(seed);
  const below = (limit: number) => next() % limit;
  const some = <T>(all: readonly T[], chance: number): T[] => all.filter(() => below(100) < chance);
  const one = <T>(all: readonly T[]): T => all[below(all.length)]!;
  return { below, some, one };
}

/** Teams inside teams, some bound to an Entra group, twice to the same or without trust; owners, some of whom own nothing */
function directory({ below, some, one }: Pick, teams: string[], groupIds: string[], people: string[]) {
  const groups = teams.map(entityRef => ({
    entityRef,
    ...(below(10) < 7 ? { groupId: one(groupIds) } : {}),
    ...(below(10) < 4 ? { parent: one(teams) } : {}),
    ...(below(10) < 2 ? { children: some(teams, 20) } : {}),
    ...(below(10) < 8 ? FROM_ENTRA : {}),
  }));
  return { groups, owners: below(10) < 9 ? [...some(teams, 70), ...some(people, 50)] : undefined };
}

function valuesIn(filter: EntityFilter): readonly string[] {
  return ('not' in filter ? (filter.not as EntitiesSearchFilter) : (filter as EntitiesSearchFilter)).values ?? [];
}

function play(seed: number, counts: Record<'owned' | 'notOwned' | 'neither', number>): void {
  const pick = dice(seed);
  const { below, some, one } = pick;
  const teams = Array.from({ length: 2 + below(12) }, (_, at) => `group:${one(['default', 'emea'])}/team-${at}`);
  const groupIds = Array.from({ length: 1 + below(10) }, (_, at) => id('7ea', at));
  const refs = Array.from({ length: 5 }, (_, at) => `user:default/${id('be0', at)}`);
  const owners = [...teams, ...refs, 'group:default/not-in-the-catalog'];
  const entities = Array.from({ length: 40 }, (): Entity => {
    const relations = ['ownedBy', 'ownerOf', 'partOf'].flatMap(type =>
      some(owners, type === 'ownedBy' ? 15 : 5).map(targetRef => ({ type, targetRef })),
    );
    const common = { apiVersion: 'v1', kind: 'Component', metadata: { name: 'x' } };
    return below(20) === 0 ? common : { ...common, relations };
  });
  const entraAccess = new EntraAccess(
    { json: CONFIGURATION, policy: { json: POLICY, place: 'p' } },
    new RecordingLogger(),
  );
  try {
    const input = directory(pick, teams, groupIds, refs);
    // Sometimes it has not been read yet, and sometimes nobody knows who owns something.
    const known = below(20) > 0 && entraAccess.core.setDirectory(input).ok;
    refs.slice(1).forEach((ref, at) => {
      const complete = { state: 'known' as GroupState, ids: some(groupIds, 30) };
      const groups = below(10) < 8 ? complete : { state: 'unknown' as GroupState, ids: [] };
      const record: Partial<Principal> = { objectId: id('be0', at + 1), groups };
      assert.ok(entraAccess.sessions.open(ref, recordOf(record), IN_AN_HOUR));
    });
    const [owned, notOwned] = createOwnershipRules(entraAccess) as [any, any];
    const owning = new Set(input.owners ?? []);
    // The first of them is not signed in.
    for (const principal of refs) {
      const version = entraAccess.versionOf(principal);
      for (const params of [version, { ...version, epoch: version.epoch + 1 }, { ...version, session: 9 }]) {
        const question = { principal, ...params };
        const [mine, others] = [owned.toQuery(question), notOwned.toQuery(question)];
        const what = `seed ${seed}: ${JSON.stringify(question)}`;
        for (const candidate of entities) {
          const [isOwned, isNot] = [owned.apply(candidate, question), notOwned.apply(candidate, question)];
          assert.equal(matches(mine, candidate), isOwned, what);
          assert.equal(matches(others, candidate), isNot, what);
          assert.ok(!(isOwned && isNot), what);
          counts[isOwned ? 'owned' : isNot ? 'notOwned' : 'neither'] += 1;
        }
        if (known && input.owners) {
          assert.ok(
            valuesIn(mine).every(value => owning.has(value)),
            `${what}: one of them owns nothing`,
          );
        }
        assert.equal(new Set(valuesIn(mine)).size, valuesIn(mine).length, what);
      }
    }
  } finally {
    entraAccess.close();
  }
}

test(`in ${SEEDS} generated catalogs they agree, and only owners that own something are asked for`, () => {
  const counts = { owned: 0, notOwned: 0, neither: 0 };
  for (let seed = 1; seed <= SEEDS; seed += 1) play(seed, counts);
  // All of it really happens.
  for (const [answer, count] of Object.entries(counts)) assert.ok(count > 1_000, `${answer}: ${count}`);
  assert.equal(counts.owned + counts.notOwned + counts.neither, SEEDS * 5 * 3 * 40);
});
