/**
 * What is known of a direct call while it is answered: who called with which token, and what the policy refused them.
 *
 * Follows the request through everything that waits for something, in this process; a call from plugin to plugin over HTTP is a
 * request of its own, and none of a client's.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import type { EntraCore, Issuer } from '../core';
import { unverifiedClaims } from './unverified';

/** A call with a token of ours */
export interface DirectCall {
  issuer: Issuer;
  /** Whether the client has said that it understands claims challenges */
  takesChallenges: boolean;
  /** Under which ref the caller is asked about */
  entityRef: string;
}

/** One request */
export interface RequestContext {
  call?: DirectCall;
  /** As whoever is in front of the backend names it */
  id?: string;
  /** Tells which challenge would turn the last refusal of the policy to the caller */
  challenge?: (call: DirectCall) => string | undefined;
}

/** A call with a token that the core has accepted before, so that its claims are proven; `undefined` for a token of anybody else */
export function directCallOf({ core }: { core: EntraCore }, token: string, entityRef: string): DirectCall | undefined {
  const claims = unverifiedClaims(token);
  const issuer = core.issuers.find(each => each.issuer === claims?.issuer);
  return issuer && claims && { issuer, takesChallenges: claims.takesChallenges, entityRef };
}

const requests = new AsyncLocalStorage<RequestContext>();

/** Answers a request with `next`, and keeps what is learned of it in `context` */
export function followRequest(context: RequestContext, next: () => void): void {
  requests.run(context, next);
}

/** The request under way as whoever is in front of the backend names it; `undefined` where nobody follows it */
export function requestId(): string | undefined {
  return requests.getStore()?.id;
}

/** Whoever calls in the request under way; of no effect where nobody follows it */
export function noteCall(call: DirectCall): void {
  const request = requests.getStore();
  if (request) request.call = call;
}

/** A refusal to whoever calls; that of somebody else says nothing about them. `challenge` is asked only if it comes to that */
export function noteRefusal(entityRef: string, challenge: (call: DirectCall) => string | undefined): void {
  const request = requests.getStore();
  if (request?.call?.entityRef === entityRef) request.challenge = challenge;
}

/** The header that would turn what was refused in a request; `undefined` where there is none */
export function challengeOf({ call, challenge }: RequestContext): string | undefined {
  return call && challenge?.(call);
}
