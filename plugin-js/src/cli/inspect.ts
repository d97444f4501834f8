import { readFileSync } from 'node:fs';
import { ConfigurationError, type Inspection } from '../core';
import { EntraAccess } from '../service/entraAccess';
import { firstLine } from '../service/policyText';
import { readBackendConfiguration } from './backendConfiguration';
import { texts, UsageError, type Command, type Output } from './command';
import { columns, plain } from '../service/text';

/** Nobody is decided about here */
const NO_POLICY = { json: '{"rules":[]}', place: 'policy' };
const MISTAKE = 2;
const MARKS: Record<Inspection['checks'][number]['outcome'], string> = { pass: 'ok', fail: 'FAIL', skipped: '-' };

/** `entra-access inspect` */
export const inspect: Command = {
  usage: `usage: entra-access inspect TOKEN|- --config FILE [--config FILE ...] [--sign-in] [--json]

Judges a token of Entra or of a CI job as a backend with this configuration would, and shows every check side by side: what
was expected, what the token says, and what to change. Where no trust entry is about a job, the nearest ones are compared
claim by claim. The keys are fetched from the issuer; nothing else is asked, and no use of a single-use token is counted: with
\`groups.source: graph\` the groups that are shown are the token's, and whether the account is still in force is not known here.

  TOKEN|-         the token; \`-\` reads it from standard input, where others on this machine cannot see it
  --config FILE   app-config.yaml of the backend (repeat as for the backend); its policy and its secrets are not used
  --sign-in       as the ID token of a sign-in, not as an access token
  --json          the same for machines

Exit code 0: accepted, 1: refused, 2: a mistake, or the command was not understood.
`,
  options: {
    config: { type: 'string', multiple: true },
    'sign-in': { type: 'boolean' },
    json: { type: 'boolean' },
  },
  async run({ positionals, values }, output) {
    const [given, more] = positionals;
    if (given === undefined) throw new UsageError('no TOKEN is given');
    if (more !== undefined) throw new UsageError('more than one TOKEN is given');
    const files = texts(values.config);
    if (files.length === 0) throw new UsageError('--config is missing: it says which issuers are trusted');
    try {
      const token = given === '-' ? standardInput() : given;
      const inspection = await judged(token, files, values['sign-in'] === true, output);
      output.out(values.json ? `${JSON.stringify(inspection, null, 2)}\n` : shown(inspection));
      return inspection.verdict === 'accepted' ? 0 : 1;
    } catch (error) {
      if (!(error instanceof ConfigurationError)) throw error;
      output.complain(`${plain(error.message)}\n`);
      return MISTAKE;
    }
  },
};

function standardInput(): string {
  try {
    return readFileSync(0, 'utf8').trim();
  } catch (error) {
    throw new ConfigurationError({ path: 'standard input', message: `could not be read: ${firstLine(error)}` });
  }
}

async function judged(token: string, files: string[], signIn: boolean, { complain }: Output): Promise<Inspection> {
  const json = await readBackendConfiguration(files);
  const say = (message: string) => complain(`${plain(message)}\n`);
  const logger = { error: say, warn: say, info() {}, debug() {}, child: () => logger };
  const entraAccess = new EntraAccess({ json, policy: NO_POLICY }, logger);
  try {
    const inspection = await entraAccess.inspect(token, signIn ? 'sign-in' : 'access');
    if (!inspection) throw new Error('the core is not available');
    return inspection;
  } finally {
    entraAccess.close();
  }
}

function shown({ verdict, code, principal, checks }: Inspection): string {
  const rows = checks.map(({ check, expected, actual, outcome }) => [MARKS[outcome], check, expected, actual]);
  const [heading, ...lines] = columns([['', 'check', 'expected', 'actual'], ...rows]).split('\n');
  const table = lines.flatMap((line, at) => [
    line,
    ...[checks[at]?.hint ?? []].flat().map(hint => `        -> ${plain(hint)}`),
  ]);
  const who = principal && [
    `kind: ${principal.kind}, issuer: ${principal.issuer}`,
    ...(principal.pipeline ? [`trust entry: ${principal.pipeline.trust}, project: ${principal.pipeline.subject}`] : []),
    `groups: ${principal.groups.state}, ${principal.groups.ids.length}`,
  ];
  return [
    code === undefined ? verdict : `${verdict}: ${code}`,
    ...(who ?? []).map(line => `  ${plain(line)}`),
    heading,
    ...table,
    '',
  ].join('\n');
}
