import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { workloads } from '../../dev/tenant/applications';
import { healthyRegistrations } from '../../dev/tenant/registrations';
import { groups } from '../../dev/tenant/people';
import { startTenant } from '../../dev/tenant/server';
import type { Tenant } from '../../dev/tenant/tenant';
import { Folder } from '../../e2e/support/cli';
import { CALLBACK, CATALOG, examined, healthyConfig, SECRETS } from '../../e2e/support/doctor';
import type { Finding } from './finding';
import type { CatalogLook } from './subject';

const DAY = 24 * 3600;
/** Of a group that Entra does not have */
const GONE = 'dead0000-0000-4000-8000-000000000001';

let tenant: Tenant;
let config: ReturnType<typeof healthyConfig>;
const seen: Finding[] = [];
const folder = new Folder();

before(async () => {
  tenant = await startTenant();
  await tenant.ci.issuers.gitlab.keys.warmUp();
});
beforeEach(() => {
  Object.assign(tenant.registrations, healthyRegistrations(tenant.clock()));
  config = healthyConfig(tenant);
});
afterEach(() => {
  for (const fault of Object.keys(tenant.faults)) delete tenant.faults[fault as keyof typeof tenant.faults];
});
after(async () => {
  folder.remove();
  await tenant.close();
});

/** All findings of the configuration as it is */
async function look(change?: Parameters<typeof examined>[1]) {
  const findings = await examined(config, change);
  seen.push(...findings.all);
  return findings;
}

test('a healthy tenant: every check is ok', async () => {
  const findings = await look();
  assert.deepEqual(findings.bad, []);
  assert.ok(findings.all.length >= 20);
});

// ---- issuers

test('keys that answer 503, and only they: the document is fine', async () => {
  tenant.faults.jwks = 'unavailable';
  const findings = await look();
  assert.deepEqual(findings.bad, ['issuer.keys error']);
  assert.match(findings.of('issuer.keys')[0]!, /^error: http.*\/keys: answered 503/);
});

test('keys that the core refuses: with private halves in them, or for another issuer', async () => {
  tenant.faults.jwks = 'privateKeys';
  assert.match((await look()).of('issuer.keys')[0]!, /^error: the key set is refused: /);
  tenant.faults.jwks = 'wrongIssuer';
  assert.match((await look()).of('issuer.keys')[0]!, /^error: the key set is refused: /);
});

test('an issuer that is away, that is another one, or a tenant that does not exist', async () => {
  tenant.faults.discovery = 'down';
  const away = await look();
  assert.match(away.of('issuer.discovery')[0]!, /^error: /);
  assert.match(away.of('issuer.keys')[0]!, /^skipped: /, 'nothing is known of them');
  assert.match(away.of('issuer.clock')[0]!, /^skipped: /);
  tenant.faults.discovery = 'wrongIssuer';
  assert.match((await look()).of('issuer.discovery')[0]!, /^error: .*another issuer/);
  tenant.faults.discovery = undefined;
  config.entraAccess.tenants[0].tenantId = '3f8a1c52-7d4e-4b19-9c60-5e2b8f7a1dff';
  const unknown = await look();
  assert.match(unknown.of('issuer.discovery')[0]!, /^error: .*there is no such tenant/);
  assert.match(unknown.of('graph.token')[0]!, /^error: .*AADSTS90002/);
});

test('a clock that is off is a warning, and an error from the leeway on', async () => {
  tenant.faults.clockAhead = 100;
  const some = await look();
  assert.match(
    some.of('issuer.clock')[0]!,
    /^warning: the clock of this machine is (?:99|100|101) s behind the issuer's; 300 s/,
  );
  assert.match(some.of('issuer.clock')[1]!, /^error: .* 60 s are tolerated/, 'a pipeline tolerates less');
  tenant.faults.clockAhead = 400;
  assert.match(
    (await look()).of('issuer.clock')[0]!,
    /^error: .* (?:399|400|401) s behind .*300 s are tolerated: tokens/,
  );
  tenant.faults.clockAhead = -400;
  const ahead = (await look()).of('issuer.clock');
  assert.match(
    ahead[0]!,
    /^warning: the clock of this machine is .* s ahead of .* tokens end (?:99|100|101) s too early/,
  );
  config.entraAccess.tenants[0].leeway = 20;
  tenant.faults.clockAhead = 10;
  assert.match((await look()).of('issuer.clock')[0]!, /^ok: /, 'less than can be told by whole seconds');
});

test('v1.0 is looked at where App ID URIs are audiences, and is no more than a warning', async () => {
  assert.equal((await look()).of('issuer.keys').length, 2);
  config.entraAccess.tenants[0].audiences.push('api://backstage');
  tenant.faults.jwks = 'unavailable';
  const { all } = await look();
  const outcomes = all
    .filter(({ check }) => check === 'issuer.keys')
    .map(({ about, outcome }) => [about.slice(0, 8), outcome]);
  assert.deepEqual(outcomes, [
    ['entra-v2', 'error'],
    ['entra-v1', 'warning'],
    ['pipeline', 'ok'],
  ]);
});

// ---- the configuration by itself

for (const [name, change, check, expected] of [
  ['the tenant of an example', (t: any) => (t.tenantId = '11111111-2222-3333-4444-555555555555'), 'tenants', /example/],
  [
    'personal accounts',
    (t: any) => (t.tenantId = '9188040d-6c67-4c5b-b112-36a304b66dad'),
    'tenants',
    /anybody has one/,
  ],
  [
    'the audience of Azure',
    (t: any) => t.audiences.push('https://management.azure.com/'),
    'audiences',
    /Azure Resource Manager/,
  ],
  ['the tenant as audience', (t: any) => t.audiences.push(t.tenantId), 'audiences', /id of the tenant/],
  [
    'the audience of an example',
    (t: any) => t.audiences.push('aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee'),
    'audiences',
    /example/,
  ],
] as const) {
  test(`${name} is an error`, async () => {
    change(config.entraAccess.tenants[0]);
    assert.match((await look()).of(check).join('\n'), new RegExp(`^error: .*${expected.source}`));
  });
}

test('audiences without a client id are a warning, for pipelines the default of GitHub', async () => {
  config.entraAccess.tenants[0].audiences = ['api://backstage'];
  assert.match((await look()).of('audiences')[0]!, /^warning: no audience is a client id/);
  const { trust } = config.entraAccess.pipelines[0];
  const match = { repository_id: '1' };
  config.entraAccess.pipelines = [
    {
      id: 'github',
      type: 'github',
      issuer: tenant.ci.issuers.github.issuer,
      audiences: ['https://github.com/contoso'],
      trust: [{ ...trust[0], match, publish: undefined }],
    },
  ];
  await tenant.ci.issuers.github.keys.warmUp();
  assert.match((await look()).of('audiences')[1]!, /^warning: .*no job named any/);
});

// ---- Graph

test('without Graph all that needs it is skipped, and nothing of it is ok', async () => {
  delete config.entraAccess.groups;
  const findings = await look();
  assert.deepEqual(
    [...new Set(findings.bad)],
    [
      'graph.token',
      'registration.secret',
      'registration.redirect',
      'registration.tokens',
      'groups.configured',
      'groups.annotated',
      'groups.assigned',
    ].map(check => `${check} skipped`),
  );
});

test('each missing permission is named: people are an error, what is left a warning', async () => {
  const { groupReader } = tenant.registrations;
  groupReader.graphRoles = ['User.ReadBasic.All', 'Application.Read.All', 'Mail.Read', 'Directory.ReadWrite.All'];
  const { all } = await look();
  const found = all.filter(({ check, outcome }) => check === 'graph.permissions' && outcome !== 'ok');
  assert.deepEqual(
    found.map(({ about, outcome }) => [about.replace(/^.*?, /, ''), outcome]),
    [
      ['groups of people', 'error'],
      ['directory roles', 'warning'],
      ['least privilege', 'warning'],
    ],
  );
  assert.match(found[0]!.fix!, /GroupMember\.Read\.All/);
  assert.match(found[1]!.fix!, /RoleManagement\.Read\.Directory/);
  groupReader.graphRoles = [];
  const nothing = await look();
  assert.match(nothing.of('graph.token')[0]!, /^ok/, 'there is a token, it may only do nothing');
  assert.deepEqual(
    nothing.of('graph.permissions').map(text => text.split(':')[0]),
    ['error', 'warning', 'warning', 'skipped'],
  );
  assert.match(nothing.of('registration.secret')[0]!, /^skipped: the app registration cannot be seen: .*403/);
  assert.match(nothing.of('groups.configured')[0]!, /^skipped: .*403/);
});

test('applications that are let in make Application.Read.All needed, unless their groups are written down', async () => {
  tenant.registrations.groupReader.graphRoles = [
    'User.ReadBasic.All',
    'GroupMember.Read.All',
    'RoleManagement.Read.Directory',
  ];
  const outcome = async () => (await look()).of('graph.permissions')[1]!.split(':')[0];
  assert.equal(await outcome(), 'warning');
  config.entraAccess.tenants[0].clients = [workloads.scanner.clientId];
  assert.equal(await outcome(), 'error');
  config.entraAccess.groups.workloads = [{ client: workloads.scanner.clientId, groups: [groups.payments.id] }];
  assert.equal(await outcome(), 'warning');
});

/** What docs/directory.md asks for, and what the doctor looks at registrations with */
const FOLLOWS = ['User.Read.All', 'GroupMember.Read.All', 'RoleManagement.Read.Directory', 'Application.Read.All'];

/** A backend that follows the directory, whose application has these permissions */
function following(...graphRoles: string[]) {
  const { clientId, secret } = workloads.groupReader;
  config.entraAccess.groups = { source: 'graph', graph: { clientId, clientSecret: secret } };
  tenant.registrations.groupReader.graphRoles = graphRoles;
}

/** Those about permissions that are not ok, narrowed to what they are about */
const lacking = ({ all }: Awaited<ReturnType<typeof look>>) =>
  all
    .filter(({ check, outcome }) => check === 'graph.permissions' && outcome !== 'ok')
    .map(({ about, outcome, what, fix = '' }) => ({ about: about.replace(/^.*?, /, ''), outcome, what, fix }));

test('following the directory: a healthy tenant is ok, also with hidden memberships and tokens without groups', async () => {
  following(...FOLLOWS, 'Member.Read.Hidden');
  config.entraAccess.tenants[0].clients = [workloads.scanner.clientId];
  tenant.registrations.backstage.groupMembershipClaims = null;
  const findings = await look();
  assert.deepEqual(findings.bad, []);
  assert.ok(findings.all.length >= 20);
});

test('following the directory: what it takes is asked for, and not what it takes to ask about one person', async () => {
  following('User.ReadBasic.All', 'GroupMember.Read.All', 'RoleManagement.Read.Directory', 'Application.Read.All');
  const accounts = lacking(await look());
  assert.deepEqual(
    accounts.map(({ about, outcome }) => [about, outcome]),
    [['accounts that are followed', 'error']],
  );
  assert.match(accounts[0]!.what, /^accounts cannot be followed/);
  assert.match(accounts[0]!.fix, /^grant the application of `entraAccess\.groups\.graph` User\.Read\.All \(/);
  following('User.Read.All', 'RoleManagement.Read.Directory', 'Application.Read.All');
  const members = lacking(await look());
  assert.deepEqual(
    members.map(({ about, outcome }) => [about, outcome]),
    [['groups that are followed', 'error']],
  );
  assert.match(members[0]!.fix, /GroupMember\.Read\.All/);
  following(...FOLLOWS, 'Mail.Read');
  const more = lacking(await look());
  assert.deepEqual(
    more.map(({ about, outcome, what }) => [about, outcome, what]),
    [['least privilege', 'warning', 'the application may do more than is needed: Mail.Read']],
  );
  assert.match(more[0]!.fix, /docs\/directory\.md/);
});

test('following the directory: without Application.Read.All nothing is wrong, it is only not looked at', async () => {
  following('User.Read.All', 'GroupMember.Read.All');
  config.entraAccess.tenants[0].clients = [workloads.scanner.clientId];
  const findings = await look();
  assert.deepEqual(
    lacking(findings).map(({ about, outcome }) => [about, outcome]),
    [
      ['app registrations', 'skipped'],
      ['directory roles', 'skipped'],
      ['least privilege', 'skipped'],
    ],
  );
  assert.deepEqual(
    findings.bad.filter(line => !line.endsWith(' skipped')),
    [],
  );
});

test('a refusal of Graph sends to the page of either source of groups', async () => {
  following();
  const { what } = (await look()).all.find(({ check }) => check === 'groups.configured')!;
  assert.match(what, /403.*docs\/groups\.md \(with `groups\.source: graph`: docs\/directory\.md\)/);
});

test('Graph that is away, a wrong secret, and an unknown client each have their fix', async () => {
  tenant.faults.graph = 'unavailable';
  const away = await look();
  assert.match(away.of('graph.token')[0]!, /^error: .*503/);
  assert.match(away.of('graph.permissions')[0]!, /^skipped/);
  tenant.faults.graph = undefined;
  config.entraAccess.groups.graph = {
    clientId: workloads.groupReader.clientId,
    clientSecret: 'not-the-secret-of-the-reader',
  };
  const wrong = (await look()).all.find(({ check }) => check === 'graph.token')!;
  assert.match(wrong.what, /AADSTS7000215/);
  assert.match(wrong.fix!, /value of a secret, not its id/);
  config.entraAccess.groups.graph = { clientId: GONE, clientSecret: 'any-secret-at-all' };
  assert.match((await look()).all.find(({ check }) => check === 'graph.token')!.fix!, /knows no such application/);
});

// ---- app registrations

test('a secret is warned of 30 days ahead, and one that has ended is an error', async () => {
  const [secret] = tenant.registrations.groupReader.secrets;
  const found = async (days: number) => {
    secret!.endsAt = tenant.clock() + days * DAY;
    return look();
  };
  assert.match((await found(31)).of('registration.secret')[0]!, /^ok: the secret is good until \d{4}-\d\d-\d\d$/);
  assert.match((await found(29)).of('registration.secret')[0]!, /^warning: the secret ends on \d{4}-\d\d-\d\d$/);
  const ended = await found(-1);
  const token = ended.all.find(({ check }) => check === 'graph.token')!;
  assert.equal(token.outcome, 'error');
  assert.match(token.fix!, /the secret has ended: add a new one/);
  assert.match(ended.of('registration.secret')[0]!, /^skipped/, 'Graph cannot be asked without a token');
});

test('the secret of the interactive sign-in, found among others by how it begins', async () => {
  const { backstage } = tenant.registrations;
  const end = (days: number) => tenant.clock() + days * DAY;
  backstage.secrets = [
    { hint: 'abc', endsAt: end(900) },
    { hint: 'sim', endsAt: end(-3) },
  ];
  assert.match((await look()).of('registration.secret')[1]!, /^error: the secret has ended on/);
  backstage.secrets = [
    { hint: 'sim', endsAt: end(900) },
    { hint: 'sim', endsAt: end(5) },
  ];
  assert.match((await look()).of('registration.secret')[1]!, /^warning/, 'either of the two may be the one');
  backstage.secrets = [{ hint: 'abc', endsAt: end(900) }];
  assert.match((await look()).of('registration.secret')[1]!, /^error: .*none of those of the app registration/);
});

test('a certificate: its own end, that of the uploaded one, and one that was never uploaded', async () => {
  const { certificate, privateKey } = tenant.home.keys.current;
  const pem = `-----BEGIN CERTIFICATE-----\n${certificate}\n-----END CERTIFICATE-----\n`;
  const key = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  const file = folder.write('graph.pem', key + pem);
  const raw = Buffer.from(certificate, 'base64');
  const end = tenant.clock() + 5 * 365 * DAY - 3600;
  const print = createHash('sha1').update(raw).digest();
  const verdicts = async (path = file, days = 0) => {
    const findings = await look(({ graph, now }) => ({
      graph: { ...graph!, begins: undefined, certificate: path },
      now: () => now() + days * DAY * 1000,
    }));
    return findings.of('registration.certificate');
  };
  const { groupReader } = tenant.registrations;
  assert.match((await verdicts()).join(), /^ok: the certificate in the file .*,error: .* none of those of the app/);
  for (const thumbprint of [
    print.toString('base64'),
    print.toString('hex'),
    createHash('sha256').update(raw).digest('base64'),
  ]) {
    groupReader.certificates = [
      { thumbprint: 'b3RoZXI=', endsAt: 1 },
      { thumbprint, endsAt: end },
    ];
    assert.match((await verdicts()).join(), /^ok: the certificate in the file .*,ok: the uploaded certificate is good/);
  }
  groupReader.certificates[1]!.endsAt = tenant.clock() - 1;
  assert.match((await verdicts()).join(), /^ok: .*,error: the uploaded certificate has ended/);
  assert.match((await verdicts(file, 5 * 365 - 20))[0]!, /^warning: the certificate in the file ends on/);
  assert.match((await verdicts(file, 5 * 365 + 1))[0]!, /^error: the certificate in the file has ended on/);
  assert.match((await verdicts(file, -1))[0]!, /^error: .* is not good before/);
  assert.match((await verdicts(folder.write('key.pem', key)))[0]!, /^error: .* holds no certificate/);
  assert.match((await verdicts(join(folder.path, 'none.pem')))[0]!, /^error: .* holds no certificate/);
});

test('the redirect URI: missing, on another platform, or by another base URL', async () => {
  const { redirectUris } = tenant.registrations.backstage;
  redirectUris.web = [`${CALLBACK}/`, CALLBACK.replace('contoso', 'Contoso').toUpperCase()];
  assert.match((await look()).of('registration.redirect')[0]!, /^error: .* is not registered: .*AADSTS50011/);
  redirectUris.spa = [CALLBACK];
  assert.match((await look()).of('registration.redirect')[0]!, /^error: .* not for the platform Web/);
  redirectUris.web = [CALLBACK.replace('contoso', 'CONTOSO')];
  assert.match((await look()).of('registration.redirect')[0]!, /^ok/, 'hosts have no letter case');
  config.auth.providers.microsoft.production.callbackUrl = 'https://elsewhere.example/callback?a=b';
  assert.match((await look()).of('registration.redirect')[0]!, /^error: https:\/\/elsewhere\.example\/callback is not/);
});

test('no interactive sign-in is skipped, and the base URL is looked at all the same', async () => {
  delete config.auth.providers.microsoft;
  config.backend.baseUrl = 'http://backstage.contoso.example';
  const findings = await look();
  assert.match(findings.of('registration.redirect')[0]!, /^skipped/);
  assert.match(findings.of('backend.baseUrl')[0]!, /^warning/);
  delete config.backend.baseUrl;
  assert.match((await look()).of('backend.baseUrl')[0]!, /^error/);
});

test('tokens without groups, with another audience, and of nobody', async () => {
  const { backstage } = tenant.registrations;
  backstage.groupMembershipClaims = 'DirectoryRole';
  backstage.requestedAccessTokenVersion = null;
  const found = (await look()).of('registration.tokens');
  assert.match(found[0]!, /^warning: its tokens list no groups, so/);
  assert.match(found[1]!, /^warning: .* v1\.0 .* no audience here/);
  config.entraAccess.tenants[0].audiences = [GONE];
  assert.match((await look()).of('registration.tokens')[0]!, /^error: no tenant knows an application/);
});

// ---- groups

test('groups that the configuration or the catalog names and Entra does not have', async () => {
  config.entraAccess.groups.mapping = [{ group: GONE, owner: 'group:default/payments' }];
  const elsewhere: CatalogLook = {
    ...(CATALOG as Extract<CatalogLook, { known: true }>),
    groups: [{ entityRef: 'group:default/payments', groupId: groups.fabrikamStaff.id.toUpperCase() }],
  };
  const { all } = await look(() => ({ catalog: async () => elsewhere }));
  const found = all
    .filter(({ check }) => check.startsWith('groups.') && true)
    .filter(({ outcome }) => outcome === 'warning');
  assert.deepEqual(
    found.map(({ check, about }) => [check, about]),
    [
      ['groups.configured', GONE],
      ['groups.annotated', groups.fabrikamStaff.id],
      ['groups.owners', groups.payments.id],
    ],
  );
  assert.match(found[0]!.what, /groups\.mapping \(group:default\/payments\)/);
  assert.match(found[1]!.what, /group:default\/payments/);
});

test('what the catalog itself finds, and owners that it does not have', async () => {
  config.entraAccess.groups.mapping = [{ group: groups.refunds.id, owner: 'group:default/nobody' }];
  const problem = { entityRef: 'group:default/search', message: 'is not trusted' };
  const wrong = { ...(CATALOG as Extract<CatalogLook, { known: true }>), problems: [problem] };
  const findings = await look(() => ({ catalog: async () => wrong }));
  assert.deepEqual(findings.of('groups.catalog'), [
    'warning: is not trusted',
    'warning: `groups.mapping` names it, and the catalog has no such group',
  ]);
});

test('a group of a job that stands for no owner gives nothing, unless a rule names it', async () => {
  const [entry] = config.entraAccess.pipelines[0].trust;
  entry.groups = [groups.refunds.id];
  assert.match((await look()).of('groups.owners')[0]!, /^warning: no catalog group stands for it.*payments-staging/);
  entry.groups = [groups.platformAdmins.id];
  assert.match((await look()).of('groups.owners')[0]!, /^ok/);
});

test('groups that are assigned to the application, with nothing in Backstage that stands for them', async () => {
  tenant.registrations.backstage.assignedGroups = [groups.payments.id, groups.platformAdmins.id, groups.refunds.id];
  const { all } = await look();
  const found = all.filter(({ check }) => check === 'groups.assigned');
  assert.deepEqual(
    found.map(({ about, outcome }) => [about, outcome]),
    [[groups.refunds.id, 'warning']],
  );
});

test('more groups than one question takes, and more findings than anybody reads', async () => {
  const many = Array.from({ length: 40 }, (_, at) => `dead0000-0000-4000-8000-${String(at).padStart(12, '0')}`);
  config.entraAccess.groups.mapping = [groups.payments.id, ...many].map(group => ({
    group,
    owner: 'group:default/payments',
  }));
  const found = (await look()).of('groups.configured');
  assert.equal(found.length, 21);
  assert.equal(found[20], 'warning: 20 more of the same kind');
});

test('a catalog that is not known is skipped, never taken for empty', async () => {
  const unknown: CatalogLook = { known: false, why: 'nobody knows', fix: 'tell it' };
  const findings = await look(() => ({ catalog: async () => unknown }));
  for (const check of ['groups.catalog', 'groups.annotated', 'groups.owners', 'groups.assigned']) {
    assert.deepEqual(findings.of(check), ['skipped: nobody knows'], check);
  }
});

// ---- the policy

test('a policy that lets everybody do everything, and one that lets nobody do anything', async () => {
  config.entraAccess.policy = { rules: [{ id: 'all', effect: 'allow', permissions: ['*'] }] };
  assert.match((await look()).of('policy.rules')[0]!, /^warning: allows everything to everybody/);
  config.entraAccess.policy = { rules: [{ id: 'none', effect: 'deny', permissions: ['*'] }] };
  assert.match((await look()).of('policy.rules')[0]!, /^warning: no rule allows anything/);
});

test('warnings about plugins, those that were silent, and nobody who could be asked', async () => {
  const review = async () => ({ known: true as const, warnings: ['policy: rule a: no'], silent: ['search'] });
  assert.deepEqual((await look(() => ({ review }))).of('policy.plugins'), [
    'warning: policy: rule a: no',
    'skipped: it does not tell what it declares',
  ]);
  const nobody = async () => ({ known: false as const, why: 'nobody is asked', fix: 'ask' });
  assert.deepEqual((await look(() => ({ review: nobody }))).of('policy.plugins'), ['skipped: nobody is asked']);
});

// ---- all of the above

test('everything that is not ok says what to change, and no text holds a secret, a token or an address', () => {
  assert.ok(seen.length > 500);
  for (const finding of seen) {
    const text = JSON.stringify(finding);
    assert.equal(finding.fix === undefined, finding.outcome === 'ok', text);
    for (const secret of SECRETS) assert.ok(!text.includes(secret), text);
    assert.doesNotMatch(text, /eyJ[\w-]{8,}|not-the-secret|[\w.]+@[\w-]+\.|Insufficient privileges|Trace ID/);
  }
});
