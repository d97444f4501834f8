/** A company with more to it than the story: 25 teams, a policy that filters lists, a client that remembers what it sent */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, type Answer } from '../../dev/story/client';
import { groups } from '../../dev/tenant/people';
import { assertConforms } from './conforms';

export const TEAMS = 25;
/** Secret of a static external caller, that is, of a service principal */
export const SERVICE_TOKEN = 'not-a-jwt-but-long-enough-for-a-static-token';

export const teamRef = (at: number) => `group:default/team-${at}`;
export const serviceRef = (at: number) => `component:default/service-${at}`;
/** 200 groups; the first 25 stand for a team each */
export const teamGroup = (at: number) => `7ea00000-0000-4000-8000-${at.toString(16).padStart(12, '0')}`;

/** An app role */
export const AUDITOR = 'Catalog.Auditor';

/** Everybody sees and refreshes what they own; auditors see everything but that; admins do everything */
export const ownershipRules = (auditors: readonly object[]) => [
  { id: 'owners-read', effect: 'allow', permissions: ['catalog.entity.read'], when: { owned: true } },
  { id: 'owners-manage', effect: 'allow', permissions: ['catalog.entity.refresh'], when: { owned: true } },
  { id: 'auditors-read', effect: 'allow', permissions: ['catalog.entity.read'], principals: auditors },
  {
    id: 'auditors-not-their-own',
    effect: 'deny',
    permissions: ['catalog.entity.read'],
    principals: auditors,
    when: { owned: true },
  },
  { id: 'admins', effect: 'allow', permissions: ['*'], principals: [{ group: groups.platformAdmins.id }] },
];

const RULES = [
  // The search engineers as they are.
  ...ownershipRules([{ group: groups.searchEngineers.id }, { role: AUDITOR }]),
  { id: 'all-ask-why', effect: 'allow', permissions: ['entra-access.decision.explain', 'entra-access.whoami.read'] },
];

/** Changes the story's configuration into this company's; `remove` takes its files away */
export function company() {
  const folder = mkdtempSync(join(tmpdir(), 'entra-access-company-'));
  const services = Array.from({ length: TEAMS }, (_, at) => ({
    apiVersion: 'backstage.io/v1alpha1',
    kind: 'Component',
    metadata: { name: `service-${at}` },
    spec: { type: 'service', lifecycle: 'production', owner: teamRef(at) },
  }));
  const target = join(folder, 'services.yaml');
  writeFileSync(target, services.map(service => JSON.stringify(service)).join('\n---\n'));
  return {
    configure(config: Record<string, any>): void {
      config.catalog.locations.push({ type: 'file', target });
      config.entraAccess.policy = { rules: RULES };
      config.entraAccess.groups = {
        mapping: Array.from({ length: TEAMS }, (_, at) => ({ group: teamGroup(at), owner: teamRef(at) })),
      };
      config.backend.auth = {
        externalAccess: [{ type: 'static', options: { token: SERVICE_TOKEN, subject: 'a-service' } }],
      };
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** Remembers all tokens that it sent */
export class RememberingClient extends Client {
  readonly sent = new Set<string>();
  readonly #base: string;

  constructor(environment: { backendUrl: string }) {
    super(environment);
    this.#base = environment.backendUrl;
  }

  override async call(path: string, token?: string, body?: unknown): Promise<Answer> {
    if (token) this.sent.add(token);
    const inspected = (body as { token?: unknown } | undefined)?.token;
    if (typeof inspected === 'string') this.sent.add(inspected);
    const answer = await super.call(path, token, body);
    const issued = answer.body?.backstageIdentity?.token;
    if (issued) this.sent.add(issued);
    return answer;
  }

  /** Anything that `call` does not send */
  async raw(path: string, init: RequestInit): Promise<{ status: number; text: string }> {
    const response = await fetch(`${this.#base}${path}`, init);
    const { status, headers } = response;
    const text = await response.text();
    assertConforms({ method: init.method ?? 'GET', path, status, type: headers.get('content-type') ?? '', text });
    return { status, text };
  }
}

/** Everything that this process prints from now on, kept back; bytes pass, they are the test runner's own */
export function captureLog() {
  const lines: string[] = [];
  const restore = [process.stdout, process.stderr].map(stream => {
    const write = stream.write;
    stream.write = function keep(this: typeof stream, chunk: unknown, ...rest: unknown[]) {
      if (typeof chunk !== 'string') return Reflect.apply(write, this, [chunk, ...rest]) as boolean;
      lines.push(chunk);
      rest.forEach(argument => typeof argument === 'function' && argument());
      return true;
    } as typeof stream.write;
    return () => {
      stream.write = write;
    };
  });
  return { text: () => lines.join(''), restore: () => restore.forEach(undo => undo()) };
}
