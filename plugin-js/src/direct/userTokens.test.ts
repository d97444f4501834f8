import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UserTokens, type UserToken } from './userTokens';

const NOW = 1_800_000_000;

/** A store whose time stands still until it is told, and an exchange that counts */
function scene(capacity?: number) {
  let now = NOW;
  const exchanged: string[] = [];
  const userTokens = new UserTokens({ clock: () => now * 1000, ...(capacity ? { capacity } : {}) });
  return {
    userTokens,
    exchanged,
    pass: (seconds: number) => (now += seconds),
    exchange:
      (entraToken: string, until = NOW + 600) =>
      async (): Promise<UserToken> => {
        exchanged.push(entraToken);
        return { token: `backstage ${exchanged.length}`, entityRef: 'user:default/o', until };
      },
  };
}

test('a token is exchanged once, however many come at once', async () => {
  const { userTokens, exchange, exchanged } = scene();
  const all = await Promise.all(Array.from({ length: 50 }, () => userTokens.get('a', exchange('a'))));
  assert.deepEqual(exchanged, ['a']);
  assert.deepEqual(new Set(all.map(({ token }) => token)), new Set(['backstage 1']));
  await userTokens.get('a', exchange('a'));
  assert.deepEqual(exchanged, ['a']);
});

test('each token has its own, even where one is the beginning of the other', async () => {
  const { userTokens, exchange } = scene();
  const [one, two] = await Promise.all([userTokens.get('a', exchange('a')), userTokens.get('aa', exchange('aa'))]);
  assert.notEqual(one.token, two.token);
});

test('it is got anew from its end on', async () => {
  const { userTokens, exchange, exchanged, pass } = scene();
  await userTokens.get('a', exchange('a', NOW + 10));
  pass(9);
  await userTokens.get('a', exchange('a', NOW + 10));
  assert.equal(exchanged.length, 1);
  pass(1);
  assert.equal((await userTokens.get('a', exchange('a'))).token, 'backstage 2');
});

test('a failure is told to everybody who waits, and not kept', async () => {
  const { userTokens, exchange, exchanged } = scene();
  const failing = () => Promise.reject(new Error('away'));
  const both = await Promise.allSettled([userTokens.get('a', failing), userTokens.get('a', exchange('a'))]);
  assert.deepEqual(
    both.map(({ status }) => status),
    ['rejected', 'rejected'],
  );
  assert.equal(userTokens.size, 0);
  assert.equal((await userTokens.get('a', exchange('a'))).token, 'backstage 1');
  assert.deepEqual(exchanged, ['a']);
});

test('a late failure does not take away what came after it', async () => {
  const { userTokens, exchange } = scene();
  let fail = (_: Error): void => undefined;
  const late = userTokens.get('a', () => new Promise((_, reject) => (fail = reject)));
  userTokens.drop('a');
  await userTokens.get('a', exchange('a'));
  fail(new Error('away'));
  await assert.rejects(late);
  assert.ok(userTokens.has('a'));
});

test('what is dropped is got anew', async () => {
  const { userTokens, exchange, exchanged } = scene();
  await userTokens.get('a', exchange('a'));
  userTokens.drop('a');
  assert.ok(!userTokens.has('a'));
  await userTokens.get('a', exchange('a'));
  assert.equal(exchanged.length, 2);
});

test('a lost session is replaced once for all who notice, and not again at once', async () => {
  const { userTokens, exchange, exchanged, pass } = scene();
  const stale = await userTokens.get('a', exchange('a'));
  assert.equal(await userTokens.replace('a', stale, exchange('a')), stale, 'it was got just now');
  pass(10);
  const all = await Promise.all(Array.from({ length: 20 }, () => userTokens.replace('a', stale, exchange('a'))));
  assert.deepEqual(new Set(all.map(({ token }) => token)), new Set(['backstage 2']));
  await userTokens.replace('a', all[0]!, exchange('a'));
  assert.equal(exchanged.length, 2);
});

test('the number is bounded, and the one that called longest ago goes', async () => {
  const { userTokens, exchange } = scene(3);
  for (const name of ['a', 'b', 'c', 'a', 'd']) await userTokens.get(name, exchange(name));
  assert.equal(userTokens.size, 3);
  assert.deepEqual(
    ['a', 'b', 'c', 'd'].filter(name => userTokens.has(name)),
    ['a', 'c', 'd'],
  );
});
