import { isAllowed, readText, reasonOf } from '../http/bounded';

/** Limits for documents of an issuer: Microsoft's are below 30 KB and answered in milliseconds */
const TIMEOUT_MS = 5_000;
const MAX_BYTES = 1024 * 1024;

/** A fetched document */
export interface FetchedDocument {
  text: string;
  /** `max-age` of Cache-Control in seconds, where stated */
  maxAgeSeconds?: number;
}

/**
 * Fetches a JSON document over https (plain http to this machine only), within 5 s and 1 MiB, following no redirect: an
 * issuer that answers from another place must be configured there.
 *
 * @throws Error with a reason that holds no more than the address
 */
export async function fetchDocument(address: string): Promise<FetchedDocument> {
  const url = new URL(address);
  if (!isAllowed(url)) throw new Error(`${url.origin} is neither https nor this machine`);
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  const response = await fetch(url, { redirect: 'manual', signal, headers: { accept: 'application/json' } }).catch(
    error => {
      throw new Error(`${address}: ${reasonOf(error, TIMEOUT_MS)}`);
    },
  );
  if (response.status !== 200) {
    await response.body?.cancel();
    const what = response.status >= 300 && response.status < 400 ? 'a redirect, which is not followed' : 'an error';
    throw new Error(`${address}: answered ${response.status}, ${what}`);
  }
  const text = await readText(response, MAX_BYTES).catch(error => {
    throw new Error(`${address}: ${reasonOf(error, TIMEOUT_MS)}`);
  });
  return { text, maxAgeSeconds: maxAge(response.headers.get('cache-control')) };
}

function maxAge(header: string | null): number | undefined {
  const match = /(?:^|[\s,])max-age=(\d{1,9})(?:$|[\s,])/i.exec(header ?? '');
  return match ? Number(match[1]) : undefined;
}
