/** Lines to paste into another terminal: one ALLOW and one DENY, each with its explanation, and the token inspector */
export function curlLines(backend: string, tenant: string): string {
  const explain = (name: string) =>
    `curl -s -w '\\n' -XPOST -H "Authorization: Bearer $${name}" -H 'content-type: application/json' ${backend}/api/entra-access/v1/decisions/explain \\
  -d '{"permission":"catalog.entity.refresh","resourceRef":"component:default/payments-api"}'`;
  const signIn = (name: string, person: string) =>
    `${name}=$(curl -s -H "Authorization: Bearer $(curl -s '${tenant}/mint?as=${person}')" ${backend}/api/auth/entra/refresh | sed 's/.*"token":"\\([^"]*\\)".*/\\1/')`;
  const refresh = (name: string) =>
    `curl -s -o /dev/null -w '%{http_code}\\n' -XPOST -H "Authorization: Bearer $${name}" -H 'content-type: application/json' ${backend}/api/catalog/refresh \\
  -d '{"entityRef":"component:default/payments-api"}'`;
  const asJob = (job: string) =>
    `curl -s -o /dev/null -w '%{http_code}\\n' -XPOST -H "Authorization: Bearer $(curl -s '${tenant}/ci/mint?job=${job}')" -H 'content-type: application/json' ${backend}/api/catalog/refresh \\
  -d '{"entityRef":"component:default/payments-api"}'`;
  return `Try it:

# Olivia owns payments-api through her Entra group: 200, and why
${signIn('OLIVIA', 'olivia')}
${refresh('OLIVIA')}
${explain('OLIVIA')}

# Dana is in another team: 403, and which group owns it
${signIn('DANA', 'dana')}
${refresh('DANA')}
${explain('DANA')}

# A GitLab job that deploys to staging calls with its own token: 200; the job of a fork's merge request: 401
${asJob('gitlab-staging')}
${asJob('gitlab-fork')}

# What is wrong with this token? (Adam, an admin, may ask)
${signIn('ADAM', 'adam')}
curl -s -w '\\n' -XPOST -H "Authorization: Bearer $ADAM" -H 'content-type: application/json' ${backend}/api/entra-access/v1/tokens/inspect \\
  -d "{\\"token\\":\\"$(curl -s '${tenant}/mint?as=olivia&variant=other-audience')\\"}"`;
}
