import type { Fact, Remedies, Requirement } from '../core';

/** What a sign-in would have to be like */
export function stepText({ authContext, mfa, signedInWithin }: Requirement): string {
  const asked = [
    authContext && `authentication context ${authContext}`,
    mfa && 'more than one factor',
    signedInWithin && `a sign-in within the last ${signedInWithin} seconds`,
  ];
  return asked.filter(Boolean).join(' and ');
}

/** One fact as a noun; what is withheld is said in general */
function factText(fact: Fact): string {
  switch (fact.fact) {
    case 'groupsKnown':
      return 'groups that are known';
    case 'group':
      return groupText(fact);
    case 'role':
      return fact.role === undefined ? 'an app role that a rule asks for' : `app role \`${fact.role}\``;
    case 'signIn':
      return stepText(fact) || 'a stronger sign-in';
    case 'owned':
      return fact.holds ? 'ownership of the resource' : 'no ownership of the resource';
    case 'rule':
      return fact.rule === undefined
        ? 'another property of the resource'
        : `a resource of which \`${fact.rule}\` ${fact.holds ? 'holds' : 'does not hold'}`;
  }
}

function groupText({ group, owner }: Fact & { fact: 'group' }): string {
  if (owner === undefined) {
    return group === undefined
      ? 'membership in an Entra group that a rule asks for'
      : `membership in Entra group ${group}`;
  }
  return `membership in the owning team \`${owner}\`${group === undefined ? '' : ` (Entra group ${group})`}`;
}

/** A way in words */
export function wayText({ rule, facts }: Remedies['ways'][number]): string {
  return `${facts.map(factText).join(', and ')}${rule === null ? '' : ` (rule \`${rule}\`)`}`;
}

/** What it would take where no facts are enough */
export function noWayText({ blockedBy, complete }: Remedies): string {
  if (blockedBy.length > 0) {
    return `no more facts help: denied by ${blockedBy.map(rule => `rule \`${rule}\``).join(' and ')}`;
  }
  return complete ? 'a rule that allows it: none of the policy could' : 'more than was looked for';
}
