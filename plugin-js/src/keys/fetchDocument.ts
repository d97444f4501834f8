import { isAllowed, readText, reasonOf } from '../http/bounded';

/** Limits for documents of an issuer: Microsoft's are below 30 KB and answered in milliseconds */
const TIMEOUT_MS = 5_000;
const MAX_BYTES = 1024 * 1024;

/** A fetched document */
export interface FetchedDocument {
  text: string;
  /** `max-age` of Cache-Control in seconds, where stated */
  maxAgeSeconds?: number;
  /** Milliseconds by which the clock of the server is ahead of this one, good to a second; where it tells its own */
  aheadMs?: number;
}

/** A document that could not be had; `status` where something else than 200 was answered */
export class DocumentError extends Error {
  readonly status?: number;

  constructor(message: string, status?: number) {
    super(message);
    this.status = status;
  }
}

/**
 * Fetches a JSON document over https (plain http to this machine only), within 5 s and 1 MiB, following no redirect: an
 * issuer that answers from another place must be configured there.
 *
 * @throws DocumentError with a reason that holds no more than the address
 */
export async function fetchDocument(address: string): Promise<FetchedDocument> {
  const url = new URL(address);
  if (!isAllowed(url)) throw new DocumentError(`${url.origin} is neither https nor this machine`);
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  const asked = Date.now();
  const response = await fetch(url, { redirect: 'manual', signal, headers: { accept: 'application/json' } }).catch(
    error => {
      throw new DocumentError(`${address}: ${reasonOf(error, TIMEOUT_MS)}`);
    },
  );
  const answered = Date.now();
  if (response.status !== 200) {
    await response.body?.cancel();
    const what = response.status >= 300 && response.status < 400 ? 'a redirect, which is not followed' : 'an error';
    throw new DocumentError(`${address}: answered ${response.status}, ${what}`, response.status);
  }
  const text = await readText(response, MAX_BYTES).catch(error => {
    throw new DocumentError(`${address}: ${reasonOf(error, TIMEOUT_MS)}`);
  });
  const { headers } = response;
  const aheadMs = ahead(headers.get('date'), headers.get('age'), (asked + answered) / 2);
  return { text, maxAgeSeconds: maxAge(headers.get('cache-control')), aheadMs };
}

/** RFC 9110 section 6.6.1: `Date` is in whole seconds; what a cache has kept is older by its `Age` (RFC 9111 section 5.1) */
function ahead(date: string | null, age: string | null, now: number): number | undefined {
  const stated = Date.parse(date ?? '');
  if (Number.isNaN(stated)) return undefined;
  const kept = /^\d{1,9}$/.test(age ?? '') ? Number(age) * 1000 : 0;
  return stated + kept + 500 - now;
}

function maxAge(header: string | null): number | undefined {
  const match = /(?:^|[\s,])max-age=(\d{1,9})(?:$|[\s,])/i.exec(header ?? '');
  return match ? Number(match[1]) : undefined;
}
