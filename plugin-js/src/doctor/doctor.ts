import { Applications } from './applications';
import { credentialChecks } from './credentials';
import type { Check, Finding } from './finding';
import { groupChecks } from './groups';
import { issuerChecks } from './issuers';
import { permissionChecks } from './permissions';
import { plausibilityChecks } from './plausibility';
import { policyChecks } from './policy';
import { registrationChecks } from './registrations';
import { runChecks, type RunnerLimits } from './runner';
import type { Subject } from './subject';

/** Every check of a configuration and of what it hangs on, in the order of the table */
export function allChecks(subject: Subject): Check[] {
  const applications = new Applications(subject);
  return [
    ...plausibilityChecks(subject),
    ...issuerChecks(subject),
    ...permissionChecks(subject),
    ...credentialChecks(subject, applications),
    ...registrationChecks(subject, applications),
    ...groupChecks(subject),
    ...policyChecks(subject),
  ];
}

/** Makes all checks; never rejected for what a check finds */
export function examine(subject: Subject, limits?: RunnerLimits): Promise<Finding[]> {
  return runChecks(allChecks(subject), limits);
}
