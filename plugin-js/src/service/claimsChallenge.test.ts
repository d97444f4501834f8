import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Explanation, Issuer } from '../core';
import { challengeHeader, claimsOf, withClaims } from './claimsChallenge';
import { challengeOf, followRequest, noteCall, noteRefusal, type RequestContext } from './directCall';

const issuer = { tenantId: 't', authority: 'https://login.example' } as Issuer;
const call = { issuer, takesChallenges: true, entityRef: 'user:default/jane' };
const C1 = { access_token: { acrs: { essential: true, value: 'c1' } } };

test('the header has what Microsoft specifies, each parameter once', () => {
  const encoded = Buffer.from(JSON.stringify(C1)).toString('base64');
  assert.equal(
    challengeHeader(call, [{ authContext: 'c1', mfa: true }]),
    'Bearer realm="t", authorization_uri="https://login.example/t/oauth2/v2.0/authorize", ' +
      `error="insufficient_claims", claims="${encoded}"`,
  );
});

test('several contexts are asked for one after the other', () => {
  const stepUp = [{ signedInWithin: 60 }, { authContext: 'c1' }, { authContext: 'c2' }];
  assert.equal(challengeHeader(call, stepUp), challengeHeader(call, [{ authContext: 'c1' }]));
  assert.notEqual(challengeHeader(call, stepUp), challengeHeader(call, [{ authContext: 'c2' }]));
});

test('there is none where it would not help, or not be understood', () => {
  for (const stepUp of [undefined, [], [{ mfa: true as const }], [{ signedInWithin: 60 }]]) {
    assert.equal(challengeHeader(call, stepUp), undefined);
  }
  assert.equal(challengeHeader({ ...call, takesChallenges: false }, [{ authContext: 'c1' }]), undefined);
});

test('an explanation carries the claims of what Entra knows', () => {
  assert.deepEqual(JSON.parse(claimsOf({ authContext: 'c1' })!), C1);
  const explanation = { stepUp: [{ authContext: 'c1' }, { mfa: true }] } as Explanation;
  assert.deepEqual(withClaims(explanation).stepUp, [
    { authContext: 'c1', claims: claimsOf({ authContext: 'c1' }) },
    { mfa: true },
  ]);
  assert.deepEqual(explanation.stepUp?.[0], { authContext: 'c1' }, 'and is not changed itself');
});

test('a refusal belongs to the request and the caller that it was said to', async () => {
  const ask = (context: RequestContext, refused: string) =>
    new Promise<void>(resolve => {
      followRequest(context, async () => {
        noteCall(call);
        await new Promise(setImmediate);
        noteRefusal(refused, () => 'a challenge');
        resolve();
      });
    });
  const [own, others] = [{}, {}];
  await Promise.all([ask(own, call.entityRef), ask(others, 'user:default/else')]);
  assert.deepEqual([challengeOf(own), challengeOf(others), challengeOf({})], ['a challenge', undefined, undefined]);
  noteRefusal(call.entityRef, () => assert.fail('nobody follows this'));
});
