/**
 * Job tokens that must not be accepted, each with the code of its refusal, for an entry that trusts the job `*-staging` of the
 * same service. The list is data: tests run through it, `/ci/mint?variant=` gives one out.
 */
import type { RejectionCode } from '../../src/core/codes';
import { segments, segmentText, signRaw } from '../tenant/jws';
import { generateSigningKeySync, type SigningKey } from '../tenant/keys';
import type { Ci } from './ci';
import type { IssuerKey } from './issuers';
import { jobOf } from './jobs';

export interface Variant {
  readonly name: string;
  /** One line for people */
  readonly title: string;
  readonly expect: RejectionCode;
  readonly token: string;
}

interface Definition extends Omit<Variant, 'token'> {
  readonly forge: (ci: Ci) => string;
}

const AN_HOUR = 3600;

/** Made once per process: which key it is doesn't matter, only that nobody publishes it */
let attackerKey: SigningKey | undefined;

/** Another job's own, genuine token */
const jobToken = (key: string, expect: RejectionCode): Definition => ({
  name: key,
  title: jobOf(key).title,
  expect,
  forge: ci => ci.mint(key),
});

/** Good claims under a signature that does not go with them */
const signedWith = (name: string, title: string, expect: RejectionCode, key: (ci: Ci) => SigningKey): Definition => ({
  name,
  title,
  expect,
  forge: ci => ci.mint('gitlab-staging', { signWith: key(ci) }),
});

const keysOf = (ci: Ci, key: IssuerKey) => ci.issuers[key].keys.current;

const definitions: readonly Definition[] = [
  jobToken('gitlab-production', 'pipeline_untrusted'),
  jobToken('gitlab-feature', 'pipeline_untrusted'),
  jobToken('gitlab-build', 'pipeline_untrusted'),
  jobToken('gitlab-tag', 'pipeline_untrusted'),
  jobToken('gitlab-merge-request', 'pipeline_untrusted'),
  jobToken('gitlab-fork', 'pipeline_untrusted'),
  jobToken('gitlab-fork-old', 'pipeline_untrusted'),
  jobToken('gitlab-other-project', 'pipeline_untrusted'),
  jobToken('gitlab-squatter', 'pipeline_untrusted'),
  jobToken('bitbucket-production', 'pipeline_untrusted'),
  jobToken('bitbucket-branch', 'pipeline_untrusted'),
  jobToken('bitbucket-foreign', 'issuer_untrusted'),
  jobToken('github-production', 'pipeline_untrusted'),
  jobToken('github-branch', 'pipeline_untrusted'),
  jobToken('github-tag', 'pipeline_untrusted'),
  jobToken('github-pull-request', 'pipeline_untrusted'),
  jobToken('github-pull-request-environment', 'pipeline_untrusted'),
  jobToken('github-pull-request-target', 'pipeline_untrusted'),
  jobToken('github-colon', 'pipeline_untrusted'),
  jobToken('github-squatter', 'pipeline_untrusted'),
  {
    name: 'gitlab-login',
    title: jobOf('gitlab-login').title,
    expect: 'audience_mismatch',
    forge: ci => ci.mint('gitlab-login'),
  },
  {
    name: 'gitlab-login-our-audience',
    title: 'the same for an application that has our audience as its client id',
    expect: 'token_kind_not_allowed',
    forge: ci => ci.mint('gitlab-login', { audience: jobOf('gitlab-staging').audience }),
  },
  {
    name: 'other-audience',
    title: "a job's token for another service",
    expect: 'audience_mismatch',
    forge: ci => ci.mint('gitlab-staging', { audience: 'https://vault.contoso.example' }),
  },
  {
    name: 'default-audience',
    title: 'a step that named no audience',
    expect: 'audience_mismatch',
    forge: ci => ci.mint('bitbucket-staging', { audience: jobOf('bitbucket-staging').defaultAudience }),
  },
  {
    name: 'expired',
    title: 'the token of a job that ended an hour ago',
    expect: 'token_expired',
    forge: ci => ci.mint('gitlab-staging', { now: ci.clock() - AN_HOUR, lifetime: 60 }),
  },
  {
    name: 'a-month',
    title: 'a job with a timeout of a month',
    expect: 'lifetime_too_long',
    forge: ci => ci.mint('gitlab-staging', { lifetime: 30 * 24 * AN_HOUR }),
  },
  signedWith('attacker-key', 'signed with a key that nobody publishes', 'key_unknown', () => {
    return (attackerKey ??= generateSigningKeySync());
  }),
  signedWith('other-issuers-key', "signed with another issuer's key, under its key id", 'key_unknown', ci =>
    keysOf(ci, 'github'),
  ),
  {
    name: 'other-issuers-key-our-kid',
    title: "signed with another issuer's key, under our key id",
    expect: 'signature_invalid',
    forge: ci =>
      ci.mint('gitlab-staging', {
        signWith: keysOf(ci, 'github'),
        header: { kid: keysOf(ci, 'gitlab').kid },
      }),
  },
  {
    name: 'issuer-slash',
    title: 'the issuer with a slash at its end',
    expect: 'issuer_untrusted',
    forge: ci => ci.mint('github-staging', { claims: { iss: `${ci.issuers.github.issuer}/` } }),
  },
  {
    name: 'other-types-claims',
    title: "GitLab's issuer and key, but GitHub's claims",
    expect: 'token_kind_not_allowed',
    forge: ci =>
      ci.mint(
        { ...jobOf('github-staging'), issuer: 'gitlab' },
        { claims: { project_id: undefined, ref: 'refs/heads/main' } },
      ),
  },
  {
    name: 'duplicate-environment',
    title: 'environment twice: one reader sees the first, another the last',
    expect: 'claim_duplicated',
    forge(ci) {
      const { header, payload } = segments(ci.mint('gitlab-production'));
      const claims = `${segmentText(payload).slice(0, -1)},"environment":"staging"}`;
      return signRaw(segmentText(header), claims, keysOf(ci, 'gitlab'));
    },
  },
];

export const variantNames: readonly string[] = definitions.map(({ name }) => name);

/** Every one of them, fresh */
export function forgeVariants(ci: Ci): Variant[] {
  return variantNames.map(name => forgeVariant(ci, name));
}

export function forgeVariant(ci: Ci, name: string): Variant {
  const definition = definitions.find(candidate => candidate.name === name);
  if (!definition) throw new Error(`no variant is called ${name}`);
  const { title, expect, forge } = definition;
  return { name, title, expect, token: forge(ci) };
}
