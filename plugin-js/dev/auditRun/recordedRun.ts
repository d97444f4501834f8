/**
 * Decisions at load, while the process is killed and while the database is away; then the trail is held against the answers.
 *
 * Everything is real: a backend in a process of its own, PostgreSQL, HTTP. What is counted here is only what callers saw.
 */
import { databaseOf } from '../../e2e/support/databases';
import type { Postgres } from '../../e2e/support/postgres';
import { startCompany, until, type Replica } from '../../e2e/support/replicas';
import { groups, people } from '../tenant/people';
import { kindOf, Load, RUN_RULES } from './load';
import { tampered, tamperings, type Extent } from './tampering';

const AUDIT = '/api/entra-access/v1/audit';

/** How much, and how many at once */
export interface RunOptions {
  postgres: Postgres;
  decisions: number;
  callers: number;
  /** How long the database is away; beyond five seconds whoever waits is refused */
  outageMs: number;
  /** Tells what happens */
  log?: (line: string) => void;
}

/** What `audit/verify` says */
interface Verdict {
  whole: boolean;
  records: number;
  chains: Array<{ chain: string; to: number }>;
  problems: Array<{ chain: string; seq: number; finding: string }>;
}

/** What came of it */
export interface RunReport {
  answered: number;
  /** Of those that must be recorded */
  answeredRecorded: number;
  wrong: string[];
  /** Requests that got an error or nothing */
  unanswered: number;
  /** Records of decisions of the run */
  records: number;
  /** Answered, and not recorded */
  lost: string[];
  /** Recorded more than once */
  twice: string[];
  /** Recorded otherwise than answered */
  different: string[];
  /** Recorded, although the caller was told to try again, or heard nothing */
  recordedUnanswered: number;
  verdict: Verdict;
  /** `expected`: any one of them */
  tampered: Array<{ what: string; expected: string[]; found: string[]; ok: boolean }>;
  /** Everything put back */
  wholeAfterwards: boolean;
  seconds: number;
}

/** Whether everything is as it must be */
export function holds(report: RunReport): boolean {
  const { wrong, lost, twice, different, verdict, tampered: found, wholeAfterwards } = report;
  const none = [wrong, lost, twice, different, verdict.problems].every(({ length }) => length === 0);
  return none && verdict.whole && found.every(({ ok }) => ok) && wholeAfterwards;
}

/** Runs it once */
export async function recordedRun(options: RunOptions): Promise<RunReport> {
  const { postgres, decisions, log = () => undefined } = options;
  const connection = { ...postgres.connection };
  const company = await startCompany({
    database: () => ({ client: 'pg', connection }),
    named: {},
    pointedTo: {},
    entraAccess: () => ({
      policy: {
        rules: [
          ...RUN_RULES,
          { id: 'admins', effect: 'allow', permissions: ['*'], principals: [{ group: groups.platformAdmins.id }] },
        ],
      },
    }),
  });
  try {
    let replica = await company.replica('one');
    const signedIn = async (person: Parameters<typeof company.tenant.mintAccessToken>[0]) =>
      replica.client.tokenFor(company.tenant.mintAccessToken(person));
    const callee = async () => ({ client: replica.client, token: await signedIn(people.olivia) });
    let called = callee();
    const load = new Load();
    const begun = Date.now();
    const running = load.run(decisions, options.callers, () => called);

    await load.until(decisions / 3);
    log(`kill -9 after ${load.answered.size} answers`);
    // Callers find nobody until the next one serves.
    const killed = replica.kill();
    called = killed.then(async () => {
      replica = await company.replica('one');
      return callee();
    });
    await called;
    log('the next process serves');

    await load.until((decisions * 2) / 3);
    log(`the database is away after ${load.answered.size} answers`);
    await postgres.pause();
    await new Promise(resolve => setTimeout(resolve, options.outageMs));
    await postgres.resume();
    log('the database is back');
    await running;
    const seconds = (Date.now() - begun) / 1_000;
    log(`${load.answered.size} answers in ${seconds.toFixed(1)} s`);

    // Once: each sign-in is a record.
    const admin = await signedIn(people.adam);
    const get = async (path: string, accept = 'application/json') => {
      const headers = { authorization: `Bearer ${admin}`, accept };
      const response = await fetch(`${replica.client.base}${AUDIT}${path}`, { headers });
      const text = await response.text();
      if (response.status !== 200) throw new Error(`${path} answered ${response.status}: ${text}`);
      return text;
    };
    const verify = async () => JSON.parse(await get('/verify')) as Verdict;
    await until('nothing waits for the database', async () => {
      if ((await auditOf(replica, admin)).waiting > 0) throw new Error('records wait');
    });
    const lines = (await get('/entries?event=decision', 'application/x-ndjson')).trimEnd().split('\n');
    const recorded = recordedOf(lines);
    const verdict = await verify();
    log(`${verdict.records} records verified, whole: ${verdict.whole}`);

    const [ended, own] = extents(verdict, (await auditOf(replica, admin)).chain);
    const database = await databaseOf('pg', connection);
    const found: RunReport['tampered'] = [];
    for (const tampering of tamperings(ended, own)) {
      await tampered(database.knex, tampering, async places => {
        const { problems } = await verify();
        const said = problems.map(({ chain, seq, finding }) => ({
          own: chain === tampering.of.chain,
          at: `${finding} at ${seq}`,
        }));
        const ok = said.length === 1 && said.every(({ own: its, at }) => its && places.includes(at));
        found.push({ what: tampering.what, expected: places, found: said.map(({ at }) => at), ok });
      });
    }
    await database.close();
    const mustBe = [...load.answered].filter(([name]) => kindOf(name) !== 'read');
    return {
      answered: load.answered.size,
      answeredRecorded: mustBe.length,
      wrong: load.wrong,
      unanswered: load.unanswered.size,
      records: [...recorded.values()].reduce((sum, results) => sum + results.length, 0),
      lost: mustBe.filter(([name]) => !recorded.has(name)).map(([name]) => name),
      twice: [...recorded].filter(([, results]) => results.length > 1).map(([name]) => name),
      different: mustBe
        .filter(([name, result]) => recorded.get(name)?.some(each => each !== result))
        .map(([name]) => name),
      recordedUnanswered: [...recorded.keys()].filter(name => !load.answered.has(name)).length,
      verdict,
      tampered: found,
      wholeAfterwards: (await verify()).whole,
      seconds,
    };
  } finally {
    await company.stop();
  }
}

/** Results by permission, of those that the run asked for */
function recordedOf(lines: string[]): Map<string, string[]> {
  const recorded = new Map<string, string[]>();
  for (const line of lines) {
    const { permission, result } = JSON.parse(line) as { permission: string; result: string };
    if (!permission.startsWith('run.')) continue;
    recorded.set(permission, [...(recorded.get(permission) ?? []), result]);
  }
  return recorded;
}

async function auditOf({ client }: Replica, token: string): Promise<{ chain: string; waiting: number }> {
  const { status, body } = await client.call('/api/entra-access/v1/status', token);
  if (status !== 200) throw new Error(`status answered ${status}`);
  return body.audit;
}

/** The chain of the process that was killed, and that of the one that runs */
function extents({ chains }: Verdict, own: string): [Extent, Extent] {
  const all = chains.map(({ chain, to }) => ({ chain, last: to }));
  const [ended, running] = [all.find(({ chain }) => chain !== own), all.find(({ chain }) => chain === own)];
  if (!ended || !running) throw new Error(`two chains were expected, and there are ${all.length}`);
  return [ended, running];
}
