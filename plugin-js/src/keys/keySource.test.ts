import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, mock, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import type { Faults } from '../../dev/tenant/faults';
import { signRaw } from '../../dev/tenant/jws';
import { people } from '../../dev/tenant/people';
import { startTenant } from '../../dev/tenant/server';
import type { Tenant } from '../../dev/tenant/tenant';
import { configurationOf, issuerOf, POLICY } from '../../e2e/support/core';
import { RecordingLogger } from '../../e2e/support/logger';
import { EntraCore } from '../core';
import { EntraAccess } from '../service/entraAccess';
import { KeySource } from './keySource';

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

let tenant: Tenant;
let now: number;
let logger: RecordingLogger;
let core: EntraCore;
let keys: KeySource;
before(async () => {
  tenant = await startTenant();
});
beforeEach(() => {
  now = 1_800_000_000_000;
  logger = new RecordingLogger();
  core = new EntraCore({ configuration: configurationOf(tenant), logger });
  keys = new KeySource({ core, logger, clock: () => now });
});
afterEach(() => {
  keys.close();
  core.close();
  mock.restoreAll();
  tenant.faults.discovery = undefined;
  tenant.faults.jwks = undefined;
  tenant.cacheControl = 'max-age=86400, private';
  for (const name of Object.keys(tenant.requests)) tenant.requests[name] = 0;
});
after(() => tenant.close());

const load = () => keys.load(issuerOf(core));

function codeOf(token: string): string {
  const answer = core.authenticate(token);
  return answer.ok ? 'accepted' : answer.code;
}

/** What the router of tokens does: judge, fetch where keys are missing, judge again */
async function authenticate(token: string): Promise<string> {
  const answer = core.authenticate(token);
  if (answer.ok) return 'accepted';
  if (answer.code !== 'key_unknown' && answer.code !== 'keys_unavailable') return answer.code;
  return (await keys.refetch(answer.issuer!, answer.code)) ? codeOf(token) : answer.code;
}

/** A good token under a key id that nobody publishes */
function madeUp(kid: string): string {
  return tenant.mintAccessToken(people.olivia, { header: { kid } });
}

/** Lets the limit on a fetch pass at once, when the server is at work; tells which limits were asked for */
function passTimeouts(): number[] {
  const asked: number[] = [];
  mock.method(AbortSignal, 'timeout', (ms: number) => {
    asked.push(ms);
    const controller = new AbortController();
    const requests = () => (tenant.requests.discovery ?? 0) + (tenant.requests.jwks ?? 0);
    const before = requests();
    void (async () => {
      while (requests() === before) await pause(1);
      await pause(50); // some of the drip
      controller.abort(new DOMException('The operation was aborted due to timeout', 'TimeoutError'));
    })();
    return controller.signal;
  });
  return asked;
}

test('the keys are fetched from the address that discovery names', async () => {
  assert.equal(codeOf(tenant.mintAccessToken(people.olivia)), 'keys_unavailable');
  assert.deepEqual(keys.states, []);
  assert.equal(await load(), true);
  assert.equal(codeOf(tenant.mintAccessToken(people.olivia)), 'accepted');
  assert.deepEqual(keys.states, [
    { issuer: tenant.home.issuer('2.0'), fetchedAt: now, trustedUntil: now + DAY, keys: 2 },
  ]);
  assert.deepEqual(logger.complaints, []);
});

test('a token without keys in place makes them be fetched', async () => {
  assert.equal(await authenticate(tenant.mintAccessToken(people.olivia)), 'accepted');
  assert.equal(tenant.requests.discovery, 1);
  assert.equal(tenant.requests.jwks, 1);
});

test('keys of v1.0 and v2.0 are apart', async () => {
  await load();
  const v1 = tenant.mintAccessToken(people.olivia, {
    version: '1.0',
    claims: { aud: '6d2f8a94-1b7c-4e50-9f3d-c84a0e5b7126' },
  });
  assert.equal(codeOf(v1), 'keys_unavailable', 'the same kid of the other profile does not count');
  assert.equal(await authenticate(v1), 'accepted');
  assert.equal(tenant.requests['jwks.v1'], 1);
});

const FAULTS: ReadonlyArray<[keyof Faults, NonNullable<Faults['discovery'] | Faults['jwks']>, RegExp]> = [
  ['discovery', 'down', /UND_ERR_SOCKET|ECONNRESET/],
  ['discovery', 'unavailable', /answered 503, an error/],
  ['discovery', 'slow', /no answer within 5 s/],
  ['discovery', 'notJson', /not a discovery document/],
  ['discovery', 'huge', /longer than 1048576 bytes/],
  ['discovery', 'redirect', /answered 302, a redirect, which is not followed/],
  ['discovery', 'wrongIssuer', /is the document of another issuer/],
  ['jwks', 'down', /UND_ERR_SOCKET|ECONNRESET/],
  ['jwks', 'unavailable', /answered 503, an error/],
  ['jwks', 'slow', /no answer within 5 s/],
  ['jwks', 'notJson', /not a JWK Set/],
  ['jwks', 'huge', /longer than 1048576 bytes/],
  ['jwks', 'redirect', /answered 302, a redirect, which is not followed/],
  ['jwks', 'privateKeys', /private or symmetric key material/],
  ['jwks', 'manyKeys', /10002 keys, more than 1000/],
];

for (const [document, fault, reason] of FAULTS) {
  test(`${document} ${fault}: the old keys stay in place, and one line says why`, async () => {
    await load();
    const fetchedAt = now;
    now += 61 * MINUTE;
    tenant.faults[document] = fault as never;
    const limits = fault === 'slow' ? passTimeouts() : [];
    const token = tenant.mintAccessToken(people.olivia);

    assert.equal(await load(), false);
    assert.equal(codeOf(token), 'accepted');
    assert.equal(logger.complaints.length, 1, logger.lines.join('\n'));
    const [line = ''] = logger.complaints;
    assert.match(line, reason);
    assert.match(line, /the keys fetched before stay in use/);
    assert.ok(line.length < 500 && !line.includes('\n'), line);
    const [state] = keys.states;
    assert.equal(state?.fetchedAt, fetchedAt, 'the age is that of the keys in use');
    assert.equal(state?.keys, 2);
    assert.match(state?.error ?? '', reason);
    assert.equal(tenant.requests.redirected, 0);
    if (fault === 'slow') assert.deepEqual(new Set(limits), new Set([5_000]));

    mock.restoreAll();
    tenant.faults[document] = undefined;
    assert.equal(await load(), true);
    assert.equal(keys.states[0]?.error, undefined, 'and all is well again');
  });

  test(`${document} ${fault} from the start: tokens are refused until it is over`, async () => {
    tenant.faults[document] = fault as never;
    if (fault === 'slow') passTimeouts();
    const token = tenant.mintAccessToken(people.olivia);
    assert.equal(await authenticate(token), 'keys_unavailable');
    assert.equal(logger.complaints.length, 1, logger.lines.join('\n'));
    assert.match(logger.complaints[0] ?? '', /its tokens are refused until then/);

    mock.restoreAll();
    tenant.faults[document] = undefined;
    assert.equal(await authenticate(token), 'keys_unavailable', 'no storm of requests in an outage');
    now += 1_000;
    assert.equal(await authenticate(token), 'accepted');
  });
}

test('without any keys it asks ever less often, complains once, and recovers', async () => {
  tenant.faults.discovery = 'unavailable';
  const token = tenant.mintAccessToken(people.olivia);
  const gaps: number[] = [];
  let last = now;
  for (const end = now + 5 * MINUTE; now < end; now += 500) {
    const asked = tenant.requests.discovery;
    assert.equal(await authenticate(token), 'keys_unavailable');
    if (tenant.requests.discovery === asked) continue;
    gaps.push((now - last) / 1_000);
    last = now;
  }
  assert.deepEqual(gaps, [0, 1, 2, 4, 8, 16, 32, 60, 60, 60]);
  assert.equal(logger.complaints.length, 1, logger.lines.join('\n'));

  tenant.faults.discovery = 'notJson';
  now = last + 60_000;
  assert.equal(await authenticate(token), 'keys_unavailable');
  assert.equal(logger.complaints.length, 2, 'another reason');

  tenant.faults.discovery = undefined;
  now += 59_999;
  assert.equal(await authenticate(token), 'keys_unavailable');
  now += 1;
  assert.equal(await authenticate(token), 'accepted');
});

test('keys that name another issuer judge nothing, and the next good document is taken', async () => {
  await load();
  tenant.faults.jwks = 'wrongIssuer';
  await load();
  const token = tenant.mintAccessToken(people.olivia);
  tenant.faults.jwks = undefined;
  const old = codeOf(token);
  assert.ok(old === 'accepted' || old === 'key_issuer_mismatch', old);
  await load();
  assert.equal(codeOf(token), 'accepted');
});

test('a document full of keys for another issuer leaves the old keys in place', async () => {
  await load();
  tenant.faults.jwks = 'wrongIssuer';
  assert.equal(await load(), false);
  assert.equal(codeOf(tenant.mintAccessToken(people.olivia)), 'accepted');
  assert.equal(logger.complaints.length, 1);
});

test('keys of another issuer are no keys: nothing is accepted with them', async () => {
  tenant.faults.jwks = 'wrongIssuer';
  const code = await authenticate(tenant.mintAccessToken(people.olivia));
  assert.ok(['keys_unavailable', 'key_issuer_mismatch'].includes(code), code);
});

test('a flood of 1,000 made-up key ids costs one request', async () => {
  await load();
  tenant.requests.jwks = 0;
  tenant.requests.discovery = 0;
  const flood = Array.from({ length: 1_000 }, (_, at) => madeUp(`made-up-${at}`));
  // All at once, one after the other, and again just before five minutes are over.
  const codes = await Promise.all(flood.slice(0, 500).map(authenticate));
  for (const token of flood.slice(500, 990)) codes.push(await authenticate(token));
  now += 5 * MINUTE - 1;
  for (const token of flood.slice(990)) codes.push(await authenticate(token));
  assert.deepEqual(new Set(codes), new Set(['key_unknown']));
  assert.equal(tenant.requests.jwks, 1);
  assert.equal(tenant.requests.discovery, 1);
  assert.deepEqual(logger.complaints, []);

  now += 1;
  assert.equal(await authenticate(madeUp('after five minutes')), 'key_unknown');
  assert.equal(tenant.requests.jwks, 2);
});

test('in an outage the last good keys count for a day; then their tokens are refused, said once, until it is over', async () => {
  const start = Date.now();
  now = start;
  const core = new EntraCore({ configuration: configurationOf(tenant), logger, clock: () => now });
  const source = new KeySource({ core, logger, clock: () => now });
  const issuer = issuerOf(core);
  // As the issuer would mint it at that moment
  const judge = () => {
    const [iat, exp] = [now / 1000, now / 1000 + 3_600].map(Math.floor);
    const answer = core.authenticate(tenant.mintAccessToken(people.olivia, { claims: { iat, nbf: iat, exp } }));
    return answer.ok ? 'accepted' : answer.code;
  };
  try {
    assert.equal(await source.load(issuer), true);
    tenant.faults.jwks = 'unavailable';
    now = start + 12 * 60 * MINUTE;
    assert.equal(await source.load(issuer), false);
    assert.match(
      logger.complaints.join(),
      new RegExp(`stay in use until ${new Date(start + DAY).toISOString().slice(0, 19)}`),
    );
    now = start + DAY - 2_000;
    assert.equal(judge(), 'accepted');

    now = start + DAY;
    assert.equal(judge(), 'keys_unavailable');
    for (let attempt = 0; attempt < 3; attempt += 1) {
      now += MINUTE;
      assert.equal(await source.refetch(issuer, 'keys_unavailable'), false);
    }
    assert.equal(logger.complaints.length, 2, logger.lines.join('\n'));
    assert.match(logger.complaints[1] ?? '', /were good until .*, and its tokens are refused now/);

    tenant.faults.jwks = undefined;
    now += MINUTE;
    assert.equal(await source.refetch(issuer, 'keys_unavailable'), true);
    assert.equal(judge(), 'accepted');
  } finally {
    source.close();
    core.close();
  }
});

test('a flood while the issuer is down costs one request, too', async () => {
  await load();
  tenant.requests.discovery = 0;
  tenant.faults.discovery = 'down';
  for (let at = 0; at < 200; at += 1) assert.equal(await authenticate(madeUp(`made-up-${at}`)), 'key_unknown');
  assert.equal(tenant.requests.discovery, 1);
  assert.equal(logger.complaints.length, 1);
});

test('who made the flood cannot be told from the log', async () => {
  await load();
  const kid = 'kid-that-must-not-be-logged';
  await authenticate(madeUp(kid));
  tenant.faults.jwks = 'unavailable';
  now += 6 * MINUTE;
  await authenticate(madeUp(kid));
  assert.equal(logger.complaints.length, 1);
  assert.ok(!logger.lines.join('\n').includes(kid));
});

test('many at once share one flight', async () => {
  const token = tenant.mintAccessToken(people.olivia);
  const answers = await Promise.all([load(), load(), ...Array.from({ length: 50 }, () => authenticate(token))]);
  assert.deepEqual(new Set(answers), new Set([true, 'accepted']));
  assert.equal(tenant.requests.discovery, 1);
  assert.equal(tenant.requests.jwks, 1);
});

test('after an emergency roll the new keys count and the old ones do not', async () => {
  await load();
  const before = tenant.mintAccessToken(people.olivia);
  await tenant.rollKeys({ overlap: false });
  const fresh = tenant.mintAccessToken(people.olivia);
  assert.equal(codeOf(before), 'accepted', 'until we hear of it');
  assert.equal(await authenticate(fresh), 'accepted');
  assert.equal(await authenticate(before), 'key_unknown');
});

test('rollover under load: every token minted before and after is accepted', async () => {
  const entraAccess = new EntraAccess(
    { json: configurationOf(tenant), policy: { json: POLICY, place: 'policy' } },
    logger,
  );
  try {
    const refused: string[] = [];
    let accepted = 0;
    const present = async (token: string) => {
      try {
        await entraAccess.authenticate(token);
        accepted += 1;
      } catch (error) {
        refused.push(String(error));
      }
    };
    const kids = new Set<string>();
    const burst = async (tokens: string[]) => {
      for (const token of tokens) kids.add(token.split('.', 1)[0] ?? '');
      await Promise.all(tokens.map(present));
    };
    const mint = (count: number) => Array.from({ length: count }, () => tenant.mintAccessToken(people.olivia));

    const early = mint(50);
    await burst(early);
    const rolling = tenant.rollKeys({ overlap: true });
    let rolled = false;
    void rolling.then(() => (rolled = true));
    // Tokens of the old key keep coming while the new one is made.
    while (!rolled) {
      await burst(mint(5));
      await pause(1);
    }
    await burst([...mint(50), ...early]);
    await tenant.rollKeys({ overlap: true, announced: true });
    await burst([...mint(50), ...early]);

    assert.deepEqual(refused, []);
    assert.ok(accepted >= 250, String(accepted));
    assert.equal(kids.size, 3, 'three keys signed');
    assert.equal(tenant.requests.jwks, 2, 'at the start, and at the first token of a new key');
  } finally {
    entraAccess.close();
  }
});

/** What the background refresh waits for after a fetch */
async function delayAfterLoad(): Promise<number> {
  const timers = mock.method(globalThis, 'setTimeout');
  await load();
  const delays = timers.mock.calls.map(call => Number(call.arguments[1])).filter(delay => delay >= 20_000);
  timers.mock.restore();
  assert.equal(delays.length, 1, 'one timer');
  return delays[0]!;
}

for (const [header, minutes] of [
  ['max-age=86400, private', 60],
  ['max-age=999999999', 60],
  ['max-age=1800', 30],
  ['public, MAX-AGE=1800, must-revalidate', 30],
  ['max-age=0', 5],
  ['max-age=1', 5],
  ['no-store', 60],
  ['', 60],
  ['max-age=-5', 60],
  ['max-age=9999999999999999999', 60],
  ['x-max-age=600', 60],
  ['max-age=6e9', 60],
] as const) {
  test(`Cache-Control: ${header || 'none'} refreshes after ${minutes} minutes at most, never much sooner`, async () => {
    tenant.cacheControl = header;
    for (const [random, share] of [
      [0, 0.9],
      [0.999999, 1],
    ] as const) {
      mock.method(Math, 'random', () => random);
      const delay = await delayAfterLoad();
      assert.ok(Math.abs(delay - minutes * MINUTE * share) < 1_000, `${delay / MINUTE} minutes`);
      mock.restoreAll();
    }
  });
}

test('after a failure it tries again: in 30 s without keys, in 5 minutes with', async () => {
  mock.method(Math, 'random', () => 1);
  tenant.faults.discovery = 'down';
  assert.equal(await delayAfterLoad(), 30_000);
  tenant.faults.discovery = undefined;
  assert.equal(await delayAfterLoad(), 60 * MINUTE);
  tenant.faults.discovery = 'down';
  assert.equal(await delayAfterLoad(), 5 * MINUTE);
});

test('the background refresh fetches by itself, and ends when it is closed', async () => {
  mock.timers.enable({ apis: ['setTimeout'] });
  try {
    await load();
    tenant.requests.jwks = 0;
    mock.timers.tick(61 * MINUTE);
    while (tenant.requests.jwks === 0) await new Promise(resolve => setImmediate(resolve));
    await load(); // joins the flight
    assert.equal(tenant.requests.jwks, 1);
    keys.close();
    mock.timers.tick(24 * 60 * MINUTE);
    // Answered after anything that the tick may have sent off.
    for (let turn = 0; turn < 3; turn += 1) await fetch(`${tenant.authority}/mint`);
    assert.equal(tenant.requests.discovery, 2);
  } finally {
    mock.timers.reset();
  }
});

test('a token signed by the standby key before it signs is judged by that key alone', async () => {
  await load();
  const { current, standby } = tenant.home.keys;
  const header = (kid: string) => JSON.stringify({ typ: 'JWT', alg: 'RS256', kid });
  const payload = Buffer.from(tenant.mintAccessToken(people.olivia).split('.')[1]!, 'base64url').toString();
  assert.equal(codeOf(signRaw(header(standby.kid), payload, standby)), 'accepted');
  assert.equal(codeOf(signRaw(header(standby.kid), payload, current)), 'signature_invalid');
});
