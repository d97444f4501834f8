/**
 * What is known of a direct call while it is answered: who called with which token, and what the policy refused them.
 *
 * Follows the request through everything that waits for something, in this process; a call from plugin to plugin over HTTP is a
 * request of its own, and none of a client's.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import type { Issuer, PermissionInput } from '../core';

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
  /** The last permission that the policy refused to the caller for want of what a rule asks for */
  refused?: PermissionInput;
}

const requests = new AsyncLocalStorage<RequestContext>();

/** Answers a request with `next`, and keeps what is learned of it in `context` */
export function followRequest(context: RequestContext, next: () => void): void {
  requests.run(context, next);
}

/** Whoever calls in the request under way; of no effect where nobody follows it */
export function noteCall(call: DirectCall): void {
  const request = requests.getStore();
  if (request) request.call = call;
}

/** A refusal to whoever calls; that of somebody else says nothing about them */
export function noteRefusal(entityRef: string, permission: PermissionInput): void {
  const request = requests.getStore();
  if (request?.call?.entityRef === entityRef) request.refused = permission;
}
