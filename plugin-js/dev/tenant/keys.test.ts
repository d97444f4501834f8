import assert from 'node:assert/strict';
import { createHash, createPublicKey, X509Certificate } from 'node:crypto';
import { before, test } from 'node:test';
import { KeyRing } from './keys';

const ring = new KeyRing();
before(() => ring.warmUp());

const kids = () => ring.published.map(key => key.kid);

test('a key is 2048 bit RSA, named by the thumbprint of a certificate that fits it', () => {
  const key = ring.current;
  assert.equal(key.privateKey.asymmetricKeyDetails?.modulusLength, 2048);
  const der = Buffer.from(key.certificate, 'base64');
  assert.equal(key.kid, createHash('sha1').update(der).digest('base64url'));

  const certificate = new X509Certificate(der);
  assert.ok(certificate.verify(createPublicKey(key.publicKeyPem)), 'self-signed');
  assert.ok(certificate.checkPrivateKey(key.privateKey));
  assert.ok(Date.parse(certificate.validFrom) < Date.now() && Date.parse(certificate.validTo) > Date.now());
});

test('two keys are published from the start', () => {
  assert.deepEqual(new Set(kids()), new Set([ring.current.kid, ring.standby.kid]));
  assert.equal(kids().length, 2);
});

test('an announced roll signs with a key that was already published', async () => {
  const [current, standby] = [ring.current, ring.standby];
  await ring.roll({ overlap: true, announced: true });
  assert.equal(ring.current, standby);
  assert.ok(kids().includes(current.kid));
  assert.equal(kids().length, 3);
});

test('an unannounced roll signs with a new key while the old ones stay', async () => {
  const before = kids();
  await ring.roll({ overlap: true });
  assert.ok(!before.includes(ring.current.kid));
  for (const kid of before) assert.ok(kids().includes(kid));
});

test('retired keys go away in the end', async () => {
  const oldest = ring.current;
  for (let rolls = 0; rolls < 3; rolls += 1) await ring.roll({ overlap: true });
  assert.ok(!kids().includes(oldest.kid));
  assert.equal(kids().length, 4);
});

test('an emergency roll leaves none of the old keys', async () => {
  const before = kids();
  await ring.roll({ overlap: false });
  assert.equal(kids().length, 2);
  for (const kid of before) assert.ok(!kids().includes(kid));
});
