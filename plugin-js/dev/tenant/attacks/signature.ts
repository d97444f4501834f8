/** The signature doesn't fit: changed text, other keys, no or other algorithms. */
import { createHmac, sign } from 'node:crypto';
import { base64url, signRaw } from '../jws';
import type { SigningKey } from '../keys';
import { groups, people } from '../people';
import type { AttackDefinition, AttackScene } from './scene';

export const signatureAttacks: AttackDefinition[] = [
  {
    name: 'tampered',
    title: 'payload changed after signing: the caller made herself an admin',
    expect: 'signature_invalid',
    forge: ({ parts, payloadText }) => `${parts.header}.${base64url(asAdmin(payloadText))}.${parts.signature}`,
  },
  ...['none', 'NONE', 'nOnE'].map((alg): AttackDefinition => ({
    name: `alg-${alg}`,
    title: `header says "alg": "${alg}", the old signature still attached`,
    expect: 'algorithm_not_allowed',
    forge: scene =>
      `${base64url(header(scene, { alg }))}.${base64url(asAdmin(scene.payloadText))}.${scene.parts.signature}`,
  })),
  {
    name: 'alg-none-unsigned',
    title: 'header says "alg": "none" and the signature is empty',
    expect: 'token_malformed',
    forge: scene => `${base64url(header(scene, { alg: 'none' }))}.${base64url(asAdmin(scene.payloadText))}.`,
  },
  {
    name: 'hs256-public-key',
    title: 'HMAC with the public key as secret',
    expect: 'algorithm_not_allowed',
    forge: scene => {
      const input = `${base64url(header(scene, { alg: 'HS256' }))}.${base64url(asAdmin(scene.payloadText))}`;
      const mac = createHmac('sha256', scene.entraKey.publicKeyPem).update(input).digest('base64url');
      return `${input}.${mac}`;
    },
  },
  {
    name: 'rs512',
    title: 'a good key used with an algorithm that the issuer does not use',
    expect: 'algorithm_not_allowed',
    forge: scene => signRaw(header(scene, { alg: 'RS512' }), scene.payloadText, scene.entraKey, 'sha512'),
  },
  {
    name: 'wrong-kid',
    title: 'the kid of another published key of the same tenant',
    expect: 'signature_invalid',
    forge: scene => {
      const standby = scene.tenant.issuerOf(scene.victim.tenantId)?.keys.standby;
      return scene.signAsEntra(header(scene, { kid: standby?.kid }), scene.payloadText);
    },
  },
  {
    name: 'unknown-kid',
    title: 'a kid that nobody published, though the signature is good',
    expect: 'key_unknown',
    forge: scene => scene.signAsEntra(header(scene, { kid: scene.attackerKey.kid }), scene.payloadText),
  },
  {
    name: 'no-kid',
    title: 'no kid at all, though the signature is good',
    expect: 'key_unknown',
    forge: scene => scene.signAsEntra(header(scene, { kid: undefined }), scene.payloadText),
  },
  {
    name: 'other-tenants-key',
    title: 'signed with a real key of another tenant',
    expect: 'key_unknown',
    forge: scene => {
      const key = foreignKey(scene);
      return signRaw(header(scene, { kid: key.kid }), scene.payloadText, key);
    },
  },
  {
    name: 'other-tenants-key-our-kid',
    title: 'signed with a key of another tenant under a kid of ours',
    expect: 'signature_invalid',
    forge: scene => signRaw(scene.headerText, scene.payloadText, foreignKey(scene)),
  },
  {
    name: 'embedded-jwk',
    title: 'the header brings its own key, under a kid of ours',
    expect: 'key_unusable',
    forge: scene => {
      const { n, e } = scene.attackerKey;
      const jwk = { kty: 'RSA', n, e };
      return signRaw(header(scene, { jwk }), asAdmin(scene.payloadText), scene.attackerKey);
    },
  },
  {
    name: 'embedded-jku',
    title: 'the header says where to fetch its key',
    expect: 'key_unusable',
    forge: scene => {
      const { kid } = scene.attackerKey;
      const jku = `${scene.tenant.authority}/attacker/keys`;
      return signRaw(header(scene, { kid, jku }), asAdmin(scene.payloadText), scene.attackerKey);
    },
  },
  {
    name: 'truncated-signature',
    title: 'the last byte of the signature is missing',
    expect: 'signature_invalid',
    forge: ({ parts, headerText, payloadText, entraKey }) => {
      const input = `${base64url(headerText)}.${base64url(payloadText)}`;
      const signature = sign('sha256', Buffer.from(input), entraKey.privateKey);
      return `${parts.header}.${parts.payload}.${base64url(signature.subarray(0, -1))}`;
    },
  },
];

/** The victim's header with members set, or removed by `undefined` */
function header(scene: AttackScene, members: Record<string, unknown>): string {
  return JSON.stringify({ ...JSON.parse(scene.headerText), ...members });
}

function asAdmin(payloadText: string): string {
  return JSON.stringify({ ...JSON.parse(payloadText), oid: people.adam.oid, groups: [groups.platformAdmins.id] });
}

function foreignKey({ tenant, victim }: AttackScene): SigningKey {
  return (victim.tenantId === tenant.home.tenantId ? tenant.foreign : tenant.home).keys.current;
}
