import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import type { databaseOf } from '../../e2e/support/databases';
import { DATABASES } from '../../e2e/support/eachDatabase';
import { SessionStore } from './sessionStore';

const NOW = 1_800_000_000;
const USE = { issuer: 'https://gitlab.example', jti: '235b3a54-b797-45c7-ae9a-f72d7bc6ef5b', until: NOW + 300 };

for (const { name, skip, open } of DATABASES) {
  describe(`single-use tokens in ${name}`, { skip }, () => {
    let database: Awaited<ReturnType<typeof databaseOf>>;
    let store: SessionStore;
    beforeEach(async () => {
      database = await open();
      store = await SessionStore.open(database.service);
    });
    afterEach(async () => {
      await database.knex('entra_access_used_tokens').delete();
      await database.close();
    });

    test('a token counts once', async () => {
      assert.equal(await store.usedTokens.claim(USE), true);
      assert.equal(await store.usedTokens.claim(USE), false);
      assert.equal(await store.usedTokens.claim({ ...USE, until: NOW + 9999 }), false, 'whatever else is said of it');
    });

    test('ids are those of their issuer, to the letter', async () => {
      for (const use of [
        USE,
        { ...USE, jti: USE.jti.toUpperCase() },
        { ...USE, issuer: 'https://gitlab.com' },
        { ...USE, issuer: `${USE.issuer}/` },
        { ...USE, jti: '' },
        { ...USE, jti: 'ü\u0000'.repeat(5_000) },
      ]) {
        assert.equal(await store.usedTokens.claim(use), true, JSON.stringify(use).slice(0, 99));
        assert.equal(await store.usedTokens.claim(use), false);
      }
    });

    test('of fifty who offer it at once exactly one is let in, also from two replicas', async () => {
      const other = await open();
      // In memory each connection would have a database of its own.
      const second = name === 'PostgreSQL' ? await SessionStore.open(other.service) : store;
      const claims = Array.from({ length: 50 }, (_, at) => (at % 2 ? second : store).usedTokens.claim(USE));
      assert.equal((await Promise.all(claims)).filter(Boolean).length, 1);
      await other.close();
    });

    test('rows are removed some time after the token has expired, a few at a time', async () => {
      for (const jti of ['a', 'b', 'c']) await store.usedTokens.claim({ ...USE, jti });
      await store.usedTokens.claim({ ...USE, jti: 'later', until: NOW + 3600 });
      assert.equal(await store.usedTokens.removeExpired(NOW + 300, 10), 0, 'a clock may be slow');
      assert.equal(await store.usedTokens.removeExpired(NOW + 300 + 15 * 60, 2), 2);
      assert.equal(await store.usedTokens.removeExpired(NOW + 300 + 15 * 60, 2), 1);
      assert.equal(await store.usedTokens.removeExpired(NOW + 300 + 15 * 60, 2), 0);
      assert.equal(await store.usedTokens.claim({ ...USE, jti: 'later' }), false);
    });

    test('a row holds nothing of the token', async () => {
      await store.usedTokens.claim(USE);
      const [row, ...more] = await database.knex('entra_access_used_tokens');
      assert.deepEqual(more, []);
      assert.match(row.digest, /^[0-9a-f]{64}$/);
      assert.deepEqual(Object.keys(row).sort(), ['digest', 'expires_at']);
    });
  });
}
