import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PluginTokenHandler } from '@backstage/backend-defaults/auth';
import { UNTIL_CLAIM } from '../service/pipelineLife';
import { endPipelines } from './pipelineTokens';
import { UserTokenHandler } from './userTokenHandler';

const NOW = 1_800_000_000;
const REF = 'pipeline:gitlab/payments-staging.42';
const HOUR = { iat: NOW, exp: NOW + 3600 };

const tokenOf = (claims: object) => `e30.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.x`;

interface Question {
  token: string;
  /** Seconds after the token was issued */
  after?: number;
  answer?: Awaited<ReturnType<PluginTokenHandler['verifyToken']>>;
  signedIn?: boolean;
  /** Whether Backstage has issued it; `undefined`: it only says so */
  proved?: boolean;
}

let recorded: Array<string | undefined> = [];

async function ask({ token, after = 0, answer, signedIn = true, ...question }: Question) {
  const { proved } = { proved: true, ...question };
  const inner: PluginTokenHandler = {
    verifyToken: async () => answer,
    issueToken: async () => ({ token: 'issued' }),
  };
  const signIns = {
    knows: (entityRef: string) => signedIn && entityRef === REF,
    async refuse(error: Error, { principal }: { principal?: string }) {
      recorded.push(principal);
      return error;
    },
  };
  const proves = async () => proved ?? Promise.reject(new Error('Failed user token verification'));
  const look = endPipelines(signIns, () => (NOW + after) * 1000);
  return new UserTokenHandler(inner, { proves }, [look]).verifyToken(token);
}

test('the Backstage token of a pipeline counts for ten minutes, whatever Backstage says', async () => {
  const token = tokenOf({ sub: REF, ...HOUR });
  assert.equal(await ask({ token, after: 599 }), undefined, 'it is for Backstage to verify it');
  await assert.rejects(ask({ token, after: 600 }), { name: 'AuthenticationError', code: 'token_expired' });
});

test('it ends sooner with the token of the job', async () => {
  const token = tokenOf({ sub: REF, ...HOUR, [UNTIL_CLAIM]: NOW + 300 });
  assert.equal(await ask({ token, after: 299 }), undefined);
  await assert.rejects(ask({ token, after: 300 }), { code: 'token_expired' });
});

test('no claim makes it live longer', async () => {
  for (const until of [NOW + 9_999_999, 'later', null, 1e99]) {
    const token = tokenOf({ sub: REF, ...HOUR, [UNTIL_CLAIM]: until });
    await assert.rejects(ask({ token, after: 600 }), { code: 'token_expired' }, String(until));
  }
  await assert.rejects(ask({ token: tokenOf({ sub: REF, iat: NOW, exp: NOW + 10 }), after: 10 }), {
    code: 'token_expired',
  });
});

test('what says not when it was issued, or until when, is refused', async () => {
  for (const claims of [
    {},
    { iat: NOW },
    { exp: NOW + 60 },
    { iat: String(NOW), exp: NOW + 60 },
    { iat: null, exp: NOW + 60 },
  ]) {
    await assert.rejects(
      ask({ token: tokenOf({ sub: REF, ...claims }) }),
      { code: 'token_expired' },
      JSON.stringify(claims),
    );
  }
});

test('without the sign-in behind it a token is nobody', async () => {
  await assert.rejects(ask({ token: tokenOf({ sub: REF, ...HOUR }), signedIn: false }), {
    name: 'AuthenticationError',
    code: 'not_signed_in',
  });
});

test('whose it is stands in the record once it is proved', async () => {
  const token = tokenOf({ sub: REF, ...HOUR });
  recorded = [];
  await assert.rejects(ask({ token, signedIn: false }));
  await assert.rejects(ask({ token, after: 600 }));
  assert.deepEqual(recorded, [REF, REF]);
});

test('the same holds where another plugin brings it', async () => {
  const answer = { subject: 'plugin:scaffolder', limitedUserToken: tokenOf({ sub: REF, ...HOUR }) };
  assert.equal(await ask({ token: 'a plugin token', answer }), answer);
  await assert.rejects(ask({ token: 'a plugin token', answer, after: 600 }), { code: 'token_expired' });
  await assert.rejects(ask({ token: 'a plugin token', answer, signedIn: false }), { code: 'not_signed_in' });
});

test('nobody else is concerned: people, plugins, and what is no token', async () => {
  for (const token of [tokenOf({ sub: 'user:default/pipeline', ...HOUR }), tokenOf({ sub: 7 }), 'static-token', '']) {
    assert.equal(await ask({ token, after: 3000, signedIn: false }), undefined, token);
  }
  const plugin = { subject: 'plugin:catalog' };
  assert.equal(await ask({ token: tokenOf({ sub: REF }), answer: plugin, after: 3000, signedIn: false }), plugin);
});

test('one that only says so tells nothing of the sign-in, and nothing is recorded', async () => {
  const token = tokenOf({ sub: REF, ...HOUR });
  recorded = [];
  for (const question of [
    { token, signedIn: false },
    { token, after: 600 },
  ]) {
    await assert.rejects(ask({ ...question, proved: undefined }), { message: 'Failed user token verification' });
    assert.equal(await ask({ ...question, proved: false }), undefined, 'others judge what is no user token');
  }
  assert.deepEqual(recorded, []);
});
