import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import {
  GROUP_TYPE,
  isBelow,
  memberGroupPages,
  memberGroups,
  nextPage,
  type GraphTenant,
  type ObjectKind,
} from './addresses';
import { isGuid } from '../core';
import type { GraphCredential } from './credential';
import { GraphError } from './graphError';
import { send, type GraphAnswer, type GraphRequest } from './graphRequest';
import { DELTA_LIMITS, MAX_ATTEMPTS, MAX_DELTA_BYTES, MAX_IDS, MAX_PAGES, type GraphLimits } from './limits';

const guid = z.string().refine(isGuid);

const idsSchema = z.object({ value: z.array(guid).max(MAX_IDS) });
const pageSchema = z.object({
  value: z.array(z.object({ '@odata.type': z.string().optional(), id: guid, securityEnabled: z.boolean().nullish() })),
  '@odata.nextLink': z.string().optional(),
});

const deltaSchema = z.union([
  z.object({ '@odata.nextLink': z.string() }).transform(page => ({ next: page['@odata.nextLink'] })),
  z.object({ '@odata.deltaLink': z.string() }).transform(page => ({ delta: page['@odata.deltaLink'] })),
]);

/** A page of a delta query */
export interface DeltaPage {
  /** As Graph wrote it; to be read strictly */
  json: unknown;
  /** Where to go on: at the next page, or later, at what will have changed */
  link: string;
  /** Whether this is all for now */
  last: boolean;
  /** How much of what Graph grants is used up: from 0.8 on it asks for less */
  pressure: number;
}

/** Asks the Graph of one tenant; every answer is complete, or an error */
export class GraphClient {
  readonly #tenant: GraphTenant;
  readonly #credential: GraphCredential;
  readonly #limits: GraphLimits;
  /** No request before this moment: Graph has asked for silence, for the whole tenant */
  #silentUntil = 0;
  /** How many requests went how, for the metrics */
  readonly requests = { ok: 0, throttled: 0, failed: 0 };

  constructor(tenant: GraphTenant, credential: GraphCredential, limits: GraphLimits) {
    this.#tenant = tenant;
    this.#credential = credential;
    this.#limits = limits;
  }

  /** Milliseconds since the epoch until which Graph wants to hear nothing */
  get silentUntil(): number {
    return this.#silentUntil;
  }

  /**
   * The security groups of a principal at any depth. Not the Microsoft 365 groups without security: people join those by
   * themselves.
   * @throws GraphError
   */
  async groupsOf(kind: ObjectKind, objectId: string): Promise<string[]> {
    const deadline = Date.now() + this.#limits.resolutionMs;
    const request = { url: memberGroups(this.#tenant, kind, objectId), body: { securityEnabledOnly: true } };
    try {
      return parse(idsSchema, (await this.#ask(request, deadline)).json).value;
    } catch (error) {
      if (!(error instanceof GraphError && error.code === 'Directory_ResultSizeLimitExceeded')) throw error;
    }
    const groups = await this.pages(memberGroupPages(this.#tenant, kind, objectId), deadline, true);
    const ids = groups.filter(({ type, securityEnabled }) => {
      if (type !== undefined && type !== `#${GROUP_TYPE}`) return false;
      if (typeof securityEnabled !== 'boolean') throw unexpected('a group does not say whether it is a security group');
      return securityEnabled;
    });
    return ids.map(({ id }) => id);
  }

  /**
   * Everything on a list of many pages, each thing once. Half a list is none.
   * @throws GraphError
   */
  async pages(first: URL, deadline = Date.now() + this.#limits.resolutionMs, eventual = false) {
    const found = new Map<string, { id: string; type?: string; securityEnabled?: boolean | null }>();
    const seen = new Set<string>();
    let url: URL | undefined = first;
    while (url) {
      if (seen.has(url.href)) throw unexpected('it names a page twice');
      seen.add(url.href);
      if (seen.size > MAX_PAGES) throw unexpected(`the list has more than ${MAX_PAGES} pages`);
      const page: z.infer<typeof pageSchema> = parse(pageSchema, (await this.#ask({ url, eventual }, deadline)).json);
      for (const { id, '@odata.type': type, securityEnabled } of page.value)
        found.set(id, { id, type, securityEnabled });
      if (found.size > MAX_IDS) throw unexpected(`the list is longer than ${MAX_IDS}`);
      const link = page['@odata.nextLink'];
      url = link === undefined ? undefined : nextPage(link, first);
      if (link !== undefined && !url) throw unexpected('the next page is at another address');
    }
    return [...found.values()];
  }

  /**
   * One answer of a form; POST where there is a body.
   * @throws GraphError
   */
  async read<T>(schema: z.ZodType<T>, request: GraphRequest): Promise<T> {
    const { json } = await this.#ask(request, Date.now() + this.#limits.resolutionMs);
    const parsed = schema.safeParse(json);
    if (!parsed.success) throw unexpected('it has another form');
    return parsed.data;
  }

  /**
   * A page of a delta query, by a link of Graph's own or the first address.
   * @throws GraphError, `isTooOld` where everything has to be asked for anew; anything else once the signal has come
   */
  async delta(address: string | URL, signal?: AbortSignal): Promise<DeltaPage> {
    const url = new URL(address);
    // A link comes from a database, and from an answer before that: our token goes nowhere else.
    if (!isBelow(url, this.#tenant)) throw unexpected('the next page is at another address');
    const request = { url, maxBytes: MAX_DELTA_BYTES, signal };
    const { json, pressure } = await this.#ask(request, Date.now() + DELTA_LIMITS.pageMs, DELTA_LIMITS.requestMs);
    const links = deltaSchema.safeParse(json);
    if (!links.success) throw unexpected('the page says neither where to go on nor that it is the last one');
    const link = 'next' in links.data ? links.data.next : links.data.delta;
    if (!URL.canParse(link) || !isBelow(new URL(link), this.#tenant))
      throw unexpected('the next page is at another address');
    return { json, link, last: 'delta' in links.data, pressure };
  }

  /**
   * Any other request.
   * @throws GraphError
   */
  async ask(request: Pick<GraphRequest, 'url' | 'body' | 'method' | 'signal'>): Promise<unknown> {
    return (await this.#ask(request, Date.now() + DELTA_LIMITS.pageMs, DELTA_LIMITS.requestMs)).json;
  }

  /** One request with its few retries: as Graph says when it does, else after growing pauses with jitter */
  async #ask(request: GraphRequest, deadline: number, requestMs = this.#limits.requestMs): Promise<GraphAnswer> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        await this.#pause(this.#silentUntil - Date.now(), deadline, request.signal);
        return await this.#send(request, deadline, requestMs);
      } catch (error) {
        if (!(error instanceof GraphError)) throw error;
        if (error.retryAfterMs !== undefined)
          this.#silentUntil = Math.max(this.#silentUntil, Date.now() + error.retryAfterMs);
        if (!error.transient || attempt >= MAX_ATTEMPTS) throw error;
        const pause = error.retryAfterMs ?? this.#limits.backoffMs * 2 ** (attempt - 1) * (0.5 + Math.random());
        // What cannot be waited for fails now and with its own reason.
        if (Date.now() + pause >= deadline) throw error;
        await this.#pause(pause, deadline, request.signal);
      }
    }
  }

  async #send(request: GraphRequest, deadline: number, requestMs: number): Promise<GraphAnswer> {
    const token = await this.#credential.token(this.#time(deadline, requestMs));
    try {
      const answer = await send(request, token, this.#time(deadline, requestMs));
      this.requests.ok += 1;
      return answer;
    } catch (error) {
      this.requests[error instanceof GraphError && error.status === 429 ? 'throttled' : 'failed'] += 1;
      // Revoked, or its permissions have changed: the next attempt comes with a new one.
      if (error instanceof GraphError && (error.status === 401 || error.status === 403)) this.#credential.forget();
      throw error;
    }
  }

  /** For one request, out of what is left */
  #time(deadline: number, requestMs: number): number {
    const left = deadline - Date.now();
    if (left <= 0) throw slow(this.#limits.resolutionMs);
    return Math.min(requestMs, left);
  }

  async #pause(ms: number, deadline: number, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    if (ms <= 0) return;
    if (Date.now() + ms >= deadline) {
      const seconds = Math.ceil(ms / 1000);
      throw new GraphError(`Microsoft Graph throttles: it is asked again in ${seconds} s`, { scope: 'tenant' });
    }
    await sleep(ms, undefined, { signal });
  }
}

function slow(ms: number): GraphError {
  return new GraphError(`Microsoft Graph took longer than ${ms / 1000} s in all`, { scope: 'tenant' });
}

/** Never partly used */
function unexpected(what: string): GraphError {
  return new GraphError(`the answer of Microsoft Graph is refused: ${what}`, { scope: 'principal' });
}

function parse<T>(schema: z.ZodType<T>, answer: unknown): T {
  const parsed = schema.safeParse(answer);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw unexpected(issue?.path.includes('value') ? 'an id in it is not a GUID' : 'it has another form');
}
