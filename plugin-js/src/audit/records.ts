/** What a record says; the core gives it its one form, and withholds what looks like a token or an address */
export interface AuditRecord {
  /** Milliseconds since the epoch */
  at: number;
  event: 'start' | 'sign-in' | 'token-refused' | 'decision' | 'reads' | 'lost' | 'checkpoint';
  result?: 'ALLOW' | 'DENY' | 'CONDITIONAL';
  /** Entity ref in Backstage, or of a service (kind `service`) its subject: `plugin:<id>`, or what `backend.auth.externalAccess` says */
  principal?: string;
  kind?: string;
  /** `<tenant id>/<object id>`: of an agent, the person for whom it acts */
  identity?: string;
  /** Client id */
  client?: string;
  /** Client id of an agent */
  agent?: string;
  /** Id of the issuer profile */
  issuer?: string;
  /** A CI job, by the names that its issuer uses */
  job?: Record<string, string>;
  permission?: string;
  action?: string;
  resourceType?: string;
  resource?: string;
  rule?: string;
  /** A stable code */
  code?: string;
  reasons?: string[];
  epoch?: number;
  /** Of the HTTP request */
  request?: string;
  /** Which plugin asked */
  plugin?: string;
  count?: number;
  /** From when on was counted, in milliseconds since the epoch */
  since?: number;
  /** `<chain> <number> <hash>`: how far other chains reached, or were removed */
  heads?: string[];
  /** What whoever was refused was told, to be found by it */
  reference?: string;
}

/** A record as it is kept, with what can be searched by */
export interface AuditRow {
  chain: string;
  seq: number;
  hash: string;
  /** Canonical JSON */
  record: string;
  at: number;
  event: string;
  result: string | null;
  principal: string | null;
  resource: string | null;
  rule: string | null;
  reference: string | null;
}

/** The columns that repeat what a canonical record says; those of `record` itself are not among them */
export function columnsOf(
  canonical: string,
): Pick<AuditRow, 'at' | 'event' | 'result' | 'principal' | 'resource' | 'rule' | 'reference'> {
  const { at, event, ...said } = JSON.parse(canonical) as AuditRecord;
  const text = (name: 'result' | 'principal' | 'resource' | 'rule' | 'reference') =>
    said[name]?.replaceAll('\0', '\ufffd') ?? null;
  return {
    at,
    event,
    result: text('result'),
    principal: text('principal'),
    resource: text('resource'),
    rule: text('rule'),
    reference: text('reference'),
  };
}

/** JSON text for the core: names of a job sorted, and nothing in it that is no Unicode */
export function recordText(record: AuditRecord & { chain: string; seq: number }): string {
  const plain = Object.entries(record.job ?? {}).filter(([name]) => /^[A-Za-z0-9_-]{1,64}$/.test(name));
  const job = record.job && plain.sort(([one], [other]) => (one < other ? -1 : 1));
  // Half a character would be refused by every strict reader.
  return JSON.stringify(job ? { ...record, job: Object.fromEntries(job) } : record, (_name, value: unknown) =>
    typeof value === 'string' ? value.replace(/\p{Surrogate}/gu, '\ufffd') : value,
  );
}

/** What a record takes in memory while it waits, roughly, in bytes */
export function sizeOf(record: AuditRecord): number {
  let bytes = 512;
  for (const value of Object.values(record) as Array<AuditRecord[keyof AuditRecord]>) {
    if (typeof value === 'string') bytes += 2 * value.length;
    else if (typeof value === 'object') for (const text of Object.values(value)) bytes += 64 + 2 * text.length;
  }
  return bytes;
}
