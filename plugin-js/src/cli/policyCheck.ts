import { ConfigurationError, EntraCore } from '../core';
import { setPolicy } from '../service/policyFile';
import { parsePolicy } from '../service/policyText';
import { UsageError, type Command } from './command';
import { readText } from './documents';
import { plain } from '../service/text';

/** `entra-access policy check` */
export const policyCheck: Command = {
  usage: `usage: entra-access policy check FILE [FILE ...] [--json]

Reads policy files as the backend would at its start, and names the first mistake in each with its line.
Exit code 0: all are good, 1: there is a mistake, 2: the command was not understood.
`,
  options: { json: { type: 'boolean' } },
  async run({ positionals, values }, { out, complain }) {
    if (positionals.length === 0) throw new UsageError('no FILE is named');
    const checks = positionals.map(checkPolicy);
    if (values.json) out(`${JSON.stringify(checks, null, 2)}\n`);
    for (const check of values.json ? [] : checks) {
      if (check.ok) out(`${plain(check.file)}: ${check.rules.length} rules, no mistake\n`);
      else complain(`${plain(check.error)}\n`);
    }
    return checks.every(({ ok }) => ok) ? 0 : 1;
  },
};

/** A core that trusts nobody who exists: a policy is read without any configuration of its backend */
const CONFIGURATION = JSON.stringify({
  tenants: [{ tenantId: '00000000-0000-0000-0000-000000000000', audiences: ['policy-check'] }],
  policy: {},
});

/** What became of a policy file */
export type PolicyCheck = { ok: true; file: string; rules: string[] } | { ok: false; file: string; error: string };

/** Reads a policy file as the backend would at its start; what only the installed plugins know is not looked at */
export function checkPolicy(file: string): PolicyCheck {
  const quiet = { error() {}, info() {} };
  const core = new EntraCore({ configuration: CONFIGURATION, logger: quiet });
  try {
    // Which pipelines there are stands in the configuration, which is not asked for.
    setPolicy(core, parsePolicy(readText(file), file), { anyPipeline: true });
    return { ok: true, file, rules: core.ruleIds };
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    return { ok: false, file, error: error.message };
  } finally {
    core.close();
  }
}
