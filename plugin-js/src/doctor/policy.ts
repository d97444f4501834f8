import { about, orOk, skipped, warning, type Check, type Verdict } from './finding';
import type { Subject } from './subject';

/** A rule that the core has read without a complaint */
interface Rule {
  id: string;
  effect: 'allow' | 'deny';
  permissions: readonly string[];
  actions?: readonly string[];
  principals?: ReadonlyArray<{ role?: string }>;
  requires?: object;
  when?: object;
}

/** What in the policy is allowed to be so and is hardly meant */
export function policyChecks({ policy, section, review }: Subject): Check[] {
  const { rules } = JSON.parse(policy) as { rules: Rule[] };
  return [
    {
      id: 'policy.rules',
      about: 'policy',
      make: () => orOk(ruleVerdicts(rules, section.tenants.length), `${rules.length} rules, nothing to remark`),
    },
    {
      id: 'policy.plugins',
      about: 'policy',
      async make() {
        const found = await review();
        if (!found.known) return skipped(found.why, found.fix);
        const fix = 'correct the rule, or install the plugin that it is about (docs/policy.md)';
        const silent = found.silent.map(plugin =>
          about(`plugin ${plugin}`, skipped('it does not tell what it declares', 'see whether it is running')),
        );
        return orOk(
          [...found.warnings.map(text => warning(text, fix)), ...silent],
          'the installed plugins declare what the rules name',
        );
      },
    },
  ];
}

function ruleVerdicts(rules: readonly Rule[], tenants: number): Verdict[] {
  const found: Verdict[] = [];
  if (!rules.some(({ effect }) => effect === 'allow')) {
    found.push(
      warning('no rule allows anything, so everybody is denied everything', 'add a rule with `effect: allow`'),
    );
  }
  for (const rule of rules.filter(({ effect }) => effect === 'allow')) {
    const { id, permissions, actions, principals, requires, when } = rule;
    const open = !actions && !principals && !requires && !when;
    if (open && permissions.includes('*')) {
      const fix = 'name `principals`, or the permissions that everybody may have';
      found.push(
        about(`rule ${id}`, warning('allows everything to everybody who has a token, jobs and applications too', fix)),
      );
    }
    if (tenants > 1 && principals?.some(({ role }) => role !== undefined)) {
      const fix = 'name a group in place of the role';
      found.push(about(`rule ${id}`, warning('an app role counts whichever of the tenants has given it', fix)));
    }
  }
  return found;
}
