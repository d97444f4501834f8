/** Budgets for asking Microsoft Graph; tests shorten the times */
export interface GraphLimits {
  /** For one request */
  requestMs: number;
  /** For one principal, all requests, waits and pages together */
  resolutionMs: number;
  /** Answers are kept for so long */
  keptMs: number;
  /** The same for what is wrong with one principal, such as a 404 */
  refusalKeptMs: number;
  /** After an outage the tenant is asked again after this, twice as long after each failure */
  outageMs: { min: number; max: number };
  /** Before the second attempt at a request, twice as long before the third */
  backoffMs: number;
}

/** The defaults; a sign-in waits for one resolution at the most */
export const GRAPH_LIMITS: GraphLimits = {
  requestMs: 5_000,
  resolutionMs: 8_000,
  keptMs: 5 * 60_000,
  refusalKeptMs: 30_000,
  outageMs: { min: 1_000, max: 30_000 },
  backoffMs: 250,
};

/** The same for delta queries and whatever else nobody waits for: a page with its retries, and one request */
export const DELTA_LIMITS = { pageMs: 40_000, requestMs: 20_000 };
/** Longest page of a delta query, with the members of all of its groups */
export const MAX_DELTA_BYTES = 16 * 1024 * 1024;
/** Most groups that one delta query can be asked for */
export const MAX_FILTERED = 50;

/** Attempts at one request */
export const MAX_ATTEMPTS = 3;
/** The longest silence that Graph may ask for; it names seconds, at times a few minutes */
export const MAX_SILENCE_MS = 10 * 60_000;
/** Longest answer: 11,000 ids are 430 KB, a page of 999 groups 150 KB */
export const MAX_BYTES = 2 * 1024 * 1024;
/** Most pages: 50,000 ids at 999 a page, with room for pages that are not full */
export const MAX_PAGES = 100;
/** Most ids; the core's own limit (`RESOLVED_GROUPS`) */
export const MAX_IDS = 50_000;
/** Most principals of a tenant that are resolved at once */
export const MAX_FLIGHTS = 64;
/** Most ids kept, of all principals together: about 50 MB */
export const MAX_KEPT_IDS = 500_000;
/** Most principals kept */
export const MAX_KEPT = 10_000;
