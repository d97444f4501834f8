/** Changes to claims before signing. Many are harmless: what is accepted must be accepted for the right reasons too. */
import { member, numberOf, set, type Draft, type Member } from './draft';
import type { Random } from './random';
import { DAEMON, FOREIGN_TENANT, LEEWAY, LIFETIME, NOW, PORTAL, TENANT } from './trust';

export type Mutation = (draft: Draft, random: Random) => void;

const TIMES = ['exp', 'nbf', 'iat'];
const DECIDING = [
  'iss',
  'aud',
  'tid',
  'oid',
  ...TIMES,
  'ver',
  'azp',
  'appid',
  'idtyp',
  'scp',
  'roles',
  'groups',
  'name',
];
const MARKS = ['cnf', 'nonce', 'c_hash', 'at_hash', 's_hash', 'events', 'hasgroups', '_claim_names'];

const VALUES = [
  ...['null', 'true', 'false', '0', '-0', '-1', '1', '1.0', '1e3', '1E400', '1.9', '01', '+1', '.5', '1.', 'NaN'],
  ...['"', '""', '" "', '"x"', '"\\u0000"', '"\\ud800"', '"\\ud834\\udd1e"', '"\\x"', '[]', '[[]]', '{}', '[null]'],
  ...[
    '{"a":1,"a":2}',
    '{"a":{"a":1}}',
    '{"__proto__":{}}',
    '[1,]',
    '9007199254740991',
    '9007199254740993',
    'undefined',
  ],
];

/** What tells one kind of caller from another */
const KINDS: ReadonlyArray<[string, string[]]> = [
  ['idtyp', ['"app"', '"user"', '"device"', '"App"']],
  ['scp', ['"/"', '" "', '"a  b"', '""']],
  ['azp', [`"${DAEMON}"`, `"${PORTAL}"`]],
  ['appid', [`"${DAEMON}"`, `"${PORTAL}"`]],
  ['xms_act_fct', ['"11"', '"1 1"', '"11,13"', '"111"']],
  ['xms_sub_fct', ['"13 2"', '"11"', '"+13"']],
  ['roles', ['["a b"]', '"Admin"', '[]']],
  ['ver', ['"1.0"', '"2.0"', '"3.0"']],
];

const NAMES = [
  ...['x', '', ' aud', 'aud ', 'ａｕｄ', 'a\u200dud', 'аud', '__proto__', 'constructor', 'toString', 'hasOwnProperty'],
  ...['http://schemas.microsoft.com/identity/claims/tenantid', 'upn', 'email', 'preferred_username', 'é', 'e\u0301'],
];

/** The text of a JSON string with some of its letters as escapes: the same value */
function escaped(text: string, random: Random): string {
  const value = safely(text);
  if (typeof value !== 'string') return text;
  const percent = random.pick([20, 20, 100]);
  // By UTF-16 units, as JSON escapes them: a letter beyond the first plane becomes two escapes.
  const units = Array.from({ length: value.length }, (_, at) => {
    if (!random.chance(percent)) return JSON.stringify(value[at]).slice(1, -1);
    const hex = value.charCodeAt(at).toString(16).padStart(4, '0');
    return `\\u${random.chance(50) ? hex : hex.toUpperCase()}`;
  });
  return `"${units.join('')}"`;
}

const any = ({ claims }: Draft, random: Random): Member => random.pick(claims);
const letterCase = (text: string, random: Random) =>
  [...text].map(letter => (random.chance(50) ? letter.toUpperCase() : letter)).join('');

/** Leave the meaning as it is: still acceptable, unless budgets say otherwise */
export const HARMLESS: Record<string, Mutation> = {
  'claims in another order': ({ claims }, random) => random.shuffle(claims),
  'an escaped name': (draft, random) => {
    const one = any(draft, random);
    one.name = escaped(one.name, random);
  },
  'an escaped value': (draft, random) => {
    const one = any(draft, random);
    if (one.value.startsWith('"')) one.value = escaped(one.value, random);
  },
  'an unknown claim': ({ claims }, random) => {
    claims.splice(random.below(claims.length + 1), 0, member(`x${random.below(1e6)}`, { a: [1, { b: null }], c: 'd' }));
  },
  'a strange name': ({ claims }, random) => {
    const name = random.pick(NAMES);
    if (!claims.some(each => safely(each.name) === name)) claims.push(member(name, random.below(9)));
  },
  'white space around values': (draft, random) => {
    const one = any(draft, random);
    one.value = `${random.pick([' ', '\t', '\r\n', '  '])}${one.value}${random.pick(['', ' ', '\n'])}`;
  },
  'white space around names': (draft, random) => {
    const one = any(draft, random);
    one.name = `${random.pick([' ', '\t', '\r\n'])}${one.name}${random.pick(['', ' '])}`;
  },
  'a GUID in capitals': ({ claims }, random) => {
    const name = random.pick(['"tid"', '"oid"', '"azp"', '"appid"']);
    const one = claims.find(each => each.name === name);
    // An escape in capitals would be no escape.
    if (one && !one.value.includes('\\')) one.value = one.value.toUpperCase();
  },
  'groups in capitals, some twice': ({ claims }) => {
    const one = claims.find(each => each.name === '"groups"');
    const ids: unknown = one && one.value.startsWith('[') ? safely(one.value) : undefined;
    if (one && Array.isArray(ids)) one.value = JSON.stringify([...ids, ...ids.map(id => String(id).toUpperCase())]);
  },
  'several audiences': ({ claims }, random) => {
    const one = claims.find(each => each.name === '"aud"');
    if (one?.value.startsWith('"')) {
      one.value = `[${random.pick(['', '"api://other",', '"x","y",'])}${one.value}${random.pick(['', ',"z"'])}]`;
    }
  },
  'no nbf': ({ claims }) => claims.splice(0, claims.length, ...claims.filter(each => each.name !== '"nbf"')),
};

/** Change the meaning, form or budget; some are still acceptable by chance */
export const HOSTILE: Record<string, Mutation> = {
  'a claim removed': ({ claims }, random) => void claims.splice(random.below(claims.length), 1),
  'a deciding claim with a strange value': ({ claims }, random) =>
    set(claims, random.pick(DECIDING), random.pick(VALUES)),
  'a mark with a strange value': ({ claims }, random) => set(claims, random.pick(MARKS), random.pick(VALUES)),
  'an unknown claim with a strange value': ({ claims }, random) => set(claims, 'x', random.pick(VALUES)),
  'a claim twice': (draft, random) => {
    const one = any(draft, random);
    const value = random.chance(50) ? one.value : random.pick(VALUES);
    draft.claims.splice(random.below(draft.claims.length + 1), 0, { name: one.name, value });
  },
  'a claim twice, once escaped': (draft, random) => {
    const one = any(draft, random);
    draft.claims.push({ name: escaped(one.name, random), value: one.value });
  },
  'a claim in another letter case beside': ({ claims }, random) => {
    claims.push(
      member(letterCase(random.pick([...DECIDING, ...MARKS]), random), random.pick([1, 'x', FOREIGN_TENANT])),
    );
  },
  'a claim in another letter case instead': (draft, random) => {
    const one = any(draft, random);
    one.name = letterCase(one.name, random);
  },
  'a time at its edge': ({ claims, now }, random) => {
    const edge = random.pick([-LEEWAY, LEEWAY, -LIFETIME, LIFETIME, 0]) + random.pick([-1, 0, 1]);
    set(claims, random.pick(TIMES), String(now + edge));
  },
  'a lifetime at its edge': ({ claims }, random) => {
    set(claims, 'exp', String(numberOf(claims, 'iat') + LIFETIME + random.pick([-1, 0, 1])));
  },
  'a clock at its edge': (draft, random) => {
    const edge = random.pick([-LEEWAY, LEEWAY]) + random.pick([-1, 0, 1]);
    draft.now = Math.max(0, numberOf(draft.claims, random.pick(TIMES)) + edge);
    if (!Number.isSafeInteger(draft.now) || draft.now > 0xffff_ffff) draft.now = NOW;
  },
  'a time in another form': ({ claims }, random) => {
    const time = NOW + random.below(3600);
    const forms = [
      `${time}.0`,
      `${time}.5`,
      `${time}e0`,
      `"${time}"`,
      `-${time}`,
      `0${time}`,
      `+${time}`,
      `${time}000`,
    ];
    set(claims, random.pick(TIMES), random.pick([...forms, '1.76e9', '1760003600E0', '0x68e5', '1e400', `[${time}]`]));
  },
  'another issuer': ({ claims }, random) => {
    const tenant = random.pick([TENANT, TENANT.toUpperCase(), FOREIGN_TENANT, '{tenantid}', 'common']);
    const hosts = [
      'login.microsoftonline.com',
      'login.microsoftonline.us',
      'sts.windows.net',
      'LOGIN.microsoftonline.com',
    ];
    const issuer = `https://${random.pick(hosts)}/${tenant}${random.pick(['/v2.0', '/v2.0/', '/', ''])}`;
    set(claims, 'iss', random.chance(10) ? `["${issuer}"]` : `"${issuer}"`);
  },
  'another tenant': ({ claims }, random) => {
    const tenants = [
      FOREIGN_TENANT,
      TENANT.slice(1),
      `{${TENANT}}`,
      TENANT.replaceAll('-', ''),
      `${TENANT} `,
      '{tenantid}',
    ];
    set(claims, 'tid', `"${random.pick(tenants)}"`);
  },
  'another audience': ({ claims }, random) => {
    const lists = [
      '[]',
      '[""]',
      '["api://backstage",5]',
      '[["api://backstage"]]',
      '{"0":"api://backstage","length":1}',
    ];
    const texts = [
      '"api://backstage/"',
      '"API://backstage"',
      '"api://backstage.evil.example"',
      `"${PORTAL}"`,
      '"*"',
      '""',
    ];
    set(claims, 'aud', random.pick([...lists, ...texts, '["api://other","api://backstage"]', '"api:\\/\\/backstage"']));
  },
  'another kind': ({ claims }, random) => {
    const [name, values] = random.pick(KINDS);
    set(claims, name, random.pick(values));
  },
  'other groups': ({ claims }, random) => {
    const ids = Array.from({ length: random.pick([1, 200, 255, 256, 257, 600]) }, () => `"${random.guid()}"`);
    set(claims, 'groups', random.pick([`[${ids.join(',')}]`, '["Payments"]', '[null]', '[]', `[${ids[0]},]`]));
  },
  'deep nesting': ({ claims }, random) => {
    const depth = random.pick([5, 6, 7, 8, 9, 100, 900]);
    const object = random.chance(50);
    set(claims, 'x', `${(object ? '{"y":' : '[').repeat(depth)}1${(object ? '}' : ']').repeat(depth)}`);
  },
  'many members': ({ claims }, random) => {
    const count = random.pick([200, 255, 256, 257, 300]) - claims.length;
    for (let at = 0; at < count; at += 1) claims.push({ name: `"m${at}"`, value: '0' });
  },
  'a long claim': ({ claims }, random) =>
    set(claims, 'x', `"${'y'.repeat(random.pick([1000, 23_000, 24_000, 30_000]))}"`),
};

function safely(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
