/** Errors in Graph's shape: a code, a sentence, and ids for Microsoft's support. */
import { randomUUID } from 'node:crypto';
import { json, type Reply } from './routes';

export function graphError(status: number, code: string, message: string, headers: Record<string, string> = {}): Reply {
  const id = randomUUID();
  const date = new Date().toISOString().slice(0, 19);
  const innerError = { date, 'request-id': id, 'client-request-id': id };
  return json(status, { error: { code, message, innerError } }, headers);
}

export function notThere(id: string): Reply {
  const message = `Resource '${id}' does not exist or one of its queried reference-property objects are not present.`;
  return graphError(404, 'Request_ResourceNotFound', message);
}

/** With how long to wait, or without: some of Graph's services don't say */
export function throttled(retryAfter: number | undefined): Reply {
  const headers: Record<string, string> = retryAfter === undefined ? {} : { 'retry-after': String(retryAfter) };
  return graphError(429, 'TooManyRequests', 'Too many requests.', headers);
}
