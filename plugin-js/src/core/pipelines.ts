import { createHash } from 'node:crypto';
import type { Principal } from './types';

/** Begins the ids of the issuers of pipelines; behind it stands the id in `entraAccess.pipelines` */
const PIPELINE = 'pipeline:';
/** Letters of the digest in a ref: 96 bits, and whoever finds two alike finds a conflict, not another's session */
const DIGEST = 24;

/**
 * The entity that stands for a job: `pipeline:<id>/<trust>.<subject>`.
 *
 * Made of what the core checked to be letters of a ref. Where the entry publishes claims, policies tell its jobs apart by
 * them, and so must the ref: a digest takes the place of the subject.
 */
export function pipelineRef(principal: Principal): string {
  const { trust, subject, published } = jobOf(principal);
  const namespace = principal.issuer.slice(PIPELINE.length);
  if (Object.keys(published).length === 0) return `pipeline:${namespace}/${trust}.${subject.replaceAll('-', '')}`;
  const digest = createHash('sha256').update(pipelineKey(principal)).digest('hex').slice(0, DIGEST);
  return `pipeline:${namespace}/${trust}.x${digest}`;
}

/** Everything by which policies could tell a job from another: two of one ref are one principal if this is the same */
export function pipelineKey(principal: Principal): string {
  const { trust, subject, published } = jobOf(principal);
  const names = Object.keys(published).sort();
  return JSON.stringify([principal.issuer, trust, subject, names.map(name => [name, published[name]])]);
}

function jobOf({ pipeline }: Principal): NonNullable<Principal['pipeline']> {
  if (pipeline === undefined) throw new TypeError('the principal is no job of a pipeline');
  return pipeline;
}
