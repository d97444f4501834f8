import { ResponseError } from '@backstage/errors';
import type { z } from 'zod';
import type { AuditEntry, AuditPage, AuditVerdict, entriesQuery, verifyQuery } from '../openapi/audit';
import type { AnswerOf, BodyOf } from '../openapi/operations';
import { ROUTES, type Route } from '../openapi/routes';
import type { Status } from '../openapi/status';
import type { Whoami } from '../openapi/whoami';

const PLUGIN_ID = 'entra-access';

/** Tells where plugins are; Backstage's `DiscoveryApi` and `DiscoveryService` do */
export interface DiscoveryLike {
  getBaseUrl(pluginId: string): Promise<string>;
}

/** Backstage's `FetchApi`, which brings the token of whoever is signed in; without one it is the global `fetch` */
export interface FetchLike {
  fetch: typeof fetch;
}

/** For one request */
export interface RequestOptions {
  /** Backstage token, or the access token of an Entra or pipeline principal; not needed with a `FetchApi` of the app */
  token?: string;
  signal?: AbortSignal;
}

/** A token, and as what it is offered */
export type TokenQuestion = BodyOf<'inspectToken'>;
/** A permission, the resource, and about whom it is asked */
export type DecisionQuestion = BodyOf<'explainDecision'>;
export type Inspection = AnswerOf<'inspectToken'>;
export type Explanation = AnswerOf<'explainDecision'>;
/** Which records of the audit trail; times as ISO 8601 */
export type AuditQuery = Omit<z.input<typeof entriesQuery>, 'cursor'>;
export type VerifyQuery = z.input<typeof verifyQuery>;

/**
 * Calls the routes of the plugin `entra-access`.
 *
 * Every method throws a `ResponseError` of `@backstage/errors` for an answer that is none; the stable code is `error.body.error.code`.
 */
export class EntraAccessClient {
  readonly #discovery: DiscoveryLike;
  readonly #fetch: FetchLike;

  constructor(options: { discoveryApi: DiscoveryLike; fetchApi?: FetchLike }) {
    this.#discovery = options.discoveryApi;
    this.#fetch = options.fetchApi ?? { fetch: (...request) => fetch(...request) };
  }

  /** Every check of a token */
  inspectToken(question: TokenQuestion, options?: RequestOptions): Promise<Inspection> {
    return this.#json(ROUTES.inspectToken, { body: question }, options);
  }

  /** Why a permission is granted or not */
  explainDecision(question: DecisionQuestion, options?: RequestOptions): Promise<Explanation> {
    return this.#json(ROUTES.explainDecision, { body: question }, options);
  }

  /** The caller as the core sees it */
  whoami(options?: RequestOptions): Promise<Whoami> {
    return this.#json(ROUTES.whoami, {}, options);
  }

  /** Ages, numbers, and what is wrong */
  getStatus(options?: RequestOptions): Promise<Status> {
    return this.#json(ROUTES.getStatus, {}, options);
  }

  /** One page of the audit trail, the youngest record first; `cursor` is `nextCursor` of the page before */
  getAuditPage(query: AuditQuery & { cursor?: string } = {}, options?: RequestOptions): Promise<AuditPage> {
    return this.#json(ROUTES.listAuditEntries, { query }, options);
  }

  /** All records that fit, page by page as they are asked for; `limit` is the size of a page */
  async *auditEntries(query: AuditQuery = {}, options?: RequestOptions): AsyncGenerator<AuditEntry, void, undefined> {
    let cursor: string | undefined;
    do {
      const page = await this.getAuditPage({ ...query, ...(cursor === undefined ? {} : { cursor }) }, options);
      yield* page.items;
      cursor = page.nextCursor ?? undefined;
    } while (cursor !== undefined);
  }

  /** Whether the audit trail is whole */
  verifyAudit(query: VerifyQuery = {}, options?: RequestOptions): Promise<AuditVerdict> {
    return this.#json(ROUTES.verifyAudit, { query }, options);
  }

  async #json<T>({ method, path }: Route, sent: Sent, { token, signal }: RequestOptions = {}): Promise<T> {
    const base = await this.#discovery.getBaseUrl(PLUGIN_ID);
    const response = await this.#fetch.fetch(`${base}${path}${queryText(sent.query)}`, {
      method: method.toUpperCase(),
      headers: {
        accept: 'application/json',
        ...(sent.body ? { 'content-type': 'application/json' } : {}),
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      },
      ...(sent.body ? { body: JSON.stringify(sent.body) } : {}),
      ...(signal ? { signal } : {}),
    });
    if (!response.ok) throw await ResponseError.fromResponse(response);
    return (await response.json()) as T;
  }
}

interface Sent {
  body?: object;
  query?: Record<string, string | number | string[] | undefined>;
}

function queryText(query: Sent['query'] = {}): string {
  const pairs = Object.entries(query).flatMap(([name, value]) =>
    value === undefined ? [] : [value].flat().map((each): [string, string] => [name, String(each)]),
  );
  return pairs.length === 0 ? '' : `?${new URLSearchParams(pairs).toString()}`;
}
