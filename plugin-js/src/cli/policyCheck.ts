import { readFileSync } from 'node:fs';
import { ConfigurationError, EntraCore } from '../core';
import { setPolicy } from '../service/policyFile';
import { firstLine, parsePolicy } from '../service/policyText';

/** A core that trusts nobody who exists: a policy is read without any configuration of its backend */
const CONFIGURATION = JSON.stringify({
  tenants: [{ tenantId: '00000000-0000-0000-0000-000000000000', audiences: ['policy-check'] }],
  policy: {},
});

/** What became of a policy file */
export type PolicyCheck = { ok: true; file: string; rules: string[] } | { ok: false; file: string; error: string };

/** Reads a policy file as the backend would at its start; what only the installed plugins know is not looked at */
export function checkPolicy(file: string): PolicyCheck {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    return { ok: false, file, error: `${file}: could not be read: ${firstLine(error)}` };
  }
  const quiet = { error() {}, info() {} };
  const core = new EntraCore({ configuration: CONFIGURATION, logger: quiet });
  try {
    setPolicy(core, parsePolicy(text, file));
    return { ok: true, file, rules: core.ruleIds };
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    return { ok: false, file, error: error.message };
  } finally {
    core.close();
  }
}
